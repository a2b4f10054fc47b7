/* SPDX-License-Identifier: BSD-2-Clause */
/* test_base.c - small things that everything stands on: base64, and times as text. */
#include "unit.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/macros.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static void assert_base64(const void *bytes, size_t len, const char *text)
{
	uint8_t back[256];
	char buf[400];
	size_t n = 0;

	assert_int_equal(base64_encode(bytes, len, buf), strlen(text));
	assert_int_equal(BASE64_LEN(len), strlen(text));
	assert_string_equal(buf, text);
	if (!len)
		return;
	assert_true(BASE64_BYTES(strlen(text)) >= len);
	assert_true(base64_decode(text, strlen(text), back, &n));
	assert_int_equal(n, len);
	assert_memory_equal(back, bytes, len);
}

/* RFC 4648, section 10; then what OpenSSL writes. */
static void bytes_become_base64_and_back(void **state)
{
	static const char *const vectors[] = {"",	  "Zg==",     "Zm8=",	 "Zm9v",
					      "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
	uint8_t bytes[256];
	char want[400];

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		assert_base64("foobar", i, vectors[i]);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 3);
	for (size_t len = 1; len <= sizeof(bytes); len++) {
		EVP_EncodeBlock((unsigned char *)want, bytes, (int)len);
		assert_base64(bytes, len, want);
	}
}

/* One text for some bytes: else a signed note could be changed and still verify. */
static void other_texts_are_no_base64(void **state)
{
	static const char *const wrong[] = {"",
					    "Zg",
					    "Zg=",
					    "Zg===",
					    "Zh==",
					    "Zm9=",
					    "=",
					    "====",
					    "Z===",
					    "Zm=v",
					    "Z=9v",
					    "Zm9v=",
					    " Zm9",
					    "Zm9v\n",
					    "Zm9-",
					    "Zm9_",
					    "Zg==Zm9v",
					    "Zm\x80v",
					    "Zm9v\nZm9v",
					    "Zm9vZg=="
					    "===="};
	uint8_t back[64];
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (base64_decode(wrong[i], strlen(wrong[i]), back, &n))
			fail_msg("accepted: '%s'", wrong[i]);
	}
	assert_false(base64_decode("Zm\0v", 4, back, &n));
}

static void assert_utc(int64_t ms, const char *text)
{
	char buf[CLOCK_UTC_LEN];

	clock_text_utc(ms, buf);
	assert_string_equal(buf, text);
}

static void times_are_utc(void **state)
{
	char buf[CLOCK_UTC_LEN];

	setenv("TZ", "Europe/Berlin", 1);
	assert_utc(0, "1970-01-01T00:00:00.000Z");
	assert_utc(1795785789123, "2026-11-27T13:23:09.123Z");
	assert_utc(-1, "1969-12-31T23:59:59.999Z");
	assert_utc(INT64_MAX, "?.807Z");
	clock_text_utc_s(1795785789, buf);
	assert_string_equal(buf, "2026-11-27T13:23:09Z");
}

static void spans_are_readable(void **state)
{
	char text[CLOCK_SPAN_LEN];

	clock_text_span(0, text);
	assert_string_equal(text, "0 s");
	clock_text_span(30 * 1000, text);
	assert_string_equal(text, "30 s");
	clock_text_span(25 * 3600000 + 3 * 60000 + 7, text);
	assert_string_equal(text, "1 d 1 h 3 min 7 ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_become_base64_and_back),
		cmocka_unit_test(other_texts_are_no_base64),
		cmocka_unit_test(times_are_utc),
		cmocka_unit_test(spans_are_readable),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
