/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h - what the operator says about findings: which rules hold for which instance and how strictly, what
 * TLS has to be, and who may do what until when. Pure: policy_yaml.c reads it from files, time is passed in.
 */
#ifndef CACHEWARDEN_POLICY_H
#define CACHEWARDEN_POLICY_H

#include "model/rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_UNSET (-1)	/* of every number nobody named */
#define POLICY_ENTRIES_MAX 4096 /* of each list */
#define POLICY_QUIET_S 60

/* What can be prevented at all: what the kernel side has a hook for before it happens. */
#define POLICY_PREVENT_MEMORY                                                                      \
	(1u << RULE_MEM_TRACE | 1u << RULE_MEM_READ | 1u << RULE_MEM_WRITE | 1u << RULE_MEM_FD)
#define POLICY_PREVENT_PLAINTEXT (1u << RULE_TLS_PLAINTEXT)
#define POLICY_PREVENTABLE (POLICY_PREVENT_MEMORY | POLICY_PREVENT_PLAINTEXT)

enum policy_mode { MODE_OFF, MODE_OBSERVE, MODE_ALERT, MODE_PREVENT, MODE_MAX };

/* Where an entry stands. */
struct policy_place {
	const char *file; /* of policy.file[] */
	unsigned int line;
};

struct policy_instance {
	struct policy_place at;
	char *name;
	/* all that are named have to match; none: every instance */
	char *exe, *unit, *cgroup, *container; /* patterns */
	int64_t port;
	int64_t mode[RULE_MAX];	    /* enum policy_mode or POLICY_UNSET */
	int64_t severity[RULE_MAX]; /* enum severity or POLICY_UNSET */
};

struct policy_cidr {
	uint8_t ip[16]; /* IPv4 as v4-mapped */
	unsigned int bits;
};

struct policy_plaintext {
	struct policy_place at;
	struct policy_cidr peer;
	char *owner;
};

struct policy_tls {
	int64_t minimum; /* as on the wire: 0x0303 is TLS 1.2 */
	char **cipher;	 /* patterns; none: whatever is not weak */
	size_t ciphers;
	struct policy_plaintext *plaintext;
	size_t plaintexts;
};

struct policy_allow {
	struct policy_place at;
	int64_t rules; /* 1 << rule */
	char *exe, *sha256, *unit, *ancestor, *instance;
	int64_t uid;
	int64_t until_ms; /* the first millisecond in which it allows no more */
	char *reason;
};

struct policy {
	struct policy_instance *instance;
	size_t instances;
	struct policy_allow *allow;
	size_t allows;
	struct policy_tls tls;
	int64_t quiet_s; /* an incident is over when nothing came for so long */
	char **file;	 /* what it was read from */
	size_t files;
};

/* What is judged, put together from an event or from its record. NULL: not known. */
struct policy_input {
	unsigned int rule;
	enum severity severity;
	bool prevented;
	/* upon whom */
	const char *instance, *instance_exe, *instance_cgroup;
	const uint16_t *port;
	size_t ports;
	/* by whom; exe only where it is certain that this file is what runs */
	const char *exe, *sha256, *cgroup;
	int64_t uid;
	const char *ancestor[ANCESTORS_MAX];
	size_t ancestors;
	/* the wire: the other end, and the executable that opened the connection */
	const uint8_t *peer;
	const char *opener;
};

enum verdict_id {
	VERDICT_OFF,
	VERDICT_OBSERVED,
	VERDICT_ALLOWED,
	VERDICT_ALERT,
	VERDICT_PREVENTED
};

struct verdict {
	enum verdict_id id;
	enum severity severity;
	const struct policy_allow *allow;	  /* that allowed it, */
	const struct policy_allow *expired;	  /* or would have, had it not expired */
	const struct policy_plaintext *plaintext; /* that allowed it */
};

/* The built-in policy: every rule alerts, nothing is allowed. */
void policy_init(struct policy *p);
void policy_free(struct policy *p);

/*
 * What only the whole can tell: names that mean nothing, allowances of what the kernel prevents. Returns
 * false and says the first fault in error, FILE:LINE first.
 */
bool policy_whole(const struct policy *p, char *error, size_t size);

void policy_evaluate(const struct policy *p, const struct policy_input *s, int64_t now_ms,
		     struct verdict *ret);
const char *verdict_name(enum verdict_id id);

/* Rules (1u << rule) to prevent upon that instance; `otherwise` holds for those nobody speaks of. */
uint32_t policy_prevents(const struct policy *p, const struct policy_input *s, uint32_t otherwise);
/* The same upon an instance nobody knows yet: what all entries without a match say. */
uint32_t policy_prevents_any(const struct policy *p, uint32_t otherwise);
/* Does any entry ask for that? */
bool policy_prevents_some(const struct policy *p);

/* Does an entry about this executable name its SHA-256? Only then it has to be known. */
bool policy_wants_sha256(const struct policy *p, const char *exe);

/* What TLS has to be: a settled version, a settled suite by its IANA name. */
bool policy_tls_version(const struct policy *p, unsigned int version);
/*
 * A settled suite, by its number (IANA). Where the policy names none, all but the weak ones are allowed, and
 * those nobody has heard of (tls_suite.h).
 */
bool policy_tls_cipher(const struct policy *p, uint16_t suite);

bool policy_cidr_holds(const struct policy_cidr *c, const uint8_t ip[16]);

/* The unit and the container a cgroup path stands for, empty if none. */
void policy_unit(const char *cgroup, char *buf, size_t size);
void policy_container(const char *cgroup, char *buf, size_t size);

#endif
