/* SPDX-License-Identifier: BSD-2-Clause */
/* test_validate_option.c - which options of a server its decoy gets, and that nothing else reaches it. */
#include "unit.h"

#include "base/macros.h"
#include "validate/option.h"

#include <stdlib.h>
#include <string.h>

static struct options o;

static int setup(void **state)
{
	o = (struct options){};
	return 0;
}

static void set(enum option_id id, const char *value)
{
	option_set(&o, id, value, strlen(value));
}

/* Not inlined: gcc 12 takes what open_memstream() returns for the local pointer. */
__attribute__((noinline)) static char *written(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	option_write(&o, out);
	fclose(out);
	return text;
}

static void a_value_of_its_form_is_written(void **state)
{
	char *text;

	set(OPTION_TLS_PROTOCOLS, "TLSv1.2 TLSv1.3");
	set(OPTION_TLS_CIPHERS, "ECDHE+AESGCM:!aNULL:@SECLEVEL=2");
	set(OPTION_IO_THREADS, "4");
	set(OPTION_TLS_AUTH_CLIENTS, "optional");
	set(OPTION_TLS_CIPHERSUITES, ""); /* the server's default: there is nothing to say */
	text = written();
	assert_string_equal(text, "tls-protocols \"TLSv1.2 TLSv1.3\"\n"
				  "tls-ciphers \"ECDHE+AESGCM:!aNULL:@SECLEVEL=2\"\n"
				  "tls-auth-clients \"optional\"\n"
				  "io-threads \"4\"\n");
	assert_int_equal(option_count(&o), 5);
	free(text);
}

/* A server may say anything: it must not be able to write a line of a decoy's configuration. */
static void a_value_of_another_form_is_refused(void **state)
{
	static const char *const evil[] = {
		"TLSv1.2\nloadmodule /tmp/x.so",
		"TLSv1.2\"",
		"TLSv1.2\\",
		"'",
		"a\rb",
		"a\tb",
		"#x",
		"$(x)",
		"/etc/x",
		"\xc3\xa4",
	};
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(evil); i++) {
		for (size_t id = 0; id < OPTION_MAX; id++) {
			set(id, evil[i]);
			assert_int_equal(o.state[id], OPTION_REFUSED);
		}
	}
	option_set(&o, OPTION_IO_THREADS, "4\0x", 3);
	assert_int_equal(o.state[OPTION_IO_THREADS], OPTION_REFUSED);
	set(OPTION_IO_THREADS, "four");
	assert_int_equal(o.state[OPTION_IO_THREADS], OPTION_REFUSED);
	set(OPTION_APPENDONLY, "yes no");
	assert_int_equal(o.state[OPTION_APPENDONLY], OPTION_REFUSED);
	text = written();
	assert_string_equal(text, "");
	free(text);
}

static void a_value_that_is_too_long_is_refused(void **state)
{
	char value[OPTION_LEN + 1];

	memset(value, 'A', sizeof(value));
	option_set(&o, OPTION_TLS_CIPHERS, value, OPTION_LEN);
	assert_int_equal(o.state[OPTION_TLS_CIPHERS], OPTION_REFUSED);
	option_set(&o, OPTION_TLS_CIPHERS, value, OPTION_LEN - 1);
	assert_int_equal(o.state[OPTION_TLS_CIPHERS], OPTION_TAKEN);
	assert_int_equal(strlen(o.value[OPTION_TLS_CIPHERS]), OPTION_LEN - 1);
}

static void save_points_are_a_line_each(void **state)
{
	char *text;

	set(OPTION_SAVE, "3600 1 300 100 60 10000");
	text = written();
	assert_string_equal(text, "save \"\"\nsave 3600 1\nsave 300 100\nsave 60 10000\n");
	free(text);
	set(OPTION_SAVE, "");
	text = written();
	assert_string_equal(text, "save \"\"\n");
	free(text);
}

static const char config[] = "# a comment\n"
			     "requirepass S3cret-one\n"
			     "masterauth S3cret-two\n"
			     "tls-key-file-pass S3cret-three\n"
			     "user app on >S3cret-four ~* +@all\n"
			     "rename-command CONFIG S3cret-five\n"
			     "unixsocket /run/S3cret-six\n"
			     "aclfile /etc/S3cret-seven\n"
			     "logfile /var/log/S3cret-eight\n"
			     "loadmodule /usr/lib/x.so S3cret-nine\n"
			     "include /etc/S3cret-ten.conf\n"
			     "TLS-Protocols \"TLSv1.2\"\n"
			     "io-threads 2\n"
			     "save 900 1\n"
			     "save 300 10\n"
			     "appendonly yes\n";

/* Not even in what is kept to explain it. */
static void no_secret_of_a_configuration_is_kept(void **state)
{
	const char *bytes = (const char *)&o;
	char *text;

	option_read_config(&o, config, strlen(config));
	assert_null(memmem(bytes, sizeof(o), "S3cret", strlen("S3cret")));
	text = written();
	assert_string_equal(text,
			    "tls-protocols \"TLSv1.2\"\nio-threads \"2\"\nappendonly \"yes\"\n"
			    "save \"\"\nsave 900 1\nsave 300 10\n");
	assert_non_null(strstr(o.why, "includes"));
	free(text);
}

static void a_command_line_has_the_last_word(void **state)
{
	static const char args[] = "redis-server\0/etc/redis.conf\0--io-threads\0008\0"
				   "--requirepass\0S3cret\0--tls-protocols\0TLSv1.3";

	option_read_config(&o, config, strlen(config));
	o.why[0] = '\0';
	option_read_args(&o, args, sizeof(args));
	assert_string_equal(o.value[OPTION_IO_THREADS], "8");
	assert_string_equal(o.value[OPTION_TLS_PROTOCOLS], "TLSv1.3");
	assert_string_equal(o.why, "");
	assert_null(memmem(&o, sizeof(o), "S3cret", strlen("S3cret")));
}

/* Who asked a server may have been taken over by it. */
static void what_another_process_wrote_is_judged_again(void **state)
{
	o.state[OPTION_SAVE] = OPTION_TAKEN;
	strcpy(o.value[OPTION_SAVE], "1 1\nloadmodule x");
	o.state[OPTION_TLS_PROTOCOLS] = OPTION_TAKEN;
	memset(o.value[OPTION_TLS_PROTOCOLS], 'A', OPTION_LEN);
	o.state[OPTION_IO_THREADS] = (enum option_state)99;
	strcpy(o.value[OPTION_APPENDFSYNC], "\n");
	memset(o.from, 'x', sizeof(o.from));
	memset(o.why, 'x', sizeof(o.why));
	set(OPTION_APPENDONLY, "yes");
	option_bound(&o);
	assert_int_equal(o.state[OPTION_SAVE], OPTION_REFUSED);
	assert_string_equal(o.value[OPTION_SAVE], "");
	assert_int_equal(o.state[OPTION_TLS_PROTOCOLS], OPTION_REFUSED);
	assert_int_equal(o.state[OPTION_IO_THREADS], OPTION_REFUSED);
	assert_string_equal(o.value[OPTION_APPENDFSYNC], "");
	assert_int_equal(strlen(o.from), sizeof(o.from) - 1);
	assert_int_equal(strlen(o.why), sizeof(o.why) - 1);
	assert_int_equal(option_count(&o), 1);
}

/* A list of what is taken and one of what is left must not both have an option. */
static void no_option_is_both_taken_and_left(void **state)
{
	for (size_t id = 0; id < OPTION_MAX; id++) {
		for (size_t i = 0; i < option_left_count; i++) {
			char *names = strdup(option_left[i].names), *save = NULL;

			for (char *n = strtok_r(names, ", ", &save); n;
			     n = strtok_r(NULL, ", ", &save))
				assert_string_not_equal(n, option_name(id));
			free(names);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_value_of_its_form_is_written, setup),
		cmocka_unit_test_setup(a_value_of_another_form_is_refused, setup),
		cmocka_unit_test_setup(a_value_that_is_too_long_is_refused, setup),
		cmocka_unit_test_setup(save_points_are_a_line_each, setup),
		cmocka_unit_test_setup(no_secret_of_a_configuration_is_kept, setup),
		cmocka_unit_test_setup(a_command_line_has_the_last_word, setup),
		cmocka_unit_test_setup(what_another_process_wrote_is_judged_again, setup),
		cmocka_unit_test(no_option_is_both_taken_and_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
