/* SPDX-License-Identifier: BSD-2-Clause */
/* test_suggest.c - a policy proposed from events is refused until it has reasons, and then allows what was seen. */
#include "unit.h"

#include "policy/policy_check.h"
#include "policy/policy_key.h"
#include "policy/policy_yaml.h"
#include "policy/replay.h"
#include "policy/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An event by /usr/bin/NAME; name, verdict, activity and further members of the actor vary. */
#define EVENT(rule, exe, verdict, activity, more)                                                  \
	"{\"start_time\": 1795500000000, \"activity_id\": " activity ", \"unmapped\": "            \
	"{\"cachewarden\": {\"kind\": \"event\", \"rule\": \"" rule                                \
	"\", \"severity\": \"medium\","                                                            \
	" \"verdict\": \"" verdict "\", \"instance\": {\"name\": \"redis-server:6379\","           \
	" \"exe\": \"/usr/bin/redis-server\", \"ports\": [6379]}, \"actor\": {\"exe\": \"" exe     \
	"\", \"uid\": 0" more "}}}}\n"

#define PLAINTEXT                                                                                  \
	"{\"start_time\": 1795500000000, \"activity_id\": 1, \"unmapped\": {\"cachewarden\": "     \
	"{\"kind\": \"event\", \"rule\": \"tls-plaintext\", \"severity\": \"high\", "              \
	"\"verdict\": \"alert\", \"instance\": {\"name\": \"redis-server:6379\"}, "                \
	"\"actor\": null, \"conn\": {\"remote\": {\"ip\": \"10.0.0.7\", \"port\": 40000}, "        \
	"\"opened\": \"inbound\", \"opener\": \"/usr/bin/stunnel4\"}}}}\n"

static char events_path[] = "/tmp/test_suggest.XXXXXX";

/* What is proposed for these events; to be freed. */
static char *proposed(const char *events)
{
	char error[POLICY_ERROR_LEN] = "", *text = NULL;
	size_t len = 0;
	FILE *f = fopen(events_path, "we"), *to;

	assert_non_null(f);
	fputs(events, f);
	fclose(f);
	to = open_memstream(&text, &len);
	if (!suggest(events_path, to, error, sizeof(error)))
		fail_msg("%s", error);
	fclose(to);
	return text;
}

static bool is_valid(struct policy *p, const char *text, char error[POLICY_ERROR_LEN])
{
	policy_init(p);
	return policy_yaml_parse(p, "new.yaml", text, strlen(text), error, POLICY_ERROR_LEN) &&
	       policy_validate(p, error, POLICY_ERROR_LEN);
}

/* The same policy with a reason wherever one is missing; to be freed. */
static char *with_reasons(const char *text)
{
	char *filled = NULL, *line, *copy = strdup(text), *save = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&filled, &len);

	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		fprintf(to, "%s\n", strstr(line, "reason: #") ? "    reason: ticket 4711" : line);
	fclose(to);
	free(copy);
	return filled;
}

static const char several[] = EVENT("mem-inspect", "/usr/bin/pmap", "alert", "1",
				    "") EVENT("mem-inspect", "/usr/bin/pmap", "alert", "2", "")
	EVENT("mem-inspect", "/usr/bin/pmap", "alert", "1", "")
		EVENT("mem-read", "/opt/o'dd: \\\"name\\\"", "alert", "1",
		      ", \"unit\": \"debug.service\", \"cgroup\": \"/system.slice/debug.service\"")
			PLAINTEXT;

static void proposal_is_refused_until_each_entry_has_a_reason(void **state)
{
	char error[POLICY_ERROR_LEN] = "", *text = proposed(several), *filled = with_reasons(text);
	struct policy p;

	assert_false(is_valid(&p, text, error));
	assert_non_null(strstr(error, "allow[].reason: empty value"));
	assert_non_null(strstr(error, "Why this is allowed"));
	policy_free(&p);
	if (!is_valid(&p, filled, error))
		fail_msg("%s\n%s", error, filled);
	assert_int_equal(p.allows, 2);
	assert_string_equal(p.allow[1].exe, "/opt/o'dd: \"name\"");
	assert_string_equal(p.allow[1].unit, "debug.service");
	assert_int_equal(p.tls.plaintexts, 1);
	policy_free(&p);
	free(text);
	free(filled);
}

static void proposal_allows_what_was_seen(void **state)
{
	char error[POLICY_ERROR_LEN] = "", *text = proposed(several), *filled = with_reasons(text);
	FILE *null = fopen("/dev/null", "we");
	struct policy p;

	policy_init(&p);
	assert_int_equal(replay(&p, events_path, POLICY_UNSET, null, error, sizeof(error)),
			 REPLAY_ALERT);
	policy_free(&p);
	assert_true(is_valid(&p, filled, error));
	assert_int_equal(replay(&p, events_path, POLICY_UNSET, null, error, sizeof(error)),
			 REPLAY_NO_ALERT);
	policy_free(&p);
	fclose(null);
	free(text);
	free(filled);
}

static void only_alerts_with_a_certain_actor_are_proposed(void **state)
{
	static const char none[] = EVENT("mem-inspect", "/usr/bin/ps", "observed", "1", "")
		EVENT("mem-inspect", "/usr/bin/pmap", "allowed", "1", "")
			EVENT("mem-read", "/tmp/gone", "alert", "1", ", \"exe_deleted\": true")
				EVENT("mem-read", "/tmp/new\\nline", "alert", "1", "");
	char error[POLICY_ERROR_LEN] = "", *text = proposed(none);
	struct policy p;

	assert_non_null(strstr(text, "for 0 of 2 findings"));
	if (!is_valid(&p, text, error)) /* nothing but comments */
		fail_msg("%s\n%s", error, text);
	assert_int_equal(p.allows, 0);
	policy_free(&p);
	free(text);
}

static void other_lines_are_refused_with_their_number(void **state)
{
	char error[POLICY_ERROR_LEN] = "";
	FILE *f = fopen(events_path, "we");

	fputs(EVENT("mem-read", "/usr/bin/gdb", "alert", "1", "") "no JSON\n", f);
	fclose(f);
	assert_false(suggest(events_path, stdout, error, sizeof(error)));
	assert_non_null(strstr(error, ":2: line is not a JSON object"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proposal_is_refused_until_each_entry_has_a_reason),
		cmocka_unit_test(proposal_allows_what_was_seen),
		cmocka_unit_test(only_alerts_with_a_certain_actor_are_proposed),
		cmocka_unit_test(other_lines_are_refused_with_their_number),
	};
	int fd = mkstemp(events_path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
	unlink(events_path);
	return failed;
}
