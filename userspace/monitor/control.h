/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - questions to a running monitor, over a socket in CONTROL_DIR that only root can reach: one letter in,
 * lines out. The monitor answers once a second, and waits for no reader for long.
 */
#ifndef CACHEWARDEN_CONTROL_H
#define CACHEWARDEN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROL_DIR "/run/cachewarden"
#define CONTROL_CONNS_TEXT 't'
#define CONTROL_CONNS_JSON 'j'

struct ask {
	int fd; /* -1: not open */
	pid_t pid;
	bool gave_up; /* the one who asks does not read */
	uint64_t until;
};

/* Serve as CONTROL_DIR/PID.sock. Returns 0 or a negative errno. */
int control_open(struct ask *a);
void control_close(struct ask *a);
/* Answer all who ask now: fn is called for each, and says lines with control_reply. */
void control_serve(struct ask *a, void (*fn)(void *ctx, int fd, char question), void *ctx);
void control_reply(struct ask *a, int fd, const char *line, size_t len);

/* The other side: pid of the running monitors, at most max of them. */
size_t control_monitors(pid_t *pids, size_t max);
/* Ask one; its answer goes to the descriptor out. Returns 0 or a negative errno. */
int control_request_send(pid_t pid, char question, int out);

#endif
