/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * finding.h - one alert with everything a reader needs, resolved once, so that every format reports the same facts.
 */
#ifndef CACHEWARDEN_FINDING_H
#define CACHEWARDEN_FINDING_H

#include "base/digest.h"
#include "model/actor.h"
#include "model/alert.h"
#include "model/conn.h"
#include "model/instance.h"
#include "model/rule.h"
#include "policy/policy.h"

#define DETAIL_LEN ALERT_NOTE_LEN
#define IP_TEXT_LEN 48

/* What finding_fill() cannot read from the alert itself. */
struct finding_source {
	const struct alert *alert;
	const struct instance *instance; /* target; NULL for the host and for an unknown instance */
	const struct instance *tenant;	 /* EVENT_CROSS_TENANT: the actor's instance */
	const struct conn *tls;		 /* the connection's handshake, NULL if unknown */
	const char *uid_prefix;		 /* distinguishes the finding ids of two runs */
	const char *actor_cgroup;	 /* NULL if unknown */
	uint64_t more;			 /* attempts since the last report of this alert */
	bool update;			 /* the alert was reported before */
};

struct finding {
	const struct alert *alert;
	const struct instance *instance;
	const struct instance *tenant;
	const struct conn *tls;
	const char *uid_prefix;
	uint64_t more;
	bool update;
	bool routine;		/* see model/routine.h */
	enum severity severity; /* the rule's; the policy's once it was evaluated */
	struct verdict verdict; /* set by the policy */
	uint64_t incident;	/* id, 0: none */
	int64_t time_ms;	/* of the first attempt; all times are epoch milliseconds */
	int64_t now_ms;
	int64_t start_ms; /* of the actor */
	char vector[32];
	char object[PATH_LEN]; /* path of the mapped or opened file, empty if none */
	char detail[DETAIL_LEN];
	char exe[PATH_LEN]; /* of the actor */
	/* the full path, or only the file name if the rest was not recorded */
	char ancestor_exe[ANCESTORS_MAX][PATH_LEN];
	int64_t ancestor_start_ms[ANCESTORS_MAX];
	char cgroup[INSTANCE_CGROUP]; /* of the actor, empty if unknown; its unit and container */
	char unit[128], container[80];
	char sha256[DIGEST_LEN]; /* of its executable; empty unless the policy asks for it */
	char local_ip[IP_TEXT_LEN], remote_ip[IP_TEXT_LEN];
	char opener[PATH_LEN]; /* executable that opened the connection, empty unless certain */
};

/* Fill everything but routine, verdict, sha256 and incident. */
void finding_fill(struct finding *f, const struct finding_source *source);

/* Whether anything is known of the actor, and what. The strings are the finding's own. */
bool finding_has_actor(const struct finding *f);
struct actor finding_actor(const struct finding *f);

/*
 * Write the path of the actor's executable to buf. Returns false, with buf empty, if the path may not name the running
 * file: a deleted file may have been replaced, and a truncated path is incomplete.
 */
bool finding_actor_exe(const struct event *ev, char *buf, size_t size);

/* False if a path of a process is unknown, truncated or that of a deleted file. */
bool finding_path_certain(const struct path_place *exe);

#endif
