/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - both ends of a monitor's control socket, PID.sock in run_dir_path(), which only root can reach. A request is
 * one byte, the reply is text until the connection closes. The monitor answers at once and gives up on clients that do
 * not read.
 */
#ifndef CACHEWARDEN_CONTROL_H
#define CACHEWARDEN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* The monitor's end. */
struct control {
	int fd;		      /* listening; -1: not open */
	pid_t pid;	      /* names the socket */
	bool stalled;	      /* the current client does not read */
	uint64_t deadline_ns; /* for the current reply, CLOCK_BOOTTIME */
};

/* Called for each request; replies with control_reply(). */
typedef void (*control_fn)(void *ctx, int fd, char request);

/* A monitor and its guard were killed together, so that neither could report it. alive: when it last was, epoch seconds. */
typedef void (*control_killed_fn)(void *ctx, pid_t pid, time_t alive);

/*
 * Create the socket. First remove those of monitors that were killed, and call killed for each. Returns 0 or a negative
 * errno, -EPERM as run_dir_open().
 */
int control_open(struct control *c, control_killed_fn killed, void *ctx);
void control_close(struct control *c);

/* Once a second: update the time of the socket, from which a later monitor learns when this one was last alive. */
void control_alive(const struct control *c);

/* Remove the socket of a monitor whose death is reported. */
void control_forget(pid_t pid);

/* Serve the clients that are waiting, a few of them at a time. */
void control_serve(struct control *c, control_fn fn, void *ctx);
void control_reply(struct control *c, int fd, const char *text, size_t len);

/* The client's end: running monitors, at most max of them. Returns their number. */
size_t control_monitors(pid_t *pids, size_t max);

/* Send a request and copy the reply to the descriptor out. Returns 0 or a negative errno. */
int control_query(pid_t pid, char request, int out);

#endif
