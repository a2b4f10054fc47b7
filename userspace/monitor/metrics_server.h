/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics_server.h - serves a page of metrics over HTTP, in a thread of its own. The main loop hands it a new page every second and
 * waits for nobody; a page that has not been renewed for METRICS_STALE_NS is not served, so that a monitor that hangs is seen to.
 */
#ifndef CACHEWARDEN_METRICS_SERVER_H
#define CACHEWARDEN_METRICS_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_STALE_NS 5000000000ull
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Zero-initialise. */
struct metrics_server {
	char *address;		    /* NULL: none is wanted */
	int fd;			    /* listens already, -1: no */
	struct http_server *server; /* NULL: not yet, or it failed */
	int error;		    /* errno of the last attempt */
	uint64_t retry_ns;
	pthread_t thread;
	int stop_fd;
	pthread_mutex_t lock;
	char *page; /* the newest one */
	size_t len;
	uint64_t page_ns;
	char *served; /* the copy of it that the thread is sending */
};

/* Serve at that address from the next page on; NULL: on the socket fd, which listens already and is taken; -1: nowhere. */
void metrics_server_want(struct metrics_server *s, const char *address, int fd);

/* The socket that it was given, and still owns; -1: none. */
int metrics_server_given(const struct metrics_server *s);

/*
 * Listen, if it does not yet. Where that fails, it is logged once and tried again every few seconds. Returns whether it listens.
 */
bool metrics_server_ready(struct metrics_server *s);

/* A new page, from malloc(), which it takes. */
void metrics_server_page(struct metrics_server *s, char *page, size_t len);

void metrics_server_close(struct metrics_server *s);

#endif
