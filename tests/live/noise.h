/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise.h - what the tests of noise ask of the monitor meanwhile.
 */
#ifndef LIVE_NOISE_H
#define LIVE_NOISE_H

#include "steps.h"

#define SHARES "600" /* a share, and what is counted together */

/* A server that starts now is watched, by number and by file. */
void server_watched(struct monitor *m);
/* Somebody else's attempt is reported with all its details, and in time. */
void attempt_reported(struct monitor *m, const struct server *s);
/* A finding that names the user for his noise, and an incident. */
void noise_told(struct monitor *m, const char *note, const char *comm);
void no_noise_told(struct monitor *m);
/* Starts a crowd of nobody's, which says what it did in the file *ret_out. */
pid_t crowd_start(const char *what, const char *number, const char **ret_out);
/* How many broke that rule, and in how many alerts. Of a crowd, the number of connections is told; each other alert is one. */
long connections(struct monitor *m, const struct server *s, const char *rule, size_t *alerts);
/* Waits until that many are counted. Returns in how many alerts. */
size_t all_counted(struct monitor *m, const struct server *s, const char *rule, long wanted);
/* A connection in plaintext by somebody else, in an alert of its own that names him. */
pid_t client_pings(int port);
/* Returns the server's name. */
const char *client_reported(struct monitor *m, const struct server *s, pid_t pid);

#endif
