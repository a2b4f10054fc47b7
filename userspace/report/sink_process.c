// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_process.c - see sink_process.h. Both ends of the socket stay open here: what is in it survives the process that
 * was to read it. A packet is written as a whole or not at all, so the guard, which inherits the socket, can go on where
 * a killed monitor stopped.
 */
#include "report/sink_process.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "report/sink_worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_BYTES                                                                               \
	(2 << 20) /* holds the longest incident; the kernel counts more than its bytes */
#define CHECK_NS NS_PER_SEC
#define STARTS_NS (5 * NS_PER_SEC) /* between two processes of a sink */
#define FAREWELL_MS 200
#define DRAIN_STEP_NS (5 * NS_PER_MS)

static const struct transport *const transports[] = {
	[SINK_FILE] = &transport_file,
	[SINK_JOURNALD] = &transport_journald,
	[SINK_SYSLOG] = &transport_syslog,
	[SINK_WEBHOOK] = &transport_webhook,
	[SINK_ALERTMANAGER] = &transport_alertmanager,
	[SINK_OTLP] = &transport_otlp,
};
_Static_assert(ARRAY_SIZE(transports) == SINK_KIND_MAX, "every kind has a transport");
_Static_assert(SINK_WHY_LEN >= TRANSPORT_ERROR_LEN, "a transport's reason fits");

struct message {
	STAILQ_ENTRY(message) next;
	size_t len;
	char text[];
};

STAILQ_HEAD(queue, message);

struct process {
	const char *name;
	const struct transport *transport;
	void *state;
	int fd, worker_fd; /* the socket's two ends */
	pid_t pid;
	int pidfd; /* others reap the process, too: its pid may be another's by then */
	struct sink_shared *shared;
	struct queue queue;
	size_t bytes;
	uint64_t waiting; /* messages in the queue */
	uint64_t dropped, restarts;
	uint64_t check_ns, start_ns;
	uint64_t beat, beat_ns;	  /* of the worker, and when it changed */
	uint64_t finished_before; /* delivered or refused, as of the last flush */
	bool taken_over;	  /* this is the guard */
};

/* --- the process --- */

static bool runs(const struct process *p)
{
	struct pollfd f = {.fd = p->pidfd, .events = POLLIN};

	return p->pidfd >= 0 && !poll(&f, 1, 0);
}

/* Whoever waits for the disk for ever cannot be waited for: the monitor reaps all its children once a second. */
static void end(struct process *p)
{
	if (p->pidfd < 0)
		return;
	pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
	waitid(P_PIDFD, (id_t)p->pidfd, NULL, WEXITED | WNOHANG);
	close(p->pidfd);
	p->pidfd = -1;
	p->pid = 0;
}

/* Returns 0 or a negative errno. */
static int start(struct process *p)
{
	const struct sink_worker w = {p->name, p->transport, p->state, p->worker_fd, p->shared};

	p->start_ns = p->beat_ns = clock_mono_ns();
	__atomic_add_fetch(&p->shared->generation, 1, __ATOMIC_RELEASE);
	p->pid = fork();
	if (!p->pid)
		sink_worker_run(&w);
	if (p->pid < 0) {
		p->pid = 0;
		return -errno;
	}
	p->pidfd = pidfd_open(p->pid, 0);
	return p->pidfd < 0 ? -errno : 0;
}

static uint64_t beat_of(const struct process *p)
{
	return __atomic_load_n(&p->shared->beat, __ATOMIC_RELAXED);
}

/* By what it ended is not known if it was reaped elsewhere. */
static void log_exit(const struct process *p)
{
	siginfo_t info = {};
	bool killed = !waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) &&
		      info.si_pid && info.si_code != CLD_EXITED;

	log_warn("sink %s: its process ended%s%s; starting another one", p->name,
		 killed ? ", by SIG" : "", killed ? sigabbrev_np(info.si_status) : "");
}

static void replace(struct process *p)
{
	int err;

	end(p);
	p->restarts++;
	err = start(p);
	if (err)
		log_error("sink %s: cannot start its process: %s", p->name, strerror(-err));
}

/* Once a second: replace a process that has ended or that does nothing. */
static void check(struct process *p)
{
	uint64_t now = clock_mono_ns(), beat = beat_of(p);

	if (now < p->check_ns)
		return;
	p->check_ns = now + CHECK_NS;
	if (beat != p->beat) {
		p->beat = beat;
		p->beat_ns = now;
	}
	if (runs(p)) {
		if (now < p->beat_ns + SINK_STALL_S * NS_PER_SEC)
			return;
		log_warn("sink %s: its process has made no progress for %d s; starting another one",
			 p->name, SINK_STALL_S);
		p->shared->tries = 0; /* not the message's fault */
	} else if (now < p->start_ns + STARTS_NS) {
		return;
	} else if (p->pidfd >= 0) {
		log_exit(p);
	}
	replace(p);
}

static uint64_t finished(const struct process *p)
{
	return __atomic_load_n(&p->shared->delivered, __ATOMIC_RELAXED) +
	       __atomic_load_n(&p->shared->refused, __ATOMIC_RELAXED);
}

static uint64_t lag(const struct process *p)
{
	uint64_t done = finished(p),
		 accepted = __atomic_load_n(&p->shared->accepted, __ATOMIC_RELAXED);

	return p->waiting + (accepted > done ? accepted - done : 0);
}

/* --- life cycle --- */

static void release(struct process *p)
{
	struct message *m;

	while ((m = STAILQ_FIRST(&p->queue))) {
		STAILQ_REMOVE_HEAD(&p->queue, next);
		free(m);
	}
	if (p->fd >= 0)
		close(p->fd);
	if (p->worker_fd >= 0)
		close(p->worker_fd);
	if (p->shared)
		munmap(p->shared, sizeof(*p->shared));
	if (p->state)
		p->transport->free(p->state);
	free(p);
}

/* Returns 0 or a negative errno. */
static int open_channel(struct process *p)
{
	int fd[2], size = SOCKET_BYTES;

	p->shared = mmap(NULL, sizeof(*p->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->shared == MAP_FAILED) {
		p->shared = NULL;
		return -ENOMEM;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd))
		return -errno;
	p->fd = fd[0];
	p->worker_fd = fd[1];
	if (setsockopt(p->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

static int process_open(struct sink *s)
{
	struct process *p = calloc(1, sizeof(*p));
	struct policy_target target;
	int err;

	if (!p)
		return -ENOMEM;
	*p = (struct process){.name = s->name, .fd = -1, .worker_fd = -1, .pidfd = -1};
	STAILQ_INIT(&p->queue);
	if (!policy_target_parse(s->row.config->to, &target)) {
		release(p);
		return -EINVAL;
	}
	p->transport = transports[target.kind];
	if (!p->transport->open(s->row.config, &target, &p->state, s->why)) {
		release(p);
		return -EINVAL;
	}
	err = open_channel(p) ?: start(p);
	if (err)
		release(p);
	else
		s->data = p;
	return err;
}

/* One that has nothing left to do may take its leave of the other host. */
static void process_close(struct sink *s)
{
	struct process *p = s->data;
	struct pollfd f = {.fd = p->pidfd, .events = POLLIN};

	shutdown(p->fd, SHUT_WR);
	if (p->pidfd >= 0 && !lag(p))
		poll(&f, 1, FAREWELL_MS);
	end(p);
	release(s->data);
	s->data = NULL;
}

/* --- messages --- */

/*
 * Returns 0, -EAGAIN if there is no room, or another negative errno. It is counted before: a freeze takes hold at the end of a
 * system call, and the guard must not take one message less for none.
 */
static int give(struct process *p, const char *text, size_t len)
{
	__atomic_add_fetch(&p->shared->accepted, 1, __ATOMIC_RELAXED);
	if (send(p->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	__atomic_sub_fetch(&p->shared->accepted, 1, __ATOMIC_RELAXED);
	return errno == EINTR || errno == ENOBUFS ? -EAGAIN : -errno;
}

static void pump(struct process *p)
{
	struct message *m;
	int err;

	while ((m = STAILQ_FIRST(&p->queue))) {
		err = give(p, m->text, m->len);
		if (err == -EAGAIN)
			return;
		p->dropped += err != 0;
		STAILQ_REMOVE_HEAD(&p->queue, next);
		p->bytes -= sizeof(*m) + m->len;
		p->waiting--;
		free(m);
	}
}

static void process_write(struct sink *s, const struct sink_message *message)
{
	struct process *p = s->data;
	size_t size = sizeof(struct message) + message->len;
	struct message *m;
	int err = -EAGAIN;

	pump(p);
	if (!p->waiting)
		err = give(p, message->text, message->len);
	if (!err)
		return;
	m = err == -EAGAIN && p->bytes + size <= SINK_QUEUE_MAX ? malloc(size) : NULL;
	if (!m) {
		p->dropped++;
		return;
	}
	m->len = message->len;
	memcpy(m->text, message->text, message->len);
	STAILQ_INSERT_TAIL(&p->queue, m, next);
	p->bytes += size;
	p->waiting++;
}

static bool drain(struct process *p, int timeout_ms)
{
	uint64_t end_ns = clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	const struct timespec step = {.tv_nsec = DRAIN_STEP_NS};

	while (lag(p) && clock_mono_ns() < end_ns) {
		nanosleep(&step, NULL);
		pump(p);
	}
	return !lag(p);
}

/* What stopped the monitor, such as a frozen cgroup, may have stopped its children, too. */
static bool drain_as_guard(struct process *p, int timeout_ms)
{
	uint64_t beat = beat_of(p);

	if (drain(p, timeout_ms / 2))
		return true;
	if (beat_of(p) == beat) {
		p->shared->tries = 0; /* not the message's fault */
		replace(p);
	}
	return drain(p, timeout_ms / 2);
}

static bool process_flush(struct sink *s, int timeout_ms)
{
	struct process *p = s->data;
	uint64_t done = finished(p);
	bool progress = done != p->finished_before;

	if (!p->taken_over) /* the guard knows of the process that there was when it began */
		check(p);
	pump(p);
	p->finished_before = done;
	if (timeout_ms)
		return p->taken_over ? drain_as_guard(p, timeout_ms) : drain(p, timeout_ms);
	return !p->waiting || !progress;
}

static void process_status(const struct sink *s, struct sink_status *ret)
{
	const struct process *p = s->data;
	uint64_t failing = __atomic_load_n(&p->shared->failing_ns, __ATOMIC_RELAXED);

	*ret = (struct sink_status){
		.unwritten = p->waiting,
		.lag = lag(p),
		.delivered = __atomic_load_n(&p->shared->delivered, __ATOMIC_RELAXED),
		.dropped = p->dropped + __atomic_load_n(&p->shared->refused, __ATOMIC_RELAXED),
		.restarts = p->restarts,
		.failing_s = failing ? (clock_mono_ns() - failing) / NS_PER_SEC + 1 : 0,
		.pid = p->pid,
	};
}

/* The guard's copy of the queue is the monitor's to write, or lost with it and told by its length. */
static void process_take_over(struct sink *s, const struct sink_status *left)
{
	struct process *p = s->data;
	struct message *m;

	while ((m = STAILQ_FIRST(&p->queue))) {
		STAILQ_REMOVE_HEAD(&p->queue, next);
		free(m);
	}
	p->bytes = 0;
	p->waiting = 0;
	p->dropped = 0;
	p->taken_over = true;
}

const struct sink_ops sink_process = {
	.open = process_open,
	.close = process_close,
	.write = process_write,
	.flush = process_flush,
	.status = process_status,
	.take_over = process_take_over,
};
