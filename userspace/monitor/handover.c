// SPDX-License-Identifier: BSD-2-Clause
/* handover.c - see handover.h. First both ends' packets, then the monitor that runs; the next one is handover_next.c. */
#include "monitor/handover.h"

#include "base/clock.h"
#include "base/log.h"
#include "monitor/handover_link.h"
#include "monitor/report.h"
#include "monitor/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_NS (60 * NS_PER_SEC) /* as TimeoutStartSec= of the unit */
#define LEAD_NS (2 * TURN_NEAR_NS) /* until the next one begins, once it is ready */
#define TAIL_NS (TURN_NEAR_NS / 2) /* what began before that has been reported by then */
#define ARGS_ROOM (128 << 10)
#define ARGS_MAX 256

/* --- packets --- */

int handover_send(int fd, const struct handover_message *m, const int *fds, size_t count)
{
	char text[HANDOVER_MESSAGE_LEN], room[CMSG_SPACE(HANDOVER_FDS * sizeof(int))] = "";
	struct iovec part = {text, handover_put(m, text)};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};

	if (count) {
		struct cmsghdr *c = (struct cmsghdr *)room;

		msg.msg_control = room;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* What comes with it beyond the room is closed by the kernel. */
static size_t take_fds(struct msghdr *msg, int fds[HANDOVER_FDS])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return n;
}

int handover_receive(int fd, struct handover_message *ret, int fds[HANDOVER_FDS], size_t *ret_count)
{
	char text[HANDOVER_MESSAGE_LEN], room[CMSG_SPACE(HANDOVER_FDS * sizeof(int))];
	struct iovec part = {text, sizeof(text)};
	struct msghdr msg = {.msg_iov = &part,
			     .msg_iovlen = 1,
			     .msg_control = room,
			     .msg_controllen = sizeof(room)};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int none[HANDOVER_FDS];
	size_t count;

	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (!n)
		return -EPIPE;
	count = take_fds(&msg, fds ?: none);
	for (size_t i = 0; !fds && i < count; i++)
		close(none[i]);
	if (ret_count)
		*ret_count = count;
	return handover_parse(text, (size_t)n, ret) ? 0 : -EBADMSG;
}

/* --- starting the next one --- */

/* The arguments of this process, in room. */
static int read_args(char *room, size_t size, char *argv[ARGS_MAX])
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC), n = 0;
	ssize_t len = fd >= 0 ? read(fd, room, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	if (len <= 0 || (size_t)len == size - 1)
		return -E2BIG;
	room[len] = '\0';
	for (char *at = room; at < room + len && n < ARGS_MAX - 1; at += strlen(at) + 1)
		argv[n++] = at;
	argv[n] = NULL;
	return n < ARGS_MAX - 1 ? 0 : -E2BIG;
}

/* Whoever can write the file would be taken for the monitor. */
static int check_exe(const char *path, char *error, size_t size)
{
	struct stat st;

	if (stat(path, &st)) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return -ENOENT;
	}
	if (st.st_uid || st.st_mode & (S_IWGRP | S_IWOTH) || !S_ISREG(st.st_mode)) {
		snprintf(error, size,
			 "%s must be a file that belongs to root and that nobody else may write",
			 path);
		return -EPERM;
	}
	return 0;
}

/* In the child. The monitor knows it by its pid, so that it may execute another file. */
__attribute__((noreturn)) static void execute(struct monitor *m, int fd, char **argv)
{
	char number[16];

	sensors_set_successor(m->sensors, getpid());
	snprintf(number, sizeof(number), "%d", fd);
	setenv(HANDOVER_ENV, number, 1);
	service_pass(&m->service);
	fcntl(fd, F_SETFD, 0);
	execv(m->self.exe, argv);
	_exit(127);
}

static int say_hello(struct monitor *m, int fd)
{
	struct handover_message hello = {HANDOVER_HELLO,
					 {HANDOVER_VERSION, sensors_turn(m->sensors)}};
	int fds[HANDOVER_FDS], listen_fd = metrics_server_given(&m->metrics);

	sensors_turn_maps(m->sensors, fds);
	fds[TURN_MAPS] = listen_fd;
	return handover_send(fd, &hello, fds, TURN_MAPS + (listen_fd >= 0));
}

/* Returns 0 or a negative errno. */
static int start(struct monitor *m, int fd, char **argv)
{
	struct handover *h = &m->handover;
	int err;

	h->pid = fork();
	if (!h->pid)
		execute(m, fd, argv);
	if (h->pid < 0)
		return -errno;
	h->pidfd =
		pidfd_open(h->pid, 0); /* its pid may be another's by the time that it is ended */
	if (h->pidfd >= 0)
		return 0;
	err = -errno;
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	return err;
}

pid_t handover_start(struct monitor *m, char *error, size_t size)
{
	static char room[ARGS_ROOM], *argv[ARGS_MAX];
	struct handover *h = &m->handover;
	int pair[2], err;

	if (h->state != HANDOVER_NONE) {
		snprintf(error, size, "pid %d is taking over already", (int)h->pid);
		return -EBUSY;
	}
	err = check_exe(m->self.exe, error, size);
	if (err)
		return err;
	err = read_args(room, sizeof(room), argv);
	if (!err && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		err = -errno;
	if (err) {
		snprintf(error, size, "cannot start another monitor: %s", strerror(-err));
		return err;
	}
	err = say_hello(m, pair[0]) ?: start(m, pair[1], argv);
	close(pair[1]);
	if (err) {
		close(pair[0]);
		snprintf(error, size, "cannot start another monitor: %s", strerror(-err));
		return err;
	}
	h->state = HANDOVER_STARTING;
	h->fd = pair[0];
	h->deadline_ns = clock_boot_ns() + START_NS;
	log_info("pid %d, %s, was started to take over", (int)h->pid, m->self.exe);
	return h->pid;
}

/* --- until it reports --- */

/* It is not to take over, after all. What it would have reported from then on, this one does. */
static void give_up(struct monitor *m, const char *why)
{
	struct handover *h = &m->handover;

	sensors_turn_ends(m->sensors, 0);
	sensors_set_successor(m->sensors, 0);
	pidfd_send_signal(h->pidfd, SIGKILL, NULL, 0);
	close(h->pidfd);
	close(h->fd);
	log_error("pid %d does not take over: %s; this monitor goes on", (int)h->pid, why);
	if (h->state == HANDOVER_LEAVING && clock_boot_ns() >= h->at_ns)
		report_blind_spot(m,
				  "a monitor that had taken over ended: what it had seen is lost",
				  ++m->totals.successors_lost);
	h->fd = h->pidfd = -1;
	h->state = HANDOVER_NONE;
}

static void on_ready(struct monitor *m, uint64_t version, uint64_t now_ns)
{
	struct handover *h = &m->handover;
	struct handover_message at = {.word = HANDOVER_AT};

	if (version != HANDOVER_VERSION) {
		give_up(m, "it is of a version that cannot");
		return;
	}
	sensors_set_successor(m->sensors, 0);
	h->at_ns = now_ns + LEAD_NS;
	h->at_ms = clock_epoch_ms(h->at_ns);
	at.number[0] = h->at_ns;
	at.number[1] = (uint64_t)h->at_ms;
	sensors_turn_ends(m->sensors, h->at_ns);
	if (handover_send(h->fd, &at, NULL, 0))
		give_up(m, "it does not listen");
	else
		h->state = HANDOVER_LEAVING;
}

void handover_tick(struct monitor *m, uint64_t now_ns)
{
	struct handover *h = &m->handover;
	struct handover_message said = {};
	int err;

	if (h->state == HANDOVER_NONE)
		return;
	err = handover_receive(h->fd, &said, NULL, NULL);
	if (err == -EPIPE)
		give_up(m, "it ended; its own messages say why");
	else if (err && err != -EAGAIN)
		give_up(m, "it cannot be understood");
	else if (!err && said.word == HANDOVER_READY && h->state == HANDOVER_STARTING)
		on_ready(m, said.number[0], now_ns);
	else if (h->state == HANDOVER_STARTING && now_ns > h->deadline_ns)
		give_up(m, "it was not ready within a minute");
}

size_t handover_poll(const struct handover *h, struct pollfd *fd)
{
	if (h->state == HANDOVER_NONE)
		return 0;
	*fd = (struct pollfd){.fd = h->fd, .events = POLLIN};
	return 1;
}

uint64_t handover_due(const struct handover *h)
{
	if (h->state == HANDOVER_STARTING)
		return h->deadline_ns;
	return h->state == HANDOVER_LEAVING ? h->at_ns + TAIL_NS : UINT64_MAX;
}

bool handover_over(const struct handover *h, uint64_t now_ns)
{
	return h->state == HANDOVER_LEAVING && now_ns >= h->at_ns + TAIL_NS;
}

int handover_done(struct monitor *m)
{
	struct handover_message done = {.word = HANDOVER_DONE};

	return handover_send(m->handover.fd, &done, NULL, 0);
}

void handover_cancel(struct monitor *m)
{
	if (m->handover.state != HANDOVER_NONE)
		give_up(m, "both are to end");
}
