/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * incident.h - what one lineage of processes does to one instance, as one story: opened by the first event, told
 * anew at most once a second, over when it was quiet for a while. Pure: time is passed in, nothing is read or
 * written. Every event is in the count of exactly one incident.
 */
#ifndef CACHEWARDEN_INCIDENT_H
#define CACHEWARDEN_INCIDENT_H

#include "model/rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INCIDENTS_MAX 10000
#define INCIDENT_ACTIONS 24 /* remembered of each; at least one of every rule has room */
#define INCIDENT_UPDATE_NS 1000000000ull
#define INCIDENT_ACTOR_LEN 192
#define INCIDENT_SUMMARY_LEN 112

/* Who belongs together. */
enum lineage_kind {
	LINEAGE_SESSION, /* all of one session, by its leader */
	LINEAGE_PROCESS, /* a process whose session is not known */
	LINEAGE_PEER,	 /* the other end of connections, of which no process is known */
	LINEAGE_NOBODY,	 /* a state that was found */
};

struct lineage {
	uint8_t kind;
	uint8_t peer[16]; /* LINEAGE_PEER */
	uint32_t pid;	  /* of the session's leader, or of the process */
	uint64_t
		start_ns; /* 0: not known; a pid that returns with another start is somebody else */
};

/* One kind of attempt by one process, as an incident remembers it. */
struct action {
	uint64_t id; /* of the alert that counts it */
	uint64_t first_ns, last_ns;
	uint64_t count;
	uint32_t pid;
	uint8_t rule;
	uint8_t stage;
	uint8_t severity;
	uint8_t verdict; /* enum verdict_id */
	bool reported;	 /* was in what was shown already */
	char summary[INCIDENT_SUMMARY_LEN];
};

/* What incidents are told: a deed (count: how many more), by whom, upon whom. */
struct incident_fact {
	uint32_t instance;
	uint32_t tenant; /* the actor's own instance, 0: none */
	struct lineage lineage;
	uint32_t pid; /* of the acting process, 0: none */
	uint64_t start_ns;
	const char *actor;
	struct action action;
};

enum incident_change { INCIDENT_OPENED, INCIDENT_UPDATED, INCIDENT_CLOSED };

/* Why it is over. */
enum incident_end { END_NOT, END_QUIET, END_ROOM, END_MONITOR };

/* Two rules that together say more than each, one after the other upon the same instance. */
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
	char actor[INCIDENT_ACTOR_LEN];
	uint64_t first_ns, last_ns; /* of its events */
	uint64_t active_ns;	    /* when it last heard of one */
	uint64_t shown_ns;
	uint64_t count; /* of all events */
	uint64_t rule_count[RULE_MAX];
	uint64_t stage_ns[STAGE_MAX]; /* when it was reached first, 0: not yet */
	enum stage stage;
	enum severity severity;
	uint32_t correlations;		   /* 1 << enum story */
	uint64_t related[CORRELATION_MAX]; /* the incident in which the story began */
	struct action *action;
	size_t actions, room;
	uint64_t left_out; /* events that are in no deed */
	bool changed;	   /* since it was shown */
	enum incident_end end;
	struct incident *next;		  /* hash chain */
	struct incident *older, *younger; /* by activity */
};

typedef void (*incident_fn)(void *ctx, const struct incident *in, enum incident_change change);

struct incidents {
	struct incident **buckets;
	struct incident *oldest, *youngest;
	size_t count;
	uint64_t next_id;
	uint64_t forced; /* closed to make room */
	uint64_t lost;	 /* events that are in none: memory ran out */
	incident_fn show;
	void *ctx;
};

/* show is called whenever an incident is to be shown. Returns 0 or -ENOMEM. */
int incidents_init(struct incidents *is, incident_fn show, void *ctx);
void incidents_free(struct incidents *is);

/* An event; what opens an incident is shown at once. Returns its incident, NULL if memory ran out. */
struct incident *incidents_feed(struct incidents *is, const struct incident_fact *fact,
				uint64_t now_ns);

/* Show what changed and was not shown within the last second, close what was quiet so long. */
void incidents_tick(struct incidents *is, uint64_t now_ns, uint64_t quiet_ns);

/* The monitor ends: all are closed. */
void incidents_end(struct incidents *is, uint64_t now_ns);

const char *correlation_name(enum correlation s);

#endif
