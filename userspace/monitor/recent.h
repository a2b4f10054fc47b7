/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recent.h - what the monitor reported last, for `cachewarden incidents` and for the drills of `validate`. Bounded: the oldest make
 * room, and are counted. It lasts as long as the monitor; what must last longer is evidence.
 */
#ifndef CACHEWARDEN_RECENT_H
#define CACHEWARDEN_RECENT_H

#include "model/incident.h"
#include "report/finding.h"
#include "report/incident_view.h"

#define RECENT_EVENTS 512
#define RECENT_INCIDENTS 256
#define RECENT_TEXT 256
#define RECENT_OUTCOME 16 /* the longest is "succeeded" */

struct recent_target {
	uint32_t pid; /* 0: this host, or a start that was never seen */
	char name[INSTANCE_NAME];
};

/* A report of an event: its first, or that it was seen more often. With any verdict, off included. */
struct recent_event {
	uint64_t seq, incident; /* incident 0: none */
	uint64_t count;
	int64_t time_ms; /* of the first attempt */
	uint8_t rule, severity, verdict;
	uint16_t remote_port; /* 0: about no connection */
	uint32_t pid, uid;    /* of the actor; pid 0: unknown */
	char comm[COMM_LEN];
	struct recent_target target;
	char outcome[RECENT_OUTCOME];
	char what[RECENT_TEXT];
	char policy[RECENT_TEXT]; /* file and line of the entry that decided; empty: none did */
};

/* An incident as it was last reported. */
struct recent_incident {
	uint64_t seq, id;
	uint64_t count, first_ns, last_ns; /* CLOCK_BOOTTIME */
	uint32_t rules;			   /* 1 << rule */
	uint8_t severity, stage, lead_rule, lead_stage;
	bool closed;
	uint32_t pid, uid; /* of the actor of its worst action; pid 0: unknown */
	bool uid_known;
	char comm[COMM_LEN], exe[PATH_LEN];
	struct recent_target target;
};

/* Each report has a sequence number, 1, 2, 3, ..., of its own kind. */
struct recent {
	uint64_t events, incidents; /* numbers given so far */
	uint64_t incidents_gone;    /* that made room for others */
	struct recent_event event[RECENT_EVENTS];
	struct recent_incident incident[RECENT_INCIDENTS];
};

void recent_add_event(struct recent *r, const struct finding *f);
void recent_add_incident(struct recent *r, const struct incident_view *v);

/*
 * The next one with a higher number than that, the lowest first; NULL if there is none. Events of which none is left are
 * missing between the number that was given and the one that is returned; incidents that were reported again have moved.
 */
const struct recent_event *recent_event_after(const struct recent *r, uint64_t seq);
const struct recent_incident *recent_incident_after(const struct recent *r, uint64_t seq);

/* How many events with a higher number than that have made room for others. */
uint64_t recent_events_gone(const struct recent *r, uint64_t seq);

#endif
