/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sensors.h - the BPF side as userspace sees it: loads, attaches, sweeps with, seals and frees the programs.
 *
 * A program that cannot be loaded or attached is reported, and disables its own part only. The processes sensor is
 * the exception: without it no instance is known, and loading fails.
 *
 * Functions stand in the order of a monitor's life. Unless said otherwise they return 0 or a negative errno.
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

/* --- loading: loader.c --- */

/* Maps of a monitor that the one which takes over from it needs: turn.c. */
enum turn_map {
	TURN_MAP_TURNS, /* these two are the next one's, too */
	TURN_MAP_SEEN,
	TURN_MAP_ATTEMPTS, /* these three are read for what was reported */
	TURN_MAP_REPORTED,
	TURN_MAP_PROCS,
	TURN_MAPS
};

/* The monitor that this one takes over from. */
struct predecessor {
	uint32_t turn; /* its place in the chain */
	int map[TURN_MAPS];
};

/*
 * quiet: where the kernel takes no programs at its functions, attach none to syscalls either. They would see more, at the
 * expense of every syscall of the host. before: NULL if there is none, else nothing is reported until
 * sensors_turn_begins(); -EINVAL if its maps are those of another version. On failure error (of size bytes) holds the
 * reason.
 */
int sensors_load(struct sensors **ret, bool quiet, const struct predecessor *before, char *error,
		 size_t size);

/* Attach the programs that follow processes. On failure error holds the reason. */
int sensors_attach_processes(struct sensors *s, char *error, size_t size);

/*
 * Attach all programs that are not attached yet, processes first so that no instance starts unobserved. cgroup_fd: root
 * of the cgroup2 hierarchy. On failure error holds the reason.
 */
int sensors_attach(struct sensors *s, int cgroup_fd, char *error, size_t size);

/* The programs that this kernel has a use for, with their state. Returns how many. */
size_t sensors_programs(const struct sensors *s, const struct sensor_program **ret);

/* Is the quiet tier in use? */
bool sensors_are_quiet(const struct sensors *s);

/* --- the initial sweep: maps.c, iterators.c, seal.c --- */

/*
 * Protect the calling process, and what it forks, as INSTANCE_SELF: access to it breaks self-tamper. Before
 * sensors_sweep().
 */
int sensors_register_self(struct sensors *s, const struct self_start *start);

/* Treat a process as a server, whatever it is called. Before sensors_sweep(). */
void sensors_add_candidate(struct sensors *s, pid_t pid);

/* Treat a process that executes the monitor's executable as another monitor. Before sensors_sweep_monitors(). */
void sensors_add_monitor(struct sensors *s, pid_t pid);

/* The same for the monitor that this one takes over from, its guard and its sinks, whatever they execute. */
void sensors_add_predecessor(struct sensors *s, pid_t pid);

/* Find the monitors that run already. Call once processes are followed and before anything is reported. */
int sensors_sweep_monitors(struct sensors *s);

/*
 * Treat executables with that file name as servers, also if a version follows the name (model/server_name.h). Before
 * sensors_seal(). Returns 0, -ENAMETOOLONG (of EXE_KEY_LEN bytes or more) or another negative errno.
 */
int sensors_add_exe_name(struct sensors *s, const char *name);

/* Is this a process of an instance, or of the monitor? */
bool sensors_has_member(struct sensors *s, pid_t pid);

/* Find running instances, then their children and threads, then their sockets. Before sensors_seal(). */
int sensors_sweep(struct sensors *s);

/*
 * Freeze the maps that userspace does not write, and register all BPF objects: access to them by another process is
 * tampering from now on. No candidates can be added any more.
 */
int sensors_seal(struct sensors *s);

/* --- the sweeps that follow: iterators.c --- */

/*
 * Find holders of instances' files and sockets, states of instances, and BPF programs of others. Findings arrive as
 * events. Returns the first error, after running all sweeps.
 */
int sensors_sweep_host(struct sensors *s);

/* Since sensors_sweep_host() a state was found that a hook may still report: a sweep half a second later decides. */
bool sensors_sweep_pending(const struct sensors *s);

/* Instances of whose start no event was sent, because their user had had his share: send it now. */
int sensors_tell_rest(struct sensors *s);

/*
 * Executable and shared mappings of the instance whose main process is pid. With baseline set they become what the
 * instance started with, and code among them is not a finding.
 */
int sensors_sweep_maps(struct sensors *s, pid_t pid, bool baseline);

/* Mark the sockets that a process inherited, for example from a supervisor. 0: of all processes. */
int sensors_mark_sockets(struct sensors *s, pid_t pid);

/*
 * Call fn for each protected connection of these processes, one of each instance. The snapshot is valid during the
 * call. Returns 0 or a negative errno.
 */
typedef void (*sensors_snapshot_fn)(void *ctx, const struct conn_snapshot *snapshot);
int sensors_snapshots(struct sensors *s, const pid_t *pids, size_t count, sensors_snapshot_fn fn,
		      void *ctx);

/* Could the mm flag be learned that marks a process with uprobes? If not, probes from before stay unseen. */
bool sensors_knows_uprobes(const struct sensors *s);

/* --- state shared with the programs: maps.c --- */

/* The instance has started up: code it maps from now on is a finding, for the hooks too. */
int sensors_set_baselined(struct sensors *s, uint32_t instance);

/* Give root its share of what all users share, and one to all for whom there is no room. Before sensors_attach(). */
int sensors_share_out(struct sensors *s);

/* Call fn for the share of each user. What was not used lately, and never exceeded, is removed. */
typedef void (*sensors_share_fn)(void *ctx, const struct share_key *key, const struct share *share);
void sensors_shares(const struct sensors *s, uint64_t now_ns, sensors_share_fn fn, void *ctx);

struct hoarder {
	uint32_t account;
	uint32_t entries; /* in the attempts table */
};

/* These users have too many entries in the attempts table, and no others. */
void sensors_set_hoarders(struct sensors *s, const struct hoarder *all, size_t count);

/* Is a process of the instance left? */
bool sensors_runs(const struct sensors *s, uint32_t instance);

/* Remove what is kept for an instance, unless a process of it is left. */
void sensors_forget(struct sensors *s, uint32_t instance);

/*
 * Learn a regular file that the instance opened before it was watched, by opening path (as the monitor sees it). It is
 * reported like a file that the instance opens itself (EVENT_FILE). -EOPNOTSUPP without the memory sensor.
 */
int sensors_file_learn(struct sensors *s, uint32_t instance, const char *path);

/* Say which instance a file belongs to, and its kind (enum file_kind, FILE_* or 0). */
int sensors_file_set(struct sensors *s, const struct file_key *key, uint32_t instance,
		     uint32_t kind);
void sensors_file_forget(struct sensors *s, const struct file_key *key);
/* The same, unless it belongs to another instance. */
void sensors_file_disown(struct sensors *s, const struct file_key *key, uint32_t instance);

/* A block device holds files of instances, or does not any more. dev: as the kernel has it. */
void sensors_disk_set(struct sensors *s, uint32_t dev);
void sensors_disk_forget(struct sensors *s, uint32_t dev);

/* Map descriptors for the collector; owned by s. sensors_handshakes_fd() is negative without the wire sensor. */
int sensors_events_fd(const struct sensors *s);
int sensors_attempts_fd(const struct sensors *s);
int sensors_handshakes_fd(const struct sensors *s);

/*
 * Call fn for each instance and rule (RULE_NONE: lifecycle events) with n attempts that are neither in an event nor
 * in a count.
 */
void sensors_lost(const struct sensors *s,
		  void (*fn)(void *ctx, const struct lost_key *key, uint64_t n), void *ctx);

/* A counter, summed over CPUs. */
uint64_t sensors_counter(const struct sensors *s, enum counter_id id);

/* --- prevention: prevent.c --- */

/*
 * Rules (1u << rule) that can be prevented on this kernel. Attaches the preventing programs, which have no effect
 * until sensors_prevent().
 */
uint32_t sensors_preventable(struct sensors *s);

/* How prevention works on this kernel, for operators. */
const char *sensors_prevention_text(const struct sensors *s);

/*
 * Prevent breaches of these rules on an instance. INSTANCE_HOST sets the default for instances without an entry of
 * their own. -EOPNOTSUPP if one of the rules cannot be prevented here.
 */
int sensors_prevent(struct sensors *s, uint32_t instance, uint32_t rules);

/* --- handover to the next monitor: turn.c --- */

/* This monitor's place in the chain of handovers; 0: it took over from none. */
uint32_t sensors_turn(const struct sensors *s);

/* Descriptors of what the next one needs; owned by s. */
void sensors_turn_maps(const struct sensors *s, int ret[TURN_MAPS]);

/* That child is to execute the next monitor: it may, and is protected like this one. 0: none is. */
void sensors_set_successor(struct sensors *s, pid_t pid);

/*
 * When the next monitor reports instead of this one (CLOCK_BOOTTIME; later than now by more than TURN_NEAR_NS, so that both
 * look at the same actions near it). 0: never, after all.
 */
void sensors_turn_ends(struct sensors *s, uint64_t at_ns);

/* When this one does: as the one before said, or if it cannot say so any more. */
void sensors_turn_begins(struct sensors *s, uint64_t at_ns);

/* Once it is known when this one begins: is that still in force? If not, nothing was reported; it is again from now on. */
bool sensors_turn_check(struct sensors *s);

/* What the one before has reported and still lasts is not reported again. Once it reports no more. */
int sensors_take_over(struct sensors *s, const int maps[TURN_MAPS]);

/* --- supervision and end: seal.c, loader.c --- */

/* Call lost once for each program that was attached and no longer is. */
void sensors_check(struct sensors *s, void (*lost)(void *ctx, const struct sensor_program *p),
		   void *ctx);

void sensors_free(struct sensors *s); /* detaches; NULL is fine */

#endif
