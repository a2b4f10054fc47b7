/* SPDX-License-Identifier: BSD-2-Clause */
/* probe.h - what the addresses of a server answer. Every step that waits is bounded. To be called confined. */
#ifndef CACHEWARDEN_PROBE_H
#define CACHEWARDEN_PROBE_H

#include "validate/facts.h"

#include "monitor/ask_link.h"

#include <stdio.h>

/* Does it answer without TLS? Else which versions and suites of TLS, by ClientHellos of our own? */
void probe_address(struct facts_address *a);

/* What certificates are verified with, and whom they are for. */
struct probe_trust {
	FILE *ca;	       /* certificates in PEM form; NULL: the system's */
	const char *ca_name;   /* for the report */
	const char *host_name; /* empty: not compared */
};

/*
 * May a secret be sent to whoever sent this chain? Only if it leads to a trusted one, is valid now, and is for the host's name if there
 * is one. Else *ret_why says why not.
 */
bool probe_trusts(STACK_OF(X509) * chain, const struct probe_trust *t, const char **ret_why);

/*
 * Its certificate, whether it wants one from clients, and whether it renegotiates: by whole handshakes. own: a link with the
 * operator's client certificate, that tolerates TLS 1.2 at most.
 */
void probe_sessions(struct facts_address *a, const struct probe_trust *t, struct ask_link *own);

#endif
