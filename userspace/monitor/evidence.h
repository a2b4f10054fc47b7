/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence.h - what the monitor puts into the evidence log, in which form. Records are queued (evidence/writer.h): nothing here
 * waits for the disk. Without a log every function does nothing.
 */
#ifndef CACHEWARDEN_MONITOR_EVIDENCE_H
#define CACHEWARDEN_MONITOR_EVIDENCE_H

#include "attest/periodic.h"
#include "base/digest.h"
#include "model/conn.h"
#include "model/instance.h"
#include "monitor/enrich.h"
#include "policy/policy.h"
#include "report/buffer.h"
#include "report/finding.h"
#include "report/incident_view.h"
#include "sensor/sensors.h"

struct evidence_file {
	char path[256], sha256[DIGEST_LEN];
};

struct evidence {
	struct writer *writer; /* NULL: there is no log */
	char dir[256];	       /* that was asked for; empty: none was */
	struct periodic *periodic;
	struct enrich *enrich; /* NULL: actors are not looked at more closely */
	int enrich_error;      /* errno: why not, though there is a log */
	struct report_buf buf;
	struct evidence_file policy[64]; /* as they were loaded */
	size_t policies;
	char exe_sha256[DIGEST_LEN]; /* of the monitor */
	char error
		[STORE_ERROR_LEN]; /* why there is none, though one was asked for; empty otherwise */
};

/*
 * Open the log in dir; NULL: none is asked for. run distinguishes this run from others, as in the ids of findings. A log that
 * cannot be written leaves e->error set: monitoring goes on, and evidence_blind_spots() reports it.
 */
struct evidence_from {
	pid_t pid; /* of the monitor that this one has taken over from; 0: from none */
	int64_t at_ms;
};
void evidence_open(struct evidence *e, const char *dir, const char *run,
		   const struct evidence_from *from);

/* Another monitor has taken over: its pid, what it executes, and when it began to report instead, epoch ms. */
void evidence_handover(struct evidence *e, pid_t pid, const char *exe, int64_t at_ms);

/* Write what is queued, and how the run ended. */
struct evidence_totals {
	uint64_t events, incidents, lost;
};
void evidence_close(struct evidence *e, const struct conns *conns,
		    const struct evidence_totals *totals);

/* In a process forked from the monitor: the log is the monitor's. */
void evidence_forget(struct evidence *e);

/* Once in each round of the main loop. conns: whose handshakes are known. */
void evidence_tick(struct evidence *e, const struct conns *conns);

/*
 * An event has arrived: hold its actor, before anything else takes time, in case it is logged (enrich.h). To be let go when the event
 * was dealt with.
 */
void evidence_hold(struct evidence *e, const struct event *ev);
void evidence_let_go(struct evidence *e);

/* A finding of severity medium or worse, or one that is an alert, and more about its actor. Others are left out. */
void evidence_event(struct evidence *e, const struct finding *f);
void evidence_incident(struct evidence *e, const struct incident_view *v);

/* change: "found", "started", "ended", ... digest: of its executable too, which takes time. */
void evidence_instance(struct evidence *e, const struct instance *in, const char *change,
		       bool digest);

/* What is known of a server once its start is over; config: paths of its configuration. Returns false if it has to be tried again. */
bool evidence_server(struct evidence *e, const struct instance *in, char *const *config,
		     size_t configs);

/* The policy in force: its files, whose digests are kept without a log, too, and how long it keeps entries. change: "loaded", "reloaded". */
void evidence_policy(struct evidence *e, const struct policy *p, const char *change);

/*
 * A policy that was to be loaded again was invalid; the old one stays in force. file: as it was asked for, NULL: POLICY_FILE. What error
 * quotes is left out: values of a policy can be secret.
 */
void evidence_policy_refused(struct evidence *e, const char *file, const char *error);

/* Which programs are attached. */
void evidence_sensors(struct evidence *e, const struct sensors *s);

/*
 * A tally (tally.h): put members into what the first returns, the host's too, which the second adds, and end it. whole: the last one
 * of this time; statements are made then. With a log only.
 */
struct jsonw *evidence_tally_begin(struct evidence *e);
void evidence_tally_host(struct evidence *e);
void evidence_tally_end(struct evidence *e, bool whole);

/* Why there is no log though one was asked for, as a note of ALERT_NOTE_LEN bytes. Returns false if there is one, or none was asked for. */
bool evidence_missing(const struct evidence *e, char *note, size_t size);

/* Call fn for each thing that the log does not have, with a count; once a second. */
void evidence_blind_spots(struct evidence *e, void (*fn)(void *ctx, const char *note, uint64_t n),
			  void *ctx);

#endif
