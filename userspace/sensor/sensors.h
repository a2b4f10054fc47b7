/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sensors.h - the kernel side: loads the BPF programs, attaches them, and knows which of them hold.
 *
 * A program that cannot be loaded or attached blinds its own part only, and is reported; the
 * processes sensor alone is indispensable, because without it nobody knows what to protect.
 */
#ifndef CACHEWARDEN_SENSORS_H
#define CACHEWARDEN_SENSORS_H

#include "conn_snapshot.h"
#include "map.h"
#include "sensor/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sensors;

/*
 * Load everything that loads. Returns 0, or a negative errno with a reason in error when nothing
 * can work.
 */
int sensors_load(struct sensors **ret, char *error, size_t size);

/* Attach all; processes first, so that nothing starts unseen meanwhile. Returns as sensors_load. */
int sensors_attach(struct sensors *s, int cgroup_fd, char *error, size_t size);

/*
 * What was there before: instances, then their children and threads, then their sockets. Returns 0
 * or a negative errno.
 */
int sensors_sweep(struct sensors *s);

/*
 * What is now: who holds what is an instance's, what state instances are in, programs of others. What was
 * found comes as events. Returns 0 or the first error; the rest is looked at all the same.
 */
int sensors_sweep_host(struct sensors *s);

/*
 * What the instance of that process has mapped. With baseline set it is what the instance started with, and
 * code is no finding.
 */
int sensors_sweep_maps(struct sensors *s, pid_t pid, bool baseline);

/* The instance's start is over: code it maps from now on is a finding, for the hooks too. */
int sensors_baselined(struct sensors *s, uint32_t instance);

/*
 * A regular file the instance has opened before: enter it by opening it, path as the monitor sees it. It is told
 * like one that the instance opens now (EVENT_FILE). Returns 0, -EOPNOTSUPP without the memory sensor, or why
 * it cannot be opened.
 */
int sensors_file_learn(struct sensors *s, uint32_t instance, const char *path);

/* Whose a file is and what it is: enum file_kind, FILE_* or 0. Returns 0 or a negative errno. */
int sensors_file_set(struct sensors *s, const struct file_key *key, uint32_t instance,
		     uint32_t kind);
void sensors_file_forget(struct sensors *s, const struct file_key *key);

/* Could this kernel's mark of a process with breakpoints be learned? */
bool sensors_knows_uprobes(const struct sensors *s);

/* Enter a process that calls itself a server; before sensors_sweep. */
void sensors_candidate(struct sensors *s, pid_t pid);

/* Mark the sockets a process was born with (handed down by a supervisor). 0: of all processes. */
int sensors_mark_sockets(struct sensors *s, pid_t pid);

/*
 * The calling process and what it forks are protected from now on, as INSTANCE_SELF: what others do to it
 * breaks self-tamper. Before sensors_sweep.
 */
int sensors_enrol_self(struct sensors *s);

/* All is set up: whoever touches our maps, programs and links now is a stranger; no more candidates. */
int sensors_seal(struct sensors *s);

/* Calls lost for each program that held and does not any more. */
void sensors_check(struct sensors *s, void (*lost)(void *ctx, const struct sensor_program *p),
		   void *ctx);

/*
 * Rules (1u << rule) whose breach can be prevented on this kernel. Whoever asks wants to: what prevents is
 * attached, and does nothing as long as no instance is guarded.
 */
uint32_t sensors_preventable(struct sensors *s);
const char *sensors_preventing(const struct sensors *s); /* how */

/*
 * Prevent these rules' breach upon an instance; INSTANCE_HOST stands for all that have no entry of their own.
 * Returns 0, -EOPNOTSUPP if one of them cannot be prevented here, or another negative errno.
 */
int sensors_prevent(struct sensors *s, uint32_t instance, uint32_t rules);

void sensors_free(struct sensors *s); /* detaches; NULL is fine */

size_t sensors_programs(const struct sensors *s, const struct sensor_program **ret);

/* Descriptors of the shared maps, for the collector. */
int sensors_events_fd(const struct sensors *s);
int sensors_attempts_fd(const struct sensors *s);
/* Of the ring of clear handshakes; negative where the wire sensor was refused. */
int sensors_handshakes_fd(const struct sensors *s);

/* Call fn for each protected connection as it stands. Returns 0 or a negative errno. */
int sensors_snapshots(struct sensors *s, void (*fn)(void *ctx, const struct conn_snapshot *live),
		      void *ctx);

/*
 * Call fn for each instance and rule (RULE_NONE: a lifecycle event) of which n attempts are in no event
 * and in no count.
 */
void sensors_lost(const struct sensors *s,
		  void (*fn)(void *ctx, const struct lost_key *key, uint64_t n), void *ctx);

/* Sum over CPUs of a counter. */
uint64_t sensors_counter(const struct sensors *s, enum counter_id id);

/* Names of executables that are servers, NULL-ended. */
extern const char *const sensor_exe_names[];

/*
 * Does this kernel let a program sit where every ptrace check passes? name is "fmod_ret", "lsm" or
 * "fexit"; returns 0 if it loads and attaches, else a negative errno.
 */
int sensor_probe_access_hook(const char *name);

#endif
