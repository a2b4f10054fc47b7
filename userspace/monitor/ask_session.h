/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask_session.h - one conversation with a server: which files are its own?
 *
 * It runs in a child of the monitor, so that no server holds the monitor up, and no answer is parsed with its rights: the
 * child enters the server's network namespace, becomes nobody, and then speaks. It ends after ASK_SECONDS at the latest.
 */
#ifndef CACHEWARDEN_ASK_SESSION_H
#define CACHEWARDEN_ASK_SESSION_H

#include "model/instance.h"
#include "policy/policy.h"

#include "event.h"

#define ASK_SECONDS 30
#define ASK_REASON_LEN 320			 /* holds a path of a policy */
#define ASK_VALUE_LEN 1024			 /* a longer path is refused */
#define ASK_CONNECTIONS (2 * INSTANCE_PORTS + 1) /* that a session opens at most */

/* The directives that answers are values of; the last one is the configuration file. */
#define ASK_VALUES 8
extern const char *const ask_directives[ASK_VALUES];

struct ask_question {
	const struct instance *in;
	const struct policy_ask *how;
	const char *socket; /* its UNIX socket; empty: none is known */
	bool no_plaintext;  /* it would be dropped */
	bool has_tls;	    /* that it has a TLS port is known already */
};

/* In memory that both share. */
struct ask_answer {
	/* filled before the first byte is sent on them: its connections as the server sees them */
	uint32_t connections;
	struct conn_ends ends[ASK_CONNECTIONS];
	uint8_t over;		     /* enum policy_transport */
	bool complete;		     /* the rest is filled */
	bool answered;		     /* there are values */
	bool again;		     /* it may answer later */
	char reason[ASK_REASON_LEN]; /* why it was not, or not wholly answered; empty: it was */
	char value[ASK_VALUES][ASK_VALUE_LEN];
};

/* Ask, and end the process. */
__attribute__((noreturn)) void ask_session(const struct ask_question *q, struct ask_answer *ret);

#endif
