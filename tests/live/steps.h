/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps.h - steps that several suites take with servers and other processes.
 */
#ifndef LIVE_STEPS_H
#define LIVE_STEPS_H

#include "harness.h"

/*
 * Configuration of a server that speaks all that the host's OpenSSL supports; SECLEVEL 0 also admits the
 * certificate.
 */
#define EVERYTHING                                                                                 \
	"tls-protocols \"TLSv1 TLSv1.1 TLSv1.2 TLSv1.3\"\n"                                        \
	"tls-ciphers ALL:COMPLEMENTOFALL:@SECLEVEL=0\n"

/* For child_opts.setup. */
void own_session(void);
void become_nobody(void);

/* A process that is not an instance and does nothing. Ends with its scope. */
pid_t idle_start(void);
/* strace of that thread of the server, once it traces. */
pid_t strace_start(const struct server *s, pid_t tid);
/* redis-benchmark over TLS with these further arguments. */
pid_t benchmark_argv(const struct server *s, const char *const *more);
#define benchmark_start(s, ...) benchmark_argv(s, (const char *const[]){__VA_ARGS__, NULL})
/* Waits until the replica is in sync with its master. */
void replica_ready(const struct server *replica);
/* Writes a new policy file. Returns its path. */
const char *policy_file(const char *policy);
struct monitor *monitor_with_policy(const char *policy);
/* The server's descriptor for the connection of that client. */
int client_fd(struct client *c);
/* Lets the count of opens without a completion arrive, so that it does not fall into the next test. */
void uring_opens_counted(struct monitor *m);

#endif
