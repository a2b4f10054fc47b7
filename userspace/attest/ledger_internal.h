/* SPDX-License-Identifier: BSD-2-Clause */
/* ledger_internal.h - what the files of the ledger share. */
#ifndef CACHEWARDEN_LEDGER_INTERNAL_H
#define CACHEWARDEN_LEDGER_INTERNAL_H

#include "attest/ledger.h"

#define LEDGER_SENSORS_MAX 16 /* there are six */
#define SENSOR_NAME_LEN 32
#define LEDGER_KEYS_MAX 256 /* of one object; rules, suites, notes are far fewer */

/* Why nobody watched. */
enum gap_reason {
	GAP_NONE, /* somebody did */
	GAP_BEFORE,
	GAP_STARTING,
	GAP_STOPPED,
	GAP_KILLED,
	GAP_SILENT,
	GAP_AWAY,
	GAP_SENSORS,
	GAP_AFTER,
	GAP_MAX
};

struct gap {
	int64_t from, to;
	enum gap_reason why;
};

/* A server while one monitor knew it. */
struct life {
	uint64_t run; /* number of the monitor's run in this log */
	int64_t id, pid;
	char *name, *uid, *sha256, *exe;
	bool alive;
	bool handed; /* it ran when another monitor took over */
	int64_t ended;
	int64_t watched0; /* watched_ms of the ledger when it began */
	int64_t watched_ms;
	json_t *counts; /* NULL: none */
};

struct sensor {
	char name[SENSOR_NAME_LEN], tier[SENSOR_NAME_LEN];
	int64_t programs, attached; /* now; 0: not of this run */
	int64_t fewest;		    /* attached in this period; -1: not in it */
};

struct ledger {
	int64_t from, to;
	bool named;
	int64_t first, last; /* times of entries */
	int64_t solid;	     /* since then all was watched until the last one */
	int64_t epoch_ms;    /* of a delegation that came last; 0: it did not */
	enum gap_reason why; /* nobody watches now */
	int64_t handed_ms;   /* when the next monitor is to report instead; 0: none is */
	int64_t joined_ms;   /* watched_ms when one did */
	int64_t watched_ms, unwatched_ms, set_back_ms;
	int64_t day_ms[LEDGER_DAYS];
	struct gap gap[LEDGER_GAPS_MAX];
	size_t gaps, gaps_left_out;
	uint64_t runs, started; /* in the log; in this period */
	json_t *now;		/* what is known of the running monitor, and its policy */
	json_t *host;		/* of all in this period */
	json_t *policies;
	struct sensor sensor[LEDGER_SENSORS_MAX];
	size_t sensors;
	int64_t attached;
	json_t *unseen; /* what goes unseen: since when */
	json_t *counts; /* of the host */
	int64_t counted_from, counted_to, counted_ms, every_ms;
	int64_t log_lost;
	int64_t told;		/* tallies of servers since the last one of the host */
	int64_t tallies_missed; /* of servers, that the host's says there were */
	bool bytes_unknown;	/* a server's tally has none */
	struct life *life;
	size_t lives, lives_room, lives_left_out;
	json_t *incidents;
	bool incidents_left_out;
};

void ledger_gap(struct ledger *l, int64_t from, int64_t to, enum gap_reason why);

/* Add the integers of one object to those of another, at any depth; of texts the last one stays. */
void ledger_add(json_t *sum, json_t *more);

/* --- ledger_state.c --- */

/* The server of a record, as that says it is; NULL: there is no room. */
struct life *ledger_note_life(struct ledger *l, json_t *record);
void ledger_end_life(struct ledger *l, struct life *in);
void ledger_free_life(struct life *in);

/* An entry of kind "instance". */
void ledger_on_instance(struct ledger *l, json_t *record);

/* Drop the servers that ended; what was counted of the others begins again. */
void ledger_forget_ended(struct ledger *l);

/* An entry of kind "sensors"; the same from a tally. */
void ledger_on_sensors(struct ledger *l, json_t *record);
void ledger_on_sensor_sums(struct ledger *l, json_t *record);

#endif
