/* SPDX-License-Identifier: BSD-2-Clause */
/* test_validate_write.c - every format holds every check, escapes what was seen, and JSON is what a baseline reads. */
#include "unit.h"
#include "validate_facts.h"

#include "base/macros.h"
#include "validate/baseline.h"
#include "validate/profile_read.h"
#include "validate/write.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVIL "/tmp/<b>\"&'</failure>"

static struct profile profile;
static struct facts facts;
static struct verdict_report report;

/* One failure whose text is markup, one skip. */
static int setup(void **state)
{
	const char *text = profile_builtin("azure-cache");
	char error[POLICY_ERROR_LEN];

	if (!profile_parse(&profile, "azure-cache", text, strlen(text), error, sizeof(error)))
		return -1;
	facts = good_facts();
	strcpy(facts.code.exposed, EVIL);
	strcpy(facts.process.loader_why, "no rights");
	verdict_reach(&report, &facts, &profile);
	strcpy(report.time, "2026-11-30T10:00:00Z");
	return 0;
}

static int teardown(void **state)
{
	profile_free(&profile);
	return 0;
}

/* Not inlined: gcc 12 takes what open_memstream() returns for the local pointer. */
__attribute__((noinline)) static char *written(void (*write)(const struct verdict_report *r,
							     FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	write(&report, out);
	fclose(out);
	return text;
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

static void every_format_names_every_check(void **state)
{
	for (size_t i = 0; i < write_format_count; i++) {
		char *text = written(write_formats[i].write);

		for (size_t k = 0; k < report.rows; k++)
			assert_non_null(strstr(text, report.row[k].check->id));
		free(text);
	}
}

static void text_shows_what_is_broken_first(void **state)
{
	char *text = written(write_text);
	const char *fail = strstr(text, "\nFAIL  mem-code"),
		   *skip = strstr(text, "\nSKIP  mem-loader");

	assert_true(fail && skip && fail < skip && skip < strstr(text, "\npass  "));
	assert_non_null(strstr(fail, "mend      chown"));
	assert_non_null(strstr(text, "reason    no rights"));
	assert_int_equal(count(text, "\nFAIL  "), 1);
	assert_int_equal(count(text, "\npass  "), report.rows - 2);
	free(text);
}

static void markup_is_escaped(void **state)
{
	char *xml = written(write_junit), *html = written(write_html);

	assert_null(strstr(xml, "<b>"));
	assert_null(strstr(html, "<b>"));
	assert_int_equal(count(xml, "</failure>"), 1);
	assert_non_null(strstr(xml, "&lt;b&gt;&quot;&amp;'&lt;/failure&gt;"));
	assert_null(strstr(html, "<script"));
	assert_null(strstr(html, "http"));
	free(xml);
	free(html);
}

/* In Chromium, as desktop, phone and paper. */
static void page_is_readable_in_a_browser(void **state)
{
	char path[] = "/tmp/cachewarden-validate.XXXXXX.html", command[128], said[1024] = "";
	char *html = written(write_html);
	int fd = mkstemps(path, (int)strlen(".html")), status;
	FILE *out;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, html, strlen(html)), strlen(html));
	close(fd);
	free(html);
	snprintf(command, sizeof(command), "tests/scripts/render.py %s", path);
	out = popen(command, "re");
	assert_non_null(out);
	said[fread(said, 1, sizeof(said) - 1, out)] = '\0';
	status = pclose(out);
	unlink(path);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
		skip(); /* no Chromium */
	if (status)
		fail_msg("%s", said);
}

static void sarif_has_a_rule_and_a_result_for_each(void **state)
{
	static const char *const kinds[] = {"pass", "fail", "open"};
	char *text = written(write_sarif);
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *run, *results, *rules;

	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "version")), "2.1.0");
	run = json_array_get(json_object_get(root, "runs"), 0);
	results = json_object_get(run, "results");
	rules = json_object_get(json_object_get(json_object_get(run, "tool"), "driver"), "rules");
	assert_int_equal(json_array_size(results), report.rows);
	for (size_t i = 0; i < report.rows; i++) {
		json_t *one = json_array_get(results, i);
		enum check_verdict v = report.row[i].outcome.verdict;
		size_t rule = (size_t)json_integer_value(json_object_get(one, "ruleIndex"));

		assert_string_equal(
			json_string_value(json_object_get(one, "ruleId")),
			json_string_value(json_object_get(json_array_get(rules, rule), "id")));
		assert_string_equal(json_string_value(json_object_get(one, "kind")), kinds[v]);
		/* SARIF 2.1.0 3.27.10: level is none unless kind is fail */
		assert_string_equal(json_string_value(json_object_get(one, "level")),
				    v == CHECK_FAIL ? "error" : "none");
	}
	json_decref(root);
	free(text);
}

static const char *scratch_file(const char *text)
{
	static char path[64];
	int fd;

	strcpy(path, "/tmp/cachewarden-baseline.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	return path;
}

static void paths_do_not_reach_a_terminal_raw(void **state)
{
	char before[sizeof(facts.exe)], *text;

	strcpy(before, facts.exe);
	strcpy(facts.exe, "/tmp/\033[2J\xff/redis-server");
	text = written(write_text);
	assert_non_null(strstr(text, "/tmp/?[2J?/redis-server"));
	for (const char *c = text; *c; c++)
		assert_true(*c == '\n' || (*c >= 0x20 && *c < 0x7f));
	strcpy(facts.exe, before);
	free(text);
}

static void a_baseline_shows_what_changed(void **state)
{
	char error[256], *text = written(write_json);
	const char *file = scratch_file(text);
	struct verdict_report now;

	facts.code.exposed[0] = '\0';
	facts.host.swap = YES;
	verdict_reach(&now, &facts, &profile);
	assert_true(baseline_compare(&now, file, error, sizeof(error)));
	for (size_t i = 0; i < now.rows; i++) {
		const char *id = now.row[i].check->id, *before = now.row[i].before;

		if (!strcmp(id, "mem-code"))
			assert_string_equal(before, "fail");
		else if (!strcmp(id, "mem-swap"))
			assert_string_equal(before, "pass");
		else
			assert_null(before);
	}
	unlink(file);
	free(text);
	strcpy(facts.code.exposed, EVIL);
	facts.host.swap = NO;
}

static void a_baseline_that_is_none_is_refused(void **state)
{
	static const char *const wrong[] = {"", "{", "[]", "{\"checks\": 3}"};
	char error[256];

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		const char *file = scratch_file(wrong[i]);

		assert_false(baseline_compare(&report, file, error, sizeof(error)));
		assert_non_null(strstr(error, file));
		unlink(file);
	}
	assert_false(baseline_compare(&report, "/nonexistent", error, sizeof(error)));
}

/* Whose monitor had to report the drills, and each with what it shows and how soon it was seen. */
static void drills_are_a_table(void **state)
{
	static void (*const formats[])(const struct verdict_report *r, FILE *out) = {write_text,
										     write_html};
	json_t *v;
	char *text;

	strcpy(facts.drilled_by, "the monitor that runs here, pid 77, version 9");
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		text = written(formats[i]);
		assert_non_null(strstr(text, "the monitor that runs here, pid 77, version 9"));
		assert_non_null(strstr(text, "Drills on a decoy"));
		assert_non_null(strstr(text, "Whoever reads its memory is reported"));
		assert_non_null(strstr(text, "after 12.3 ms (attempt succeeded)"));
		free(text);
	}
	text = written(write_json);
	v = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json_object_get(v, "drills"), "on")),
			    "decoy");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(v, "drills"), "monitor")),
		facts.drilled_by);
	json_decref(v);
	free(text);
	facts.drilled = false;
	text = written(write_json);
	assert_non_null(strstr(text, "\"drills\":null"));
	free(text);
	facts.drilled = true;
}

static void all_formats_hold(const char *words)
{
	static void (*const formats[])(const struct verdict_report *r,
				       FILE *out) = {write_text, write_html, write_json};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		char *text = written(formats[i]);

		if (!strstr(text, words))
			fail_msg("format %zu does not say '%s'", i, words);
		free(text);
	}
}

/* Which of the server's options a decoy had, which were refused, and what it never has. */
static void options_of_the_decoy_are_listed(void **state)
{
	struct options *o = &facts.config.options;

	option_set(o, OPTION_TLS_PROTOCOLS, "TLSv1.3", strlen("TLSv1.3"));
	option_set(o, OPTION_IO_THREADS, "many\n", strlen("many\n"));
	strcpy(o->from, "CONFIG GET");
	o->used = true;
	all_formats_hold("CONFIG GET");
	all_formats_hold("tls-protocols");
	all_formats_hold("TLSv1.3");
	all_formats_hold("io-threads");
	all_formats_hold(OPTION_REFUSED_WHY);
	all_formats_hold("requirepass, masterauth");
	o->used = false;
	all_formats_hold("with the server's it does not start here");
	strcpy(o->why, "CONFIG GET, without a password: NOAUTH");
	all_formats_hold("without a password: NOAUTH");
	*o = (struct options){};
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_names_every_check),
		cmocka_unit_test(text_shows_what_is_broken_first),
		cmocka_unit_test(markup_is_escaped),
		cmocka_unit_test(page_is_readable_in_a_browser),
		cmocka_unit_test(sarif_has_a_rule_and_a_result_for_each),
		cmocka_unit_test(paths_do_not_reach_a_terminal_raw),
		cmocka_unit_test(a_baseline_shows_what_changed),
		cmocka_unit_test(a_baseline_that_is_none_is_refused),
		cmocka_unit_test(drills_are_a_table),
		cmocka_unit_test(options_of_the_decoy_are_listed),
	};

	return cmocka_run_group_tests_name("validate_write", tests, setup, teardown);
}
