/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * finding.h - an alert as people and machines read it: everything put together once, so that text
 * and JSON say the same.
 */
#ifndef CACHEWARDEN_FINDING_H
#define CACHEWARDEN_FINDING_H

#include "model/alert.h"
#include "model/conn.h"
#include "model/instance.h"
#include "base/jsonw.h"
#include "policy/policy.h"
#include "model/rule.h"

#define DETAIL_LEN 96

struct finding {
	const struct alert *alert;
	const struct instance
		*instance;	       /* NULL if its start was never heard of, or for self-blind */
	const struct instance *tenant; /* EVENT_CROSS_TENANT: the actor's instance */
	enum severity severity;
	struct verdict verdict; /* policy_input_evaluate fills it */
	bool update;		/* shown before */
	uint64_t incident;	/* id of its incident, 0: it is in none */
	const struct conn *tls; /* what the connection's handshake said, NULL if nothing is known */
	const char *uid_prefix; /* makes finding ids of two runs differ */
	int64_t time_ms;	/* of the first attempt */
	int64_t now_ms;
	int64_t start_ms; /* actor's start */
	char vector[32];
	char object[PATH_LEN]; /* path of the file that was mapped, empty if none was */
	char detail[DETAIL_LEN];
	char exe[PATH_LEN]; /* of the actor */
	char ancestor_exe[ANCESTORS_MAX]
			 [PATH_LEN]; /* path, or the bare name where only that is known */
	int64_t ancestor_start_ms[ANCESTORS_MAX];
	char cgroup[INSTANCE_CGROUP]; /* of the actor, empty if not known */
	char sha256[65];	      /* of its executable, empty if nobody asked for it */
	char local_ip[48], remote_ip[48];
	char opener
		[PATH_LEN]; /* executable that opened the connection, empty if that is not certain */
};

/* Fill f from an alert. */
void finding_fill(struct finding *f, const struct alert *a, const struct instance *in,
		  const struct instance *tenant);

/* One line of JSON (OCSF 1.8.0 Detection Finding) into j; NULL if memory ran out. */
const char *finding_json(const struct finding *f, struct jsonw *j, size_t *ret_len);

/* One line of text; colour by terminal escape codes. Returns its length, newline included. */
size_t finding_text(const struct finding *f, char *buf, size_t size, bool colour);

/* Parts of such a line: who did it, and by what it was done. */
void finding_actor_text(const struct finding *f, char *buf, size_t size);
void finding_action_text(const struct finding *f, char *buf, size_t size);

#endif
