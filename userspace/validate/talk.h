/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk.h - asks a server for its configuration and for what strangers may do, over RESP. Passwords are in no argument, no
 * output and no log; a server's own words are not repeated. To be called confined.
 */
#ifndef CACHEWARDEN_TALK_H
#define CACHEWARDEN_TALK_H

#include "validate/facts.h"

#include "monitor/ask_link.h"
#include "monitor/ask_resp.h"
#include "validate/probe.h"

struct talk {
	struct ask_link link;	      /* with the operator's client certificate, if there is one */
	const char *user;	      /* NULL: the default user */
	char password[ASK_RESP_WORD]; /* empty: none */
	int unix_fd;		      /* a connection to its UNIX socket, -1: none */
	bool on_unix;		      /* the link is that one */
	uint32_t uid;		      /* of the server: nobody else is sent the password */
	const struct probe_trust
		*trust; /* what its certificate has to lead to before; NULL: anything */
	char withheld
		[FACTS_WHY]; /* why there are neither password nor certificate; empty: there may be */
};

/*
 * May a secret be sent in plaintext to that address? Only if nothing shows or hides that the server speaks TLS: each other
 * address was seen, and answers in plaintext, too, or is the bus of its cluster by the number and refused both.
 */
bool talk_may_send_plain(const struct facts_wire *w, const struct facts_address *a);

/*
 * May the password be sent on the link as it is now? With trust, only to a server whose certificate passes, or on a UNIX socket, whose
 * other end the kernel names. Else *ret_why says why not.
 */
bool talk_may_authenticate(const struct talk *t, const char **ret_why);

/* Fill in the configuration, and open and config_open of the wire. */
void talk_to_server(struct talk *t, struct facts_wire *wire, struct facts_config *config);

/* The directive as redis.conf writes it. */
const char *talk_directive(enum directive d);

#endif
