/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - both ends of a monitor's control socket, PID.sock in run_dir_path(), which only root can use: its directory, its mode and
 * the kernel's word on who connected each say so. A request is one letter, for some with a number and a name behind it; the reply is
 * text until the connection closes. The monitor answers at once. It waits for nobody who says nothing, and gives up on clients that do not read.
 */
#ifndef CACHEWARDEN_CONTROL_H
#define CACHEWARDEN_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Requests: the letter of a format (report/format.h) for the connections in that format, or one of these. */
#define CONTROL_STATUS 's' /* one JSON object, see status_request.h */
#define CONTROL_INCIDENTS                                                                          \
	'i'		   /* one JSON object, see recent_request.h, of those after that number */
#define CONTROL_EVENTS 'e' /* the same of events */
#define CONTROL_UPGRADE                                                                            \
	'u' /* one JSON object: the pid of the monitor that was started to take over, or why none was */

#define CONTROL_NAME 192 /* of a request, with its terminator: any instance's fits */

/* "s", "i42", "t1764527000000 redis-server:6379" */
struct control_request {
	char letter;
	uint64_t number;	 /* 0: none */
	char name[CONTROL_NAME]; /* empty: none */
};

#define CONTROL_SILENT_MAX                                                                         \
	16 /* clients that have said nothing yet; another one displaces the first */

/* The monitor's end. */
struct control {
	int fd;				/* listening; -1: not open */
	pid_t pid;			/* names the socket */
	bool stalled;			/* the current client does not read */
	uint64_t deadline_ns;		/* for the current reply, CLOCK_BOOTTIME */
	int silent[CONTROL_SILENT_MAX]; /* in the order in which they came */
	size_t silents;
};

/* Called for each request; replies with control_reply(). */
typedef void (*control_fn)(void *ctx, int fd, const struct control_request *request);

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

/* What to wait for: clients that connect or say something. Returns how many entries of fds it filled. */
#define CONTROL_POLL_MAX (1 + CONTROL_SILENT_MAX)
size_t control_poll(const struct control *c, struct pollfd fds[CONTROL_POLL_MAX]);

/* Serve those, a few at a time. */
void control_serve(struct control *c, control_fn fn, void *ctx);
void control_reply(struct control *c, int fd, const char *text, size_t len);

/* The client's end: running monitors, at most max of them. Returns their number. */
size_t control_monitors(pid_t *pids, size_t max);

/*
 * Send a request to the monitor whose directory that is (NULL: run_dir_path()). Returns a socket to read the reply from, or a negative
 * errno. flags: 0, or SOCK_NONBLOCK; then a monitor that has no room for another client is -EAGAIN.
 */
int control_ask(const char *dir, pid_t pid, const struct control_request *request, int flags);

/* The same, and give each piece of the reply to fn, which returns 0 or a negative errno. Returns 0 or the first error. */
typedef int (*control_piece_fn)(void *ctx, const char *bytes, size_t len);
int control_query(const char *dir, pid_t pid, const struct control_request *request,
		  control_piece_fn fn, void *ctx);

#endif
