/* SPDX-License-Identifier: BSD-2-Clause */
/* enrich_job.h - what enrich_queue.c, which has the queue, and enrich_record.c, which knows what is asked and told, share. */
#ifndef CACHEWARDEN_ENRICH_JOB_H
#define CACHEWARDEN_ENRICH_JOB_H

#include "base/jsonw.h"
#include "model/conn.h"
#include "monitor/actor_facts.h"
#include "monitor/actor_file.h"
#include "monitor/server_facts.h"
#include "report/finding.h"
#include "report/ocsf.h"

#define JOB_INCIDENTS 8

enum job_kind { JOB_ACTOR, JOB_SERVER, JOB_LAYOUT };
enum job_state { JOB_FREE, JOB_WAITING, JOB_RUNNING, JOB_DONE, JOB_TOLD };

/* Text of members, to be freed. */
struct members {
	char *text;
	size_t len;
};

struct job {
	/* the queue's */
	enum job_state state;
	uint64_t number, since_ns; /* in their order; when it began to run */
	uint64_t begun_ns;
	uint32_t instance; /* that the deed was done to */
	uint32_t user;	   /* whose place it is, uid; UINT32_MAX: the monitor's */
	bool given_up_told;
	bool given_up; /* its thread is stuck, or the monitor ends before it has its turn */
	bool keeps;    /* it may keep a copy of the executable */
	bool full;     /* of incidents: the next one begins another job */

	enum job_kind kind;
	int dir, exe;	     /* of the process, or a negative errno */
	struct members head; /* as it was known at once */

	/* JOB_ACTOR; of JOB_LAYOUT what is about the target and the incident */
	struct process_info info;
	char path[PATH_LEN]; /* of its executable */
	bool server;
	int target; /* whose layout is wanted, or negative: nobody's */
	struct members of_target;
	char incident[JOB_INCIDENTS][OCSF_UID_LEN];
	size_t incidents, told;

	/* JOB_SERVER */
	char *config[SERVER_CONFIGS_MAX];
	size_t configs;
	char *cwd;

	/* found out */
	struct members body, layout[LAYOUT_PARTS_MAX];
	unsigned int parts;
	int layout_error;  /* negative errno: why there is none */
	uint64_t left_out; /* regions of the layout */
	struct actor_conns conns;
};

/* Members of what was written to j, which is one object. */
struct members members_take(struct jsonw *j);

/* What is known at once. */
void job_actor_head(struct job *job, struct jsonw *j, const struct finding *f);
void job_layout_head(struct job *job, struct jsonw *j, const struct finding *f);
void job_server_head(struct job *job, struct jsonw *j, const struct instance *in);

/* In the thread: find out. proc: PROCDIR_ROOT; dpkg: DPKG_DIR. */
void job_run(struct job *job, struct jsonw *j, const char *proc, const char *dpkg,
	     struct known_packages *known, struct keeping *keeping);

/* Records of what was found out, about the incidents that were not told yet. Of one that was given up, what was known at once, and that the rest is not. */
void job_tell(struct job *job, struct jsonw *j, const struct conns *conns,
	      void (*put)(void *ctx, const char *kind, const char *record, size_t len), void *ctx);

/* Close what it holds. */
void job_let_go(struct job *job);

/* Release all that it holds; it is free then. */
void job_release(struct job *job);

#endif
