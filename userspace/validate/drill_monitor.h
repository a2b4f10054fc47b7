/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drill_monitor.h - the monitor that must report the drills: the one that runs on this host, asked over its control socket, or one of
 * validate's own where none runs or none can be asked. Which one it is goes into the report.
 */
#ifndef CACHEWARDEN_DRILL_MONITOR_H
#define CACHEWARDEN_DRILL_MONITOR_H

#include "validate/facts.h"
#include "validate/watcher.h"

#define DRILL_WORD 32

struct drill_monitor {
	pid_t pid;
	bool is_own;
	struct watcher own;
	uint64_t seq;	/* of the last event that was taken */
	json_t *answer; /* events that were not taken yet, from index at on */
	size_t at;
};

/* An event as the monitor reported it. */
struct drill_event {
	char rule[DRILL_WORD], verdict[DRILL_WORD], outcome[DRILL_WORD];
	char policy[FACTS_NAME]; /* the entry that decided; empty: none did */
	int64_t instance_pid, actor_pid, remote_port;
};

/*
 * Find the one that watches that server, the first of several. said is for the report. Returns false with the reason in why if it cannot be
 * found out what a monitor here reports; close it in all cases.
 */
bool drill_monitor_open(struct drill_monitor *m, pid_t server, char said[FACTS_WHY],
			char why[FACTS_WHY]);
void drill_monitor_close(struct drill_monitor *m);

/*
 * The next event. Returns false if none comes until that CLOCK_BOOTTIME instant, or with the reason in why if none can come any more,
 * or some were missed.
 */
bool drill_monitor_next(struct drill_monitor *m, uint64_t until_ns, struct drill_event *ret,
			char why[FACTS_WHY]);

/* What one object of the monitor's answer says. Pure. */
void drill_event_read(struct drill_event *ret, json_t *event);

#endif
