/* SPDX-License-Identifier: BSD-2-Clause */
/* test_incidents.c - `cachewarden incidents`: what it prints, and that names of others do no harm to a terminal. */
#include "unit.h"

#include "base/macros.h"
#include "cmd/incidents_text.h"

#include <stdlib.h>
#include <string.h>

static const char sample[] =
	"[{\"seq\":1,\"uid\":\"x-i1\",\"id\":1,\"open\":true,\"severity\":\"critical\",\"stage\":\"take\","
	"\"title\":\"A process reads the server's memory\",\"rules\":[\"mem-read\",\"mem-inspect\"],"
	"\"count\":2,\"first\":1000,\"last\":5000,\"instance\":{\"name\":\"redis-server:6379\",\"pid\":42},"
	"\"actor\":{\"pid\":7,\"uid\":0,\"comm\":\"g\\u001b[31mdb\",\"exe\":\"/usr/bin/gdb\"}},"
	"{\"seq\":2,\"uid\":\"x-i2\",\"id\":2,\"open\":false,\"severity\":\"medium\",\"stage\":\"look\","
	"\"title\":\"The server serves plaintext on a port\",\"rules\":[\"tls-listener\"],\"count\":1,"
	"\"first\":2000,\"last\":2000,\"instance\":null,\"actor\":null}]";

static char *printed(const char *json)
{
	json_t *all = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(all);
	assert_non_null(to);
	incidents_text(all, to);
	fclose(to);
	json_decref(all);
	return text;
}

static void text_names_all_of_it_and_escapes_names(void **state)
{
	static const char *const words[] = {
		" critical incident 1 open: redis-server:6379(42) by g\\x1b[31mdb(7) uid 0 /usr/bin/gdb\n",
		"    A process reads the server's memory: mem-read, mem-inspect; 2 events, the last at 19",
		" medium   incident 2 closed: this host\n", "tls-listener; 1 event, the last"};
	char *text = printed(sample);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strstr(text, words[i]))
			fail_msg("no \"%s\" in: %s", words[i], text);
	}
	free(text);
	text = printed("[]");
	assert_string_equal(text, "no such incidents\n");
	free(text);
}

/* An answer of a later version may lack what is printed: nothing crashes. */
static void what_is_missing_does_no_harm(void **state)
{
	free(printed("[{},{\"actor\":{},\"instance\":{},\"rules\":[1]},3]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_names_all_of_it_and_escapes_names),
		cmocka_unit_test(what_is_missing_does_no_harm),
	};

	return cmocka_run_group_tests_name("incidents", tests, NULL, NULL);
}
