// SPDX-License-Identifier: BSD-2-Clause
/* watch_link.c - see watch_link.h. */
#include "cmd/watch_link.h"

#include "base/clock.h"
#include "monitor/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVERY_NS NS_PER_SEC
#define LIMIT_NS (3 * NS_PER_SEC) /* for a whole answer */
#define PIECE ((size_t)65536)
#define ANSWER_MAX (16u << 20) /* 256 incidents take 256 KiB, 1,000 servers a megabyte */
#define MONITORS_MAX 16

static void end_answer(struct watch_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->text);
	l->fd = -1;
	l->text = NULL;
	l->len = l->size = 0;
}

void watch_link_close(struct watch_link *l)
{
	end_answer(l);
}

static bool give_up(struct watch_link *l, struct watch *w, const char *why)
{
	end_answer(l);
	watch_silent(w, why, clock_epoch_ms(clock_boot_ns()));
	return true;
}

/* The monitor that was asked for, or the only one; while two hand over, the one that was asked before. NULL, or why there is none. */
static const char *choose(struct watch_link *l)
{
	pid_t pids[MONITORS_MAX];
	size_t n;

	if (l->asked_for) {
		l->pid = l->asked_for;
		return NULL;
	}
	n = control_monitors(pids, MONITORS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (pids[i] == l->pid)
			return NULL;
	}
	l->pid = n == 1 ? pids[0] : 0;
	return n == 1 ? NULL
	       : n    ? "several monitors are running: choose one with --pid"
		      : "no monitor is running, or this user may not ask it";
}

static bool ask(struct watch_link *l, struct watch *w, char letter, uint64_t number)
{
	const struct control_request request = {.letter = letter, .number = number};
	int fd = control_ask(NULL, l->pid, &request, SOCK_NONBLOCK);

	if (fd < 0)
		return give_up(l, w,
			       fd == -EAGAIN			      ? "it takes no more clients"
			       : fd == -ENOENT || fd == -ECONNREFUSED ? "the monitor is gone"
								      : strerror(-fd));
	l->fd = fd;
	l->letter = letter;
	return false;
}

static bool begin(struct watch_link *l, struct watch *w, uint64_t now_ns)
{
	const char *why = choose(l);

	l->next_ns = now_ns + EVERY_NS;
	l->limit_ns = now_ns + LIMIT_NS;
	return why ? give_up(l, w, why) : ask(l, w, CONTROL_STATUS, 0);
}

static bool grow(struct watch_link *l)
{
	char *more;

	if (l->size - l->len >= PIECE)
		return true;
	more = l->size < ANSWER_MAX ? realloc(l->text, l->size + 4 * PIECE) : NULL;
	if (!more)
		return false;
	l->text = more;
	l->size += 4 * PIECE;
	return true;
}

/* All of the answer is there. */
static bool take(struct watch_link *l, struct watch *w, uint64_t now_ns)
{
	json_t *answer = json_loadb(l->text ?: "", l->len, 0, NULL);
	bool status = l->letter == CONTROL_STATUS;

	end_answer(l);
	if (!json_is_object(answer) ||
	    (status && !json_is_boolean(json_object_get(answer, "well")))) {
		json_decref(answer);
		return give_up(l, w, "its answer was cut off, or is that of another version");
	}
	if (status) {
		watch_status(w, answer, now_ns);
		ask(l, w, CONTROL_INCIDENTS, w->seq);
		return true;
	}
	watch_incidents(w, answer);
	json_decref(answer);
	return true;
}

static bool read_answer(struct watch_link *l, struct watch *w, uint64_t now_ns)
{
	for (;;) {
		ssize_t n;

		if (!grow(l))
			return give_up(l, w, "its answer is too long");
		n = recv(l->fd, l->text + l->len, l->size - l->len, 0);
		if (n > 0)
			l->len += (size_t)n;
		else if (!n || errno == ECONNRESET)
			return take(l, w, now_ns);
		else if (errno == EAGAIN)
			return now_ns >= l->limit_ns &&
			       give_up(l, w, "the monitor does not answer");
		else if (errno != EINTR)
			return give_up(l, w, strerror(errno));
	}
}

bool watch_link_step(struct watch_link *l, struct watch *w, uint64_t now_ns)
{
	bool changed = false;

	if (l->fd < 0 && now_ns >= l->next_ns)
		changed = begin(l, w, now_ns);
	if (l->fd >= 0)
		changed = read_answer(l, w, now_ns) || changed;
	return changed;
}

uint64_t watch_link_due(const struct watch_link *l)
{
	return l->fd >= 0 ? l->limit_ns : l->next_ns;
}
