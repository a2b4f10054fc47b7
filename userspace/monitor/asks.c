// SPDX-License-Identifier: BSD-2-Clause
/* asks.c - see asks.h. */
#include "monitor/asks.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define LATE_NS                                                                                    \
	((ASK_SECONDS + 2) * NS_PER_SEC) /* a child that was stopped does not end by itself */
#define LINGER_NS (2 * NS_PER_SEC)	 /* segments of a closed connection */

/* --- one session --- */

void ask_forget(struct ask *a)
{
	if (a->answer)
		munmap(a->answer, sizeof(*a->answer));
	a->answer = NULL;
}

int ask_begin(struct ask *a, const struct ask_question *q, uint64_t now_ns)
{
	ask_forget(a);
	a->answer = mmap(NULL, sizeof(*a->answer), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (a->answer == MAP_FAILED) {
		a->answer = NULL;
		return -ENOMEM;
	}
	a->began_ns = now_ns;
	a->pid = fork();
	if (!a->pid)
		ask_session(q, a->answer);
	if (a->pid < 0)
		return -errno;
	a->pidfd = pidfd_open(a->pid, 0);
	if (a->pidfd >= 0)
		return 0;
	kill(a->pid, SIGKILL);
	return -errno;
}

bool ask_is_over(const struct ask *a, uint64_t now_ns)
{
	struct pollfd p = {.fd = a->pidfd, .events = POLLIN};

	return poll(&p, 1, 0) > 0 || now_ns > a->began_ns + LATE_NS;
}

void ask_end(struct ask *a)
{
	if (a->pidfd < 0)
		return;
	pidfd_send_signal(a->pidfd, SIGKILL, NULL, 0);
	close(a->pidfd);
	waitpid(a->pid, NULL, WNOHANG);
	a->pidfd = -1;
	a->ended_ns = clock_boot_ns();
}

bool ask_is_settled(const struct ask *a, uint64_t now_ns)
{
	return a->pidfd < 0 && now_ns > a->ended_ns + LINGER_NS;
}

/* --- all --- */

void asks_free(struct asks *a)
{
	for (size_t i = 0; i < a->count; i++) {
		ask_end(&a->all[i]);
		ask_forget(&a->all[i]);
	}
	free(a->all);
	*a = (struct asks){};
}

void asks_restart(struct asks *a)
{
	for (size_t i = 0; i < a->count; i++) {
		a->all[i].due_ns = 0;
		a->all[i].retry_ns = ASK_RETRY_NS;
	}
}

static bool same_client(const struct conn_ends *a, const struct conn_ends *b)
{
	return a->remote_port == b->remote_port &&
	       !memcmp(a->remote_ip, b->remote_ip, sizeof(a->remote_ip));
}

bool asks_own(const struct asks *a, uint32_t instance, const struct conn_ends *ends,
	      uint64_t time_ns)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct ask *k = &a->all[i];
		uint32_t n;

		if (k->instance != instance || !k->answer || time_ns < k->began_ns ||
		    ask_is_settled(k, time_ns))
			continue;
		n = __atomic_load_n(&k->answer->connections, __ATOMIC_ACQUIRE);
		for (uint32_t c = 0; c < n && c < ASK_CONNECTIONS; c++) {
			if (same_client(&k->answer->ends[c], ends))
				return true;
		}
	}
	return false;
}

struct ask *asks_find(const struct asks *a, uint32_t instance)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->all[i].instance == instance)
			return &a->all[i];
	}
	return NULL;
}

void asks_add(struct asks *a, uint32_t instance)
{
	if (a->count == a->room) {
		size_t room = a->room ? a->room * 2 : 8;
		struct ask *all = realloc(a->all, room * sizeof(*all));

		if (!all)
			return; /* tried again in a second */
		a->all = all;
		a->room = room;
	}
	a->all[a->count++] =
		(struct ask){.instance = instance, .retry_ns = ASK_RETRY_NS, .pidfd = -1};
}

void asks_trim(struct asks *a, bool (*keep)(void *ctx, uint32_t instance), void *ctx)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (keep(ctx, a->all[i].instance)) {
			a->all[kept++] = a->all[i];
		} else {
			ask_end(&a->all[i]);
			ask_forget(&a->all[i]);
		}
	}
	a->count = kept;
}
