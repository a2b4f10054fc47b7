// SPDX-License-Identifier: BSD-2-Clause
/* cmd_upgrade.c - cachewarden upgrade: has the running monitor hand over to one that is started anew, and waits until it has. */
#include "cmd/ask_monitor.h"
#include "cmd/verbs.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "monitor/control_json.h"

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define WAIT_NS (90 * NS_PER_SEC) /* more than the monitor gives the next one */
#define POLL_MS 100

/* Has it opened its control socket? It does so once it has taken over. */
static bool answers(pid_t pid)
{
	json_t *status = NULL;
	bool does = !control_query_json(NULL, pid, CONTROL_STATUS, 0, &status);

	json_decref(status);
	return does;
}

static int await(pid_t pid, pid_t next)
{
	struct pollfd ended = {.fd = pidfd_open(next, 0), .events = POLLIN};
	uint64_t until = clock_boot_ns() + WAIT_NS;
	bool up = false, gone = ended.fd < 0;

	while (!(up = answers(next)) && !gone && clock_boot_ns() < until)
		gone = poll(&ended, 1, POLL_MS) > 0;
	if (ended.fd >= 0)
		close(ended.fd);
	if (up) {
		printf("pid %d has taken over from pid %d\n", (int)next, (int)pid);
		return fflush(stdout) ? EXIT_CANNOT : EXIT_FINE;
	}
	log_error(
		"upgrade: pid %d, which was to take over, %s; see the messages of both, and whether pid %d "
		"still runs: cachewarden status",
		(int)next, gone ? "has ended" : "does not get ready", (int)pid);
	return EXIT_CANNOT;
}

static int start(json_t *reply)
{
	const char *error = json_string_value(json_object_get(reply, "error"));
	pid_t pid = (pid_t)json_integer_value(json_object_get(reply, "pid"));
	pid_t next = (pid_t)json_integer_value(json_object_get(reply, "next"));

	if (error)
		log_error("upgrade: pid %d goes on: %s", (int)pid, error);
	else if (next <= 0)
		log_error("upgrade: the monitor's answer is that of another version; restart it");
	else
		return await(pid, next);
	return EXIT_CANNOT;
}

int cmd_upgrade(int argc, char **argv)
{
	uint32_t pid = 0;
	json_t *reply = NULL;
	const struct cli_arg args[] = {ASK_PID(pid)};
	int code = cli_parse(
		&(struct cli_command){
			"upgrade",
			"Has the running monitor start its executable anew, which may have been replaced, and hand over to\n"
			"it: no event is lost or reported twice. If that fails, the running one goes on. Where no service manager is told,\n"
			"as in a terminal, the command that was started ends, and the next monitor goes on in the background.",
			args, ARRAY_SIZE(args)},
		argc, argv);

	if (code == CLI_PROCEED)
		code = ask_monitor_json("upgrade", pid, CONTROL_UPGRADE, 0, &reply);
	if (code == CLI_PROCEED)
		code = start(reply);
	json_decref(reply);
	return code;
}
