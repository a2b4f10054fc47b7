// SPDX-License-Identifier: BSD-2-Clause
/* ask_monitor.c - see ask_monitor.h. */
#include "cmd/ask_monitor.h"

#include "base/log.h"
#include "monitor/control_json.h"
#include "monitor/run_dir.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MONITORS_MAX 16 /* listed; a host runs one, a test machine a few */

int ask_find_monitor(const char *command, uint32_t *ret_pid)
{
	pid_t pids[MONITORS_MAX];
	size_t n = control_monitors(pids, MONITORS_MAX);

	if (!n && geteuid()) {
		log_error("%s: only root may ask a monitor, or see whether one runs", command);
		return EXIT_CANNOT;
	}
	if (!n) {
		log_error("%s: no running monitor found in %s; start one as root: cachewarden run",
			  command, run_dir_path());
		return EXIT_CANNOT;
	}
	if (n > 1) {
		log_error(
			"%s: %zu monitors are running; choose one with --pid, for example --pid %d",
			command, n, (int)pids[0]);
		return EXIT_USAGE;
	}
	*ret_pid = (uint32_t)pids[0];
	return CLI_PROCEED;
}

static int fail(const char *command, uint32_t pid, int err)
{
	if (err == -EBADMSG)
		log_error("%s: the answer of pid %u was cut off or is that of another version",
			  command, pid);
	else
		log_error("%s: no answer from pid %u: %s", command, pid,
			  err == -ENOENT ? "it is not a running monitor" : strerror(-err));
	return EXIT_CANNOT;
}

int ask_monitor(const char *command, uint32_t pid, const struct control_request *request,
		control_piece_fn fn, void *ctx)
{
	int code = pid ? CLI_PROCEED : ask_find_monitor(command, &pid), err;

	if (code != CLI_PROCEED)
		return code;
	err = control_query(NULL, (pid_t)pid, request, fn, ctx);
	return err ? fail(command, pid, err) : CLI_PROCEED;
}

int ask_monitor_json(const char *command, uint32_t pid, char request, uint64_t number, json_t **ret)
{
	int code = pid ? CLI_PROCEED : ask_find_monitor(command, &pid), err;

	if (code != CLI_PROCEED)
		return code;
	err = control_query_json(NULL, (pid_t)pid, request, number, ret);
	return err ? fail(command, pid, err) : CLI_PROCEED;
}
