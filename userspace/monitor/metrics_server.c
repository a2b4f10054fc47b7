// SPDX-License-Identifier: BSD-2-Clause
/* metrics_server.c - see metrics_server.h. The lock protects the page. */
#include "monitor/metrics_server.h"

#include "base/clock.h"
#include "base/http_server.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RETRY_NS (5 * NS_PER_SEC)

/* --- in the thread --- */

/* Copy the page, so that the next one need not wait until this one is sent. Returns its length, 0: there is none that is fresh. */
static size_t take_page(struct metrics_server *s)
{
	size_t len = 0;

	pthread_mutex_lock(&s->lock);
	if (s->page && clock_boot_ns() < s->page_ns + METRICS_STALE_NS && s->len <= HTTP_PAGE_MAX) {
		memcpy(s->served, s->page, s->len);
		len = s->len;
	}
	pthread_mutex_unlock(&s->lock);
	return len;
}

static void answer(void *ctx, const struct http_request *r, const char *body,
		   struct http_reply *ret)
{
	struct metrics_server *s = ctx;
	size_t len;

	if (strcmp(r->target, "/metrics")) {
		http_reply_text(ret, 404, "only /metrics is here\n");
		return;
	}
	if (strcmp(r->method, "GET")) {
		http_reply_text(ret, 405, "only GET is answered\n");
		return;
	}
	len = take_page(s);
	if (!len) {
		http_reply_text(ret, 503, "the monitor makes no progress\n");
		return;
	}
	ret->status = 200;
	ret->type = METRICS_TYPE;
	ret->page = s->served;
	ret->len = len;
}

static void *run(void *ctx)
{
	struct metrics_server *s = ctx;

	http_server_run(s->server, s->stop_fd);
	return NULL;
}

/* --- for the main loop --- */

/* Signals are the main thread's. */
static int start_thread(struct metrics_server *s)
{
	sigset_t all, was;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	err = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return -err;
}

/* A copy: the server closes what it listens on, and may be started again. */
static int adopt(struct metrics_server *s)
{
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 3), err;

	if (fd < 0)
		return -errno;
	err = http_server_adopt(&s->server, fd, answer, s);
	if (err)
		close(fd);
	return err;
}

static int start(struct metrics_server *s)
{
	int err;

	if (!s->served)
		return -ENOMEM;
	if (s->fd >= 0)
		err = adopt(s);
	else
		err = http_server_open(&s->server, s->address, answer, s);
	if (err)
		return err;
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	err = s->stop_fd < 0 ? -errno : start_thread(s);
	if (!err)
		return 0;
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	http_server_close(s->server);
	s->server = NULL;
	return err;
}

void metrics_server_want(struct metrics_server *s, const char *address, int fd)
{
	if (!address && fd < 0)
		return;
	if (address && fd >= 0) {
		log_warn("metrics are served at %s, not at the socket of the service manager",
			 address);
		close(fd);
	}
	s->address = strdup(address ?: "the socket of the service manager");
	s->fd = address ? -1 : fd;
	s->served = malloc(HTTP_PAGE_MAX);
	pthread_mutex_init(&s->lock, NULL);
}

int metrics_server_given(const struct metrics_server *s)
{
	return s->address ? s->fd : -1;
}

bool metrics_server_ready(struct metrics_server *s)
{
	uint64_t now = clock_boot_ns();
	int before = s->error;

	if (!s->address || s->server)
		return s->server;
	if (now < s->retry_ns)
		return false;
	s->error = -start(s);
	s->retry_ns = now + RETRY_NS;
	if (!s->error)
		log_info("metrics are served at %s", s->address);
	else if (s->error != before)
		log_error(
			"metrics cannot be served at %s: %s; monitoring continues, it is tried again",
			s->address, strerror(s->error));
	return !s->error;
}

void metrics_server_page(struct metrics_server *s, char *page, size_t len)
{
	char *old;

	pthread_mutex_lock(&s->lock);
	old = s->page;
	s->page = page;
	s->len = len;
	s->page_ns = clock_boot_ns();
	pthread_mutex_unlock(&s->lock);
	free(old);
}

void metrics_server_close(struct metrics_server *s)
{
	uint64_t one = 1;

	if (!s->address)
		return;
	if (s->server) {
		if (write(s->stop_fd, &one, sizeof(one)) == sizeof(one))
			pthread_join(s->thread, NULL);
		http_server_close(s->server);
		close(s->stop_fd);
	}
	if (s->fd >= 0)
		close(s->fd);
	pthread_mutex_destroy(&s->lock);
	free(s->address);
	free(s->page);
	free(s->served);
	*s = (struct metrics_server){};
}
