// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_watch.c - cachewarden watch: a live view of a running monitor, in a terminal, over its control socket. It only asks: a monitor
 * that is watched does not know it.
 */
#include "cmd/ask_monitor.h"
#include "cmd/curses.h"
#include "cmd/verbs.h"
#include "cmd/watch_layout.h"
#include "cmd/watch_link.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONCE_COLUMNS 80 /* unless COLUMNS says otherwise, as other programs take it */
#define COLUMNS_MAX 1000

static volatile sig_atomic_t ended;

static void end(int sig)
{
	ended = 1;
}

/* --- one picture as text --- */

static int once_columns(void)
{
	const char *text = getenv("COLUMNS");
	int n = text ? atoi(text) : 0;

	return n >= WATCH_COLUMNS_MIN && n <= COLUMNS_MAX ? n : ONCE_COLUMNS;
}

static int print(struct watch *w)
{
	struct picture f;
	int last = 0, len;
	const char *text;

	if (!picture_init(&f, watch_layout_rows(w), once_columns())) {
		log_error("watch: out of memory");
		return EXIT_CANNOT;
	}
	watch_layout(w, clock_epoch_ms(clock_boot_ns()), true, &f);
	for (int row = 0; row < f.rows; row++) {
		if (picture_text(&f, row, &text))
			last = row;
	}
	for (int row = 0; row <= last; row++) {
		len = picture_text(&f, row, &text);
		printf("%.*s\n", len, text);
	}
	picture_free(&f);
	return fflush(stdout) || ferror(stdout) ? EXIT_CANNOT : EXIT_FINE;
}

static int once(struct watch *w, uint32_t pid)
{
	json_t *status = NULL, *incidents = NULL;
	int code = pid ? CLI_PROCEED : ask_find_monitor("watch", &pid);

	if (code == CLI_PROCEED)
		code = ask_monitor_json("watch", pid, CONTROL_STATUS, 0, &status);
	if (code == CLI_PROCEED)
		code = ask_monitor_json("watch", pid, CONTROL_INCIDENTS, 0, &incidents);
	if (code == CLI_PROCEED) {
		watch_status(w, status, clock_boot_ns());
		watch_incidents(w, incidents);
		code = print(w);
	} else {
		json_decref(status);
	}
	json_decref(incidents);
	return code;
}

/* --- the live view --- */

static void draw(struct watch *w)
{
	struct picture f;
	int rows, columns;

	curses_size(&rows, &columns);
	if (!picture_init(&f, rows, columns))
		return; /* the picture before stays */
	watch_layout(w, clock_epoch_ms(clock_boot_ns()), false, &f);
	curses_draw(&f);
	picture_free(&f);
}

/* Signals are let in only here, so that none is lost between a look at `ended` and the wait. */
static int wait_for(const struct watch_link *l, const sigset_t *mask)
{
	uint64_t now = clock_boot_ns(), due = watch_link_due(l);
	uint64_t left = due > now ? due - now : 0;
	struct timespec timeout = {(time_t)(left / NS_PER_SEC), (long)(left % NS_PER_SEC)};
	struct pollfd fds[] = {{.fd = 0, .events = POLLIN}, {.fd = l->fd, .events = POLLIN}};
	int n = ppoll(fds, 2, &timeout, mask);

	return n > 0 && fds[0].revents & (POLLHUP | POLLERR) ? -1 : 0; /* the terminal is gone */
}

static void read_keys(struct watch *w)
{
	enum watch_key key;

	while ((key = curses_key()) != KEY_OF_NONE)
		watch_key(w, key);
}

static void block_signals(sigset_t *ret_before)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
	const struct sigaction on_end = {.sa_handler = end};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaddset(&set, signals[i]);
		if (signals[i] != SIGWINCH) /* ncurses has a handler for that */
			sigaction(signals[i], &on_end, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, ret_before);
}

static int live(struct watch *w, uint32_t pid)
{
	struct watch_link link = WATCH_LINK(pid);
	const char *why;
	sigset_t before;

	if (!curses_open(&why)) {
		log_error("watch: %s", why);
		return EXIT_CANNOT;
	}
	block_signals(&before);
	draw(w);
	while (!ended && !w->quit) {
		watch_link_step(&link, w, clock_boot_ns());
		draw(w);
		if (wait_for(&link, &before))
			break;
		read_keys(w);
	}
	watch_link_close(&link);
	curses_close();
	return EXIT_FINE;
}

int cmd_watch(int argc, char **argv)
{
	struct filter f = FILTER_ANY;
	bool is_once = false;
	uint32_t pid = 0;
	struct watch w;
	const struct cli_arg args[] = {
		{"--once", NULL, "Print one picture as text, with all servers and incidents.",
		 CLI_FLAG, &is_once},
		FILTER_INSTANCE(f),
		FILTER_WHAT(f),
		FILTER_SINCE(f, "Only incidents that went on then or later"),
		ASK_PID(pid),
	};
	int code = cli_parse(
		&(struct cli_command){
			"watch",
			"Shows in a terminal what the running monitor watches and reports, as it does: servers, their\n"
			"connections by TLS version, rates, losses, incidents. It finds the next monitor if that one ends.\n"
			"q quits, ? explains the rest. The options choose among servers and incidents.",
			args, ARRAY_SIZE(args)},
		argc, argv);

	if (code == CLI_PROCEED)
		code = filter_check("watch", &f);
	if (code != CLI_PROCEED)
		return code;
	if (!watch_init(&w, &f)) {
		log_error("watch: out of memory");
		return EXIT_CANNOT;
	}
	code = is_once ? once(&w, pid) : live(&w, pid);
	watch_free(&w);
	return code;
}
