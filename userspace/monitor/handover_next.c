// SPDX-License-Identifier: BSD-2-Clause
/* handover_next.c - the monitor that takes over; see handover.h. */
#include "monitor/handover.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "monitor/handover_link.h"
#include "monitor/state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 10000 /* to say when, once this one is ready */
#define DONE_MS                                                                                    \
	20000 /* to close its log and output from then on: longer than it waits for a slow reader or disk */
#define END_MS 5000 /* to end once it was killed */
#define HELLO_MS 5000

/* --- begin --- */

/* As handover_receive(), and waits. -ETIMEDOUT. */
static int await(int fd, int timeout_ms, struct handover_message *ret, int fds[HANDOVER_FDS],
		 size_t *ret_count)
{
	uint64_t until = clock_boot_ns() + (uint64_t)timeout_ms * NS_PER_MS, now;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int err;

	while ((err = handover_receive(fd, ret, fds, ret_count)) == -EAGAIN) {
		now = clock_boot_ns();
		if (now >= until)
			return -ETIMEDOUT;
		poll(&p, 1, (int)((until - now) / NS_PER_MS) + 1);
	}
	return err;
}

/* Made by a process of root's, which may be gone by now. Returns its pid, or -1. */
static pid_t check_socket(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.uid || peer.pid <= 1)
		return -1;
	len = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_SEQPACKET ||
			       fcntl(fd, F_SETFD, FD_CLOEXEC)
		       ? -1
		       : peer.pid;
}

static int hear_hello(struct handover *h)
{
	struct handover_message hello;
	int fds[HANDOVER_FDS];
	size_t count = 0;
	int err = await(h->fd, HELLO_MS, &hello, fds, &count);

	if (!err && (hello.word != HANDOVER_HELLO || hello.number[0] != HANDOVER_VERSION ||
		     count < TURN_MAPS))
		err = -EPROTO;
	if (err) {
		for (size_t i = 0; i < count; i++)
			close(fds[i]);
		return err;
	}
	h->before.turn = (uint32_t)hello.number[1];
	memcpy(h->before.map, fds, sizeof(h->before.map));
	h->listen_fd = count > TURN_MAPS ? fds[TURN_MAPS] : -1;
	return 0;
}

int handover_adopt(struct handover *h)
{
	const char *number = getenv(HANDOVER_ENV);
	char *end;
	int err;

	*h = (struct handover){.fd = -1, .pidfd = -1, .listen_fd = -1};
	if (!number)
		return 0;
	h->fd = (int)strtol(number, &end, 10);
	h->pid = end == number || *end ? -1 : check_socket(h->fd);
	if (h->pid < 0) {
		log_error(HANDOVER_ENV
			  " is set, but no monitor has started this process to take over from it; "
			  "use cachewarden upgrade");
		return -1;
	}
	unsetenv(HANDOVER_ENV);
	h->pidfd = pidfd_open(h->pid, 0); /* -1: it has ended, which is found out later */
	err = hear_hello(h);
	if (err) {
		log_error("cannot take over from pid %d: %s; restart it instead", (int)h->pid,
			  err == -EPROTO ? "it is of a version that cannot hand over to this one"
					 : strerror(-err));
		return -1;
	}
	h->takes_over = true;
	return 0;
}

struct family {
	struct sensors *sensors;
	pid_t before;
};

/* The guard and the sinks of the one before run its code. */
static void recognise(void *ctx, pid_t pid)
{
	const struct family *f = ctx;

	if (pid != getpid() && (pid == f->before || proc_parent(pid) == f->before))
		sensors_add_predecessor(f->sensors, pid);
}

void handover_recognise(const struct handover *h, struct sensors *s)
{
	struct family f = {s, h->pid};

	if (h->takes_over)
		proc_each(recognise, &f);
}

/* --- take over --- */

/* Until the one before is done. Returns 0, -EPIPE if it ended before, -ETIMEDOUT and others. */
static int converse(struct handover *h)
{
	struct handover_message m = {HANDOVER_READY, {HANDOVER_VERSION}};
	int err = handover_send(h->fd, &m, NULL, 0) ?: await(h->fd, ANSWER_MS, &m, NULL, NULL);

	if (err || m.word != HANDOVER_AT)
		return err ?: -EPROTO;
	h->at_ns = m.number[0];
	h->at_ms = (int64_t)m.number[1];
	err = await(h->fd, DONE_MS, &m, NULL, NULL);
	return err ?: m.word == HANDOVER_DONE ? 0 : -EPROTO;
}

/* It must not write the log or report any more. Its guard reports what is left in its ring buffer, and its death. */
static enum handover_end end_it(const struct handover *h)
{
	struct pollfd p = {.fd = h->pidfd, .events = POLLIN};

	if (h->pidfd < 0)
		return HANDOVER_STUCK;
	pidfd_send_signal(h->pidfd, SIGKILL, NULL, 0);
	return poll(&p, 1, END_MS) == 1 ? HANDOVER_HUNG : HANDOVER_STUCK;
}

enum handover_end handover_take(struct monitor *m)
{
	struct handover *h = &m->handover;
	enum handover_end end = HANDOVER_CLEAN;
	int err = converse(h);

	if (err)
		end = err == -EPIPE ? HANDOVER_DIED : end_it(h);
	if (!h->at_ns) { /* it never said when: now */
		h->at_ns = clock_boot_ns();
		h->at_ms = clock_epoch_ms(h->at_ns);
	}
	sensors_turn_begins(m->sensors, h->at_ns);
	err = sensors_take_over(m->sensors, h->before.map);
	if (err)
		log_warn(
			"cannot read what pid %d has reported (%s): what lasts of it is reported again",
			(int)h->pid, strerror(-err));
	for (size_t i = 0; i < TURN_MAPS; i++)
		close(h->before.map[i]);
	close(h->fd);
	if (h->pidfd >= 0)
		close(h->pidfd);
	h->fd = h->pidfd = -1;
	return end;
}
