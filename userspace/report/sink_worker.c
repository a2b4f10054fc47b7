// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_worker.c - see sink_worker.h. A message is taken from the socket only once it is delivered: should this process be
 * killed, the next one begins with the same message, so that it arrives twice rather than never.
 */
#include "report/sink_worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOCKET_FD 3
#define TICK_NS NS_PER_SEC
#define BACKOFF_MIN_NS (250 * NS_PER_MS)
#define BACKOFF_MAX_NS (30 * NS_PER_SEC)
#define LOG_AGAIN_NS (60 * NS_PER_SEC) /* between two lines about a destination that fails */
#define ORPHAN_NS (10 * NS_PER_SEC)    /* to deliver what is left when monitor and guard are gone */
#define TRIES_MAX 2

struct worker {
	struct sink_worker w;
	uint32_t generation;
	char *message;
	size_t room;
	uint64_t tick_ns, backoff_ns, retry_ns, logged_ns, orphan_ns;
	char logged[TRANSPORT_ERROR_LEN]; /* the error that was logged last */
	bool tick_failed;
};

/* --- the process --- */

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capset, &header, none))
		log_warn("a sink's process cannot drop its capabilities: %s", strerror(errno));
}

static void drop_rights(const struct sink_worker *w)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!geteuid() && !w->transport->keeps_user &&
	    (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	     setresuid(NOBODY, NOBODY, NOBODY)))
		log_warn("sink %s: its process cannot become nobody: %s", w->name, strerror(errno));
	drop_capabilities();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* others of that user have no access to its secrets */
}

/* Neither the monitor's signals nor its descriptors: readers of its standard output wait for the last writer. */
static void leave_monitor(const struct sink_worker *w)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "cw-sink");
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(w->fd, SOCKET_FD);
	close_range(SOCKET_FD + 1, ~0u, 0);
}

/* --- messages --- */

/* The length of the next message, which stays in the socket. 0: there will be none; -1: not now. */
static ssize_t peek(struct worker *k)
{
	ssize_t len = recv(SOCKET_FD, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	char *grown;

	if (len <= 0)
		return len;
	if ((size_t)len > k->room) {
		grown = realloc(k->message, (size_t)len + 1);
		if (!grown)
			return -1;
		k->message = grown;
		k->room = (size_t)len;
	}
	len = recv(SOCKET_FD, k->message, k->room, MSG_PEEK | MSG_DONTWAIT);
	if (len > 0)
		k->message[len] = '\0';
	return len;
}

static void count(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static void take(struct worker *k, uint64_t *counter)
{
	char byte;

	recv(SOCKET_FD, &byte, sizeof(byte), MSG_DONTWAIT);
	k->w.shared->tries = 0;
	count(counter);
}

static void note_failure(struct worker *k, uint64_t now, const char *error)
{
	uint64_t *since = &k->w.shared->failing_ns;

	if (!*since)
		__atomic_store_n(since, now, __ATOMIC_RELAXED);
	k->backoff_ns = k->backoff_ns ? 2 * k->backoff_ns : BACKOFF_MIN_NS;
	if (k->backoff_ns > BACKOFF_MAX_NS)
		k->backoff_ns = BACKOFF_MAX_NS;
	k->retry_ns = now + k->backoff_ns;
	if (!strcmp(error, k->logged) && now < k->logged_ns + LOG_AGAIN_NS)
		return;
	log_warn("sink %s: %s; trying again", k->w.name, error);
	memcpy(k->logged, error, sizeof(k->logged));
	k->logged_ns = now;
}

static void note_success(struct worker *k, uint64_t now)
{
	uint64_t *since = &k->w.shared->failing_ns;

	if (*since)
		log_info("sink %s: delivers again, after %llu s", k->w.name,
			 (now - *since) / NS_PER_SEC);
	__atomic_store_n(since, 0, __ATOMIC_RELAXED);
	k->backoff_ns = k->retry_ns = 0;
	k->logged[0] = '\0';
}

/* A monitor that was stopped may go on when its guard has already started another process. */
static bool replaced(const struct worker *k)
{
	return __atomic_load_n(&k->w.shared->generation, __ATOMIC_ACQUIRE) != k->generation;
}

static void deliver(struct worker *k, size_t len)
{
	char error[TRANSPORT_ERROR_LEN] = "";
	struct sink_shared *shared = k->w.shared;
	enum sent sent;

	if (shared->tries == TRIES_MAX) {
		log_error("sink %s: %d processes ended while they delivered a message; it is lost",
			  k->w.name, TRIES_MAX);
		take(k, &shared->refused);
		return;
	}
	shared->tries++;
	sent = k->w.transport->send(k->w.state, k->message, len, error);
	if (replaced(k))
		return;
	switch (sent) {
	case SENT:
		take(k, &shared->delivered);
		note_success(k, clock_mono_ns());
		break;
	case SENT_LATER:
		shared->tries = 0;
		note_failure(k, clock_mono_ns(), error);
		break;
	case SENT_REFUSED:
		log_error("sink %s: a message is lost: %s", k->w.name, error);
		take(k, &shared->refused);
		note_success(k, clock_mono_ns());
		break;
	}
}

/* --- the loop --- */

static void tick(struct worker *k, uint64_t now)
{
	char error[TRANSPORT_ERROR_LEN] = "";

	bool ok;

	k->tick_ns = now + TICK_NS;
	if (!k->w.transport->tick || now < k->retry_ns)
		return;
	ok = k->w.transport->tick(k->w.state, error);
	now = clock_mono_ns();
	if (!ok)
		note_failure(k, now, error);
	else if (k->tick_failed)
		note_success(k, now);
	k->tick_failed = !ok;
}

/* Whether nobody is left who could write a message, and there was time to deliver the last ones. */
static bool orphaned(struct worker *k, uint64_t now)
{
	struct pollfd p = {.fd = SOCKET_FD, .events = POLLRDHUP};

	if (poll(&p, 1, 0) <= 0 || !(p.revents & (POLLRDHUP | POLLHUP)))
		return false;
	k->orphan_ns = k->orphan_ns ?: now + ORPHAN_NS;
	return now >= k->orphan_ns;
}

static void wait_for_message(const struct worker *k, uint64_t now)
{
	uint64_t until = k->retry_ns && k->retry_ns < k->tick_ns ? k->retry_ns : k->tick_ns;
	struct pollfd p = {.fd = SOCKET_FD, .events = k->retry_ns ? 0 : POLLIN};

	if (k->retry_ns && k->orphan_ns) /* poll() would return at once */
		p.fd = -1;
	if (until > now)
		poll(&p, 1, (int)((until - now) / NS_PER_MS) + 1);
}

void sink_worker_run(const struct sink_worker *w)
{
	struct worker k = {.w = *w, .generation = w->shared->generation};
	uint64_t now;
	ssize_t len;

	leave_monitor(w);
	drop_rights(w);
	for (;;) {
		now = clock_mono_ns();
		count(&k.w.shared->beat);
		if (replaced(&k) || orphaned(&k, now))
			break;
		if (now >= k.tick_ns)
			tick(&k, now);
		if (now >= k.retry_ns) {
			len = peek(&k);
			if (!len)
				break;
			if (len > 0) {
				deliver(&k, (size_t)len);
				continue;
			}
		}
		wait_for_message(&k, now);
	}
	w->transport->free(w->state);
	_exit(0);
}
