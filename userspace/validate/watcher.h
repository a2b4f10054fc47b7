/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watcher.h - a monitor that `validate` starts for a while: `cachewarden run` of the same executable, with the host's policy,
 * its events as JSON, and an evidence log in a directory that goes with it.
 */
#ifndef CACHEWARDEN_WATCHER_H
#define CACHEWARDEN_WATCHER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define WATCHER_DIR "/run/cachewarden-validate.XXXXXX"

struct watcher {
	pid_t pid;
	int lines; /* its standard output */
	char *line;
	size_t len;
	char dir[sizeof(WATCHER_DIR)]; /* of its own, for root alone */
	char evidence[sizeof(WATCHER_DIR) + 16];
	char errors[sizeof(WATCHER_DIR) + 16]; /* the file of its messages */
};

/*
 * Start it and wait until it watches. server: a process that is to be watched whatever it is called. Returns false with the reason
 * in why; end it in all cases.
 */
bool watcher_start(struct watcher *w, pid_t server, char *why, size_t size);

/*
 * The next line it prints, as an object to be freed; NULL if none comes until that CLOCK_BOOTTIME instant, or a signal comes, or it
 * has ended, which *ret_ended then says.
 */
json_t *watcher_next(struct watcher *w, uint64_t until_ns, bool *ret_ended);

/* Let it end properly. Returns false with the reason in why if it did not. Its log stays until watcher_free(). */
bool watcher_end(struct watcher *w, char *why, size_t size);

/* End it at once if it runs, and remove its directory. */
void watcher_free(struct watcher *w);

#endif
