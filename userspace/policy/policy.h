/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h - the operator's policy: which rules apply to which server and how strictly, requirements for TLS, and
 * exceptions. Pure: policy_yaml.c reads files, time is passed in.
 */
#ifndef CACHEWARDEN_POLICY_H
#define CACHEWARDEN_POLICY_H

#include "model/rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_UNSET (-1)	/* number that no file sets */
#define POLICY_ENTRIES_MAX 4096 /* of each list */
#define POLICY_ERROR_LEN 1024

/* Rules that can be prevented: the kernel side has a hook before the fact. */
#define POLICY_PREVENT_MEMORY                                                                      \
	(1u << RULE_MEM_TRACE | 1u << RULE_MEM_READ | 1u << RULE_MEM_WRITE | 1u << RULE_MEM_FD)
#define POLICY_PREVENT_PLAINTEXT (1u << RULE_TLS_PLAINTEXT)
#define POLICY_PREVENTABLE (POLICY_PREVENT_MEMORY | POLICY_PREVENT_PLAINTEXT)

enum policy_mode { MODE_OFF, MODE_OBSERVE, MODE_ALERT, MODE_PREVENT, MODE_MAX };

/* Where an entry of a list comes from. */
struct policy_place {
	const char *file; /* of policy.file[] */
	unsigned int line;
};

/* How a server is asked which files are its own. */
enum policy_transport { TRANSPORT_ANY, TRANSPORT_TLS, TRANSPORT_UNIX, TRANSPORT_PLAIN };

struct policy_ask {
	int64_t over; /* enum policy_transport or POLICY_UNSET */
	int64_t uid;  /* that the server must run as, or POLICY_UNSET */
	char *user, *password_file, *cert, *key, *socket;
};

struct policy_instance {
	struct policy_place at;
	char *name;
	/* all that are set must match; none set: every instance */
	char *exe, *unit, *cgroup, *container; /* patterns */
	int64_t port;
	int64_t mode[RULE_MAX];	    /* enum policy_mode or POLICY_UNSET */
	int64_t severity[RULE_MAX]; /* enum severity or POLICY_UNSET */
	struct policy_ask ask;
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

struct policy_bypass {
	struct policy_place at;
	struct policy_cidr peer;
	int64_t port; /* or POLICY_UNSET */
};

struct policy_tls {
	int64_t minimum; /* wire version: 0x0303 is TLS 1.2 */
	char **cipher;	 /* patterns; none: all but weak suites */
	size_t ciphers;
	struct policy_plaintext *plaintext;
	size_t plaintexts;
	struct policy_bypass *bypass;
	size_t bypasses;
};

struct policy_allow {
	struct policy_place at;
	int64_t rules; /* 1 << rule */
	char *exe, *sha256, *unit, *ancestor, *instance;
	int64_t uid;
	int64_t until_ms; /* first millisecond in which it is expired */
	char *reason;
};

/* What a webhook posts. */
enum policy_template { TEMPLATE_NONE, TEMPLATE_SLACK, TEMPLATE_PAGERDUTY, TEMPLATE_MAX };

/* Where incidents are delivered, besides standard output. */
#define POLICY_SINKS_MAX 15
struct policy_sink {
	struct policy_place at;
	char *name, *to; /* see policy_sink.h */
	char *ca, *cert, *key, *server_name, *secret_file;
	int64_t severity; /* the lowest that is delivered */
	int64_t templ;	  /* enum policy_template */
};

/* What is attached where the kernel takes no programs at its functions. */
enum policy_tier { TIER_FULL, TIER_QUIET, TIER_MAX };

struct policy {
	struct policy_instance *instance;
	size_t instances;
	struct policy_allow *allow;
	size_t allows;
	struct policy_tls tls;
	char *evidence;		      /* directory of the log; NULL: none is kept */
	char *witness;		      /* "URL KEY"; NULL: nobody cosigns the log */
	int64_t evidence_days;	      /* that entries are kept; POLICY_UNSET: for ever */
	int64_t evidence_executables; /* MiB of executables that are kept; POLICY_UNSET: none */
	struct policy_sink *sink;
	size_t sinks;
	int64_t tier;	 /* enum policy_tier */
	char *metrics;	 /* where metrics are served; NULL: nowhere */
	int64_t quiet_s; /* an incident without an event for so long is closed */
	char **file;	 /* names of the files it was read from */
	size_t files;
};

/* What is evaluated, from an event or from its JSON record. NULL: unknown. */
struct policy_input {
	unsigned int rule;
	enum severity severity;
	bool prevented;
	bool routine; /* observed where no entry names the rule, see model/routine.h */
	/* the target */
	const char *instance, *instance_uid, *instance_exe, *instance_started_as, *instance_cgroup;
	const uint16_t *port;
	size_t ports;
	/* the actor; exe is NULL unless this file is certainly the one that runs */
	const char *exe, *sha256, *cgroup;
	int64_t uid;
	const char *ancestor[ANCESTORS_MAX];
	size_t ancestors;
	/* the connection: its remote end, and the executable that opened it */
	const uint8_t *peer;
	uint16_t peer_port;
	const char *conn_owner;
};

enum verdict_id {
	VERDICT_OFF,
	VERDICT_OBSERVED,
	VERDICT_ALLOWED,
	VERDICT_ALERT,
	VERDICT_PREVENTED,
	VERDICT_MAX,
};

struct verdict {
	enum verdict_id id;
	enum severity severity;
	const struct policy_allow *allow;   /* entry that allows it */
	const struct policy_allow *expired; /* entry that would, but has expired */
	const struct policy_place *wire;    /* the entry of tls.plaintext or tls.bypass that does */
};

void policy_evaluate(const struct policy *p, const struct policy_input *in, int64_t now_ms,
		     struct verdict *ret);
const char *verdict_name(enum verdict_id id);

/* Rules (1u << rule) to prevent on that instance. fallback: of the rules that no entry names, those to prevent. */
uint32_t policy_prevented(const struct policy *p, const struct policy_input *in, uint32_t fallback);

/* The same for instances that are not known yet, by the entries that match every server. */
uint32_t policy_prevented_by_default(const struct policy *p, uint32_t fallback);

/* Does any entry prevent anything? */
bool policy_has_prevention(const struct policy *p);

/* Does an exception for this executable depend on its SHA-256? */
bool policy_needs_sha256(const struct policy *p, const char *exe);

/* May a handshake negotiate this version (on the wire), this suite (IANA number)? */
bool policy_tls_version(const struct policy *p, unsigned int version);
bool policy_tls_cipher(const struct policy *p, uint16_t suite);

/* How that instance is asked, by the first entry that matches it and says so; NULL: it is not. */
const struct policy_ask *policy_asked(const struct policy *p, const struct policy_input *in);

/* Does an entry match an instance? Does the name in an exception refer to it? */
bool policy_matches(const struct policy_instance *entry, const struct policy_input *in);
bool policy_is_called(const struct policy *p, const struct policy_input *in, const char *name);

bool policy_cidr_contains(const struct policy_cidr *c, const uint8_t ip[16]);

/* The systemd unit and the container that a cgroup path belongs to; empty if none. */
void policy_unit(const char *cgroup, char *buf, size_t size);
void policy_container(const char *cgroup, char *buf, size_t size);

/*
 * The narrowest of these that stays the same when the server is restarted: "pod-UID", the first digits of the container's
 * id as container tools show them, or the unit. Empty if none.
 */
void policy_place(const char *cgroup, char *buf, size_t size);

#endif
