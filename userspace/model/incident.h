/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * incident.h - everything that one lineage of processes does to one instance, as one incident: opened by its first event,
 * updated at most once a second, closed after a quiet period. Every event is counted in exactly one incident. Pure: time
 * is passed in.
 */
#ifndef CACHEWARDEN_INCIDENT_H
#define CACHEWARDEN_INCIDENT_H

#include "base/hashtable.h"
#include "model/actor.h"
#include "model/rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define INCIDENTS_MAX 10000
#define INCIDENT_ACTIONS 24 /* kept per incident; at least one of every rule fits */
#define INCIDENT_UPDATE_NS 1000000000ull
#define INCIDENT_HEADLINE_LEN 512
#define INCIDENT_SUMMARY_LEN 192

/* What makes two events belong to the same actor. */
enum lineage_kind {
	LINEAGE_SESSION, /* the same session, by its leader */
	LINEAGE_PROCESS, /* the same process; its session is unknown */
	LINEAGE_PEER,	 /* the same remote address; no process is known */
	LINEAGE_NOBODY,	 /* a state that was found; its author is unknown */
};

struct lineage {
	uint8_t kind;	   /* enum lineage_kind */
	uint8_t peer[16];  /* LINEAGE_PEER */
	uint32_t pid;	   /* of the session leader or the process */
	uint64_t start_ns; /* tells a reused pid apart; 0: unknown, matches any */
};

/* One kind of attempt by one process. */
struct action {
	uint64_t id; /* of its alert */
	uint64_t first_ns, last_ns;
	uint64_t count;
	struct actor *actor; /* owned by the incident; NULL if nobody is known */
	uint8_t rule;
	uint8_t stage;
	uint8_t severity;
	uint8_t verdict; /* enum verdict_id */
	bool reported;	 /* a report of the incident included it */
	char summary[INCIDENT_SUMMARY_LEN];
};

/* An event as incidents see it. */
struct incident_fact {
	uint32_t instance;
	uint32_t tenant; /* the instance the actor belongs to, 0: none */
	struct lineage lineage;
	const struct actor *actor; /* NULL: nobody is known */
	const char *headline; /* the actor and its parents, as text; empty if nobody is known */
	/* count: attempts since the last fact with that id; actor is not used */
	struct action action;
};

enum incident_change { INCIDENT_OPENED, INCIDENT_UPDATED, INCIDENT_CLOSED };

/* Why an incident was closed. */
enum incident_end { END_NOT, END_QUIET, END_ROOM, END_MONITOR, END_HANDOVER };

/* Rules broken one after the other on the same instance, which together mean more than each alone. */
enum correlation {
	CORRELATION_READ_THEN_WRITER,
	CORRELATION_FD_THEN_WRITER,
	CORRELATION_KEY_THEN_WEAK,
	CORRELATION_MAX
};

struct incident {
	uint64_t id; /* 1, 2, 3, ... */
	uint32_t instance;
	uint32_t tenant;
	struct lineage lineage;
	char headline[INCIDENT_HEADLINE_LEN];	      /* of the actor of the worst action so far */
	struct actor *lead;			      /* that actor, NULL if nobody is known */
	uint8_t lead_rule, lead_severity, lead_stage; /* of that action, which names the incident */
	bool lead_reported;			      /* a report since lead_rule was set */
	uint64_t first_ns, last_ns;		      /* of its events */
	uint64_t active_ns;			      /* when its latest event arrived */
	uint64_t shown_ns;
	uint64_t count; /* of all events */
	uint64_t rule_count[RULE_MAX];
	uint64_t stage_ns[STAGE_MAX]; /* when each was first reached, 0: not yet */
	enum stage stage;
	enum severity severity;
	uint32_t correlations;		   /* 1 << enum correlation */
	uint64_t related[CORRELATION_MAX]; /* id of the incident that each correlation began in */
	struct action *action;
	size_t actions, room;
	uint64_t left_out; /* events that are in no action */
	bool changed;	   /* since it was shown */
	enum incident_end end;
	struct hash_link link;
	TAILQ_ENTRY(incident) by_activity;
};

typedef void (*incident_fn)(void *ctx, const struct incident *in, enum incident_change change);

TAILQ_HEAD(incident_list, incident);

struct incidents {
	struct hashtable by_lineage;
	struct incident_list by_activity; /* the longest inactive first */
	uint64_t next_id;
	uint64_t evicted; /* closed to make room */
	uint64_t lost;	  /* events in no incident: memory ran out */
	incident_fn show;
	void *ctx;
};

/* show is called whenever an incident is to be shown. Returns 0 or -ENOMEM. */
int incidents_init(struct incidents *is, incident_fn show, void *ctx);
void incidents_free(struct incidents *is);

/* Add an event. An incident it opens is shown at once. Returns its incident, NULL if memory ran out. */
struct incident *incidents_feed(struct incidents *is, const struct incident_fact *fact,
				uint64_t now_ns);

/* Show incidents that changed and were not shown within the last second; close those that were quiet for quiet_ns. */
void incidents_tick(struct incidents *is, uint64_t now_ns, uint64_t quiet_ns);

/* Close all: the monitor ends, for that reason. */
void incidents_end(struct incidents *is, enum incident_end why, uint64_t now_ns);

/* All rules that were broken, 1 << rule. */
uint32_t incident_rules(const struct incident *in);

const char *correlation_name(enum correlation c);

#endif
