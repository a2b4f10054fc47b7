/* SPDX-License-Identifier: BSD-2-Clause */
/* state.h - the running monitor's state, and what all parts of the monitor need of it. */
#ifndef CACHEWARDEN_STATE_H
#define CACHEWARDEN_STATE_H

#include "base/service.h"
#include "model/alert.h"
#include "model/conn.h"
#include "model/discovery.h"
#include "model/incident.h"
#include "model/instance.h"
#include "monitor/active_policy.h"
#include "monitor/asks.h"
#include "monitor/control.h"
#include "monitor/evidence.h"
#include "monitor/files.h"
#include "monitor/guard.h"
#include "monitor/handover_state.h"
#include "monitor/lag.h"
#include "monitor/lookalikes.h"
#include "monitor/metrics_server.h"
#include "monitor/options.h"
#include "monitor/recent.h"
#include "monitor/sharing.h"
#include "monitor/tally_state.h"
#include "monitor/witnessing.h"
#include "report/sinks.h"
#include "sensor/collector.h"
#include "sensor/sensors.h"

#define OUTPUT_DRAIN_MS 2000 /* at the end, for a slow reader */

/* Times are CLOCK_BOOTTIME. */
struct sweep_state {
	uint64_t next_ns; /* UINT64_MAX: none is due */
	uint64_t began_ns;
	uint64_t count, failed;
	uint64_t total_ns, longest_ns;
	uint64_t baselines_failed;
	uint64_t save_failed; /* of files_state.h */
	uint64_t unreported;  /* starts and ends, when such servers were last looked for */
	uint64_t unreported_failed;
	size_t next_instance; /* where the next one begins: the last one ended before all had a turn */
};

struct heartbeat_state {
	uint64_t count;
	uint64_t started_ns, next_ns; /* 0: none was sent */
	uint64_t worst_lag_ns;	      /* since the last one */
};

/* Who is to blame: a user, and a process of his if pid is set. */
struct culprit {
	uint32_t uid, pid;
	uint64_t start_ns;
	char comm[COMM_LEN];
};

struct sink_state {
	uint64_t reported, next_ns; /* messages dropped; when more are reported */
};

struct noise_user {
	uint32_t account; /* see bpf/lib/budget.bpf.h */
	uint32_t entries; /* of the attempts table, counted so far; 0: the place is free */
};

struct noise {
	struct noise_user user[HOARDERS_MAX];
	struct culprit loudest; /* who used most of his share lately */
	uint32_t most;		/* how much that was; 0: nobody did anything */
};

struct totals {
	enum severity worst;			/* of all incidents; 0: there was none */
	uint64_t attempts;			/* of all alerts but self-blind */
	uint64_t events[RULE_MAX][VERDICT_MAX]; /* the same, by rule and verdict */
	uint64_t resets, resets_failed;
	uint64_t marks_failed; /* sockets inherited by a server could not be searched for */
	uint64_t guards_lost, guards_stalled;
	uint64_t unwatched;			 /* times that nothing was monitored */
	uint64_t turns_changed, successors_lost; /* of handovers */
	uint64_t
		uncovered_ns; /* in which a program was not attached, or after a monitor was killed none ran */
	uint64_t covered_ns; /* until when that is known */
};

struct monitor {
	const struct monitor_options *options;
	/* how long the host was suspended in all, as of the loop's last check */
	uint64_t suspended_ns;
	uint64_t began_ns; /* when the monitor was started, CLOCK_BOOTTIME */
	uint64_t now;	   /* of the event or tick being handled, CLOCK_BOOTTIME */
	bool started;	   /* servers from before the monitor are known: log changes from now on */
	bool flushing;	   /* the last tick: report counts that would wait for their second */

	/* what is watched */
	struct sensors *sensors;
	struct collector *collector;
	int cgroup_fd; /* root of the cgroup2 hierarchy */
	struct instances instances;
	struct instance self; /* the monitor as a target */
	struct files *files;  /* of instances, on disk */
	struct asks asks;
	struct sharing sharing;
	struct lookalikes lookalikes;
	struct conns conns;
	struct sweep_state sweeps;
	struct discovery discovery; /* of servers by others than root */
	struct noise noise;
	struct crowds crowds; /* of connections whose handshakes break a rule */

	/* what happens to an event */
	uint64_t plaintext_due_ns; /* see plaintext.h */
	struct alerts alerts;
	struct active_policy policy;
	struct incidents incidents;
	struct evidence evidence;
	struct witnessing witnessing; /* of the log */
	struct tally tally;
	struct sinks sinks;
	struct sink_status output[SINKS_MAX]; /* as of the last delivery */
	struct sink_state sink[SINKS_MAX];
	char uid_prefix[24];		       /* of finding ids: unique to this run */
	struct attempt_key idle[ATTEMPTS_MAX]; /* to be removed from the kernel's table */
	size_t idle_count;
	struct totals totals;
	struct recent *recent;

	struct last_seen last; /* the event reported last */
	struct lag lag;
	struct heartbeat_state heartbeat;
	struct guard guard;
	struct control control;
	struct metrics_server metrics;
	struct service service;
	struct handover handover; /* to or from another monitor */
	uint64_t told_ns;	  /* when the service manager was told how the monitor is */
};

/* NULL if its start was never seen. */
const struct instance *monitor_instance(const struct monitor *m, uint32_t id);

/* Main processes of the servers that run, one of each; to be freed. NULL if memory ran out. */
pid_t *monitor_servers(const struct monitor *m, size_t *ret_count);

/* Events with that verdict, of all rules. */
uint64_t totals_of(const struct totals *t, enum verdict_id verdict);

/* Sweep soon: the access that a hook just reported may have left traces, or not have been the only one. */
void monitor_request_sweep(struct monitor *m);

#endif
