/* SPDX-License-Identifier: BSD-2-Clause */
/* test_status.c - a monitor's status as text: what it says, and that it fits a terminal and does no harm to it. */
#include "unit.h"

#include "base/macros.h"
#include "cmd/status_text.h"

#include <stdlib.h>
#include <string.h>

static const char sample[] =
	"{\"well\":false,\"wrong\":[\"memory/ac_open not attached, unseen: opens of files below "
	"/proc/PID, and of instances' files on disk (Operation not permitted)\"],"
	"\"wrong_not_listed\":2,\"version\":\"0.1.0\",\"host\":\"cache-17\",\"kernel\":\"6.12.0\","
	"\"pid\":4242,\"uptime_s\":93784,\"guard_pid\":4243,"
	"\"policy\":[{\"file\":\"/etc/cachewarden/policy.yaml\",\"sha256\":\"0123456789abcdef\"}],"
	"\"sensors\":[{\"sensor\":\"processes\",\"tier\":\"hooks\",\"programs\":3,\"attached\":3},"
	"{\"sensor\":\"memory\",\"tier\":\"access\",\"programs\":13,\"attached\":12}],"
	"\"events\":{\"all\":12,\"alert\":3,\"prevented\":0,\"allowed\":4,\"observed\":5},"
	"\"incidents\":{\"all\":2,\"open\":1,\"worst\":\"critical\"},"
	"\"lost\":{\"attempts\":0,\"details\":7},\"wire\":{\"streams_resynced\":9},"
	"\"blind_spots\":[{\"what\":\"ring buffer full\",\"count\":7,\"last\":1}],"
	"\"lag\":{\"most_ms\":3,\"late\":0},"
	"\"sweeps\":{\"all\":5,\"failed\":0,\"longest_ms\":4,\"last\":0},"
	"\"output\":[{\"to\":\"standard output\",\"waiting\":0,\"lost\":0,\"error\":null}],"
	"\"heartbeat\":{\"every_s\":60,\"sent\":9},"
	"\"evidence\":{\"directory\":\"/var/lib/cachewarden\",\"error\":null,\"entries\":99,"
	"\"last_checkpoint\":0,\"waiting\":1,\"lost\":0},"
	"\"instances\":[{\"name\":\"redis-server:6379\",\"pid\":1099,\"user\":107,"
	"\"exe\":\"/usr/bin/redis\\u001b[31m\",\"since\":0,\"found_running\":true,"
	"\"ports\":[{\"port\":6379,\"tls\":true,\"plaintext\":false},"
	"{\"port\":6380,\"tls\":false,\"plaintext\":true},"
	"{\"port\":6381,\"tls\":false,\"plaintext\":false}],\"connections\":{\"TLSv1.3\":3},"
	"\"files_protected\":2,\"files_known\":{\"configuration\":true,\"private key\":true,"
	"\"ACL file\":false,\"data file\":false}}]}";

static char *render(const char *json)
{
	json_t *s = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(s);
	assert_non_null(to);
	status_text(s, to);
	fclose(to);
	json_decref(s);
	return text;
}

static void says_what_the_monitor_said(void **state)
{
	static const char *const said[] = {
		"cachewarden 0.1.0 on cache-17: something is wrong with the monitor, 1 incident\n             is open\n",
		"\n! memory/ac_open not attached, unseen: opens of files below /proc/PID",
		"\n! and 2 more\n",
		"\nmonitor      pid 4242, up 1 d 02:03:04, guard pid 4243, kernel 6.12.0\n",
		"memory (access) 12/13\n",
		"/etc/cachewarden/policy.yaml, sha256 0123456789ab\n",
		"\nevents       12: 3 alert, 0 prevented, 4 allowed, 5 observed\n",
		"\nincidents    2, 1 open, worst critical\n",
		"\nlost         details 7\n",
		"\nnot seen     ring buffer full (7)\n",
		"\nheartbeat    every 60 s, 9 sent\n",
		"\nredis-server:6379\n             pid 1099, user 107, /usr/bin/redis\\x1b[31m\n",
		"             port 6379 TLS, 6380 plaintext, 6381 not used yet; connections: 3\n             TLSv1.3\n",
		"2 files protected; known: configuration, private key; none",
	};
	char *text = render(sample);

	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		if (!strstr(text, said[i]))
			fail_msg("it does not say: %s\nbut: %s", said[i], text);
	}
	free(text);
}

static void no_line_is_wider_than_a_terminal(void **state)
{
	char word[400], *json, *text;

	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_true(asprintf(&json,
			     "{\"well\":false,\"wrong\":[\"%s\",\"a %s b\"],\"instances\":"
			     "[{\"name\":\"%s\"},{}]}",
			     word, word, word) > 0);
	for (int i = 0; i < 2; i++) {
		text = render(i ? json : sample);
		for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
			assert_true(strcspn(line, "\n") <= STATUS_COLUMNS);
		free(text);
	}
	free(json);
}

static void what_is_missing_or_of_another_type_is_borne(void **state)
{
	free(render("{}"));
	free(render("{\"well\":1,\"wrong\":{},\"policy\":[3],\"sensors\":\"x\",\"events\":[],"
		    "\"lost\":{\"a\":\"b\"},\"evidence\":7,\"instances\":[null,{\"ports\":{}}]}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_monitor_said),
		cmocka_unit_test(no_line_is_wider_than_a_terminal),
		cmocka_unit_test(what_is_missing_or_of_another_type_is_borne),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
