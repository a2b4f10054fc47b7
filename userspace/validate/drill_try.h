/* SPDX-License-Identifier: BSD-2-Clause */
/* drill_try.h - what the drills do: one attempt for each, by a process of its own, which ends right after. */
#ifndef CACHEWARDEN_DRILL_TRY_H
#define CACHEWARDEN_DRILL_TRY_H

#include "monitor/ask_link.h"
#include "validate/decoy.h"
#include "validate/facts.h"

struct trial {
	uint64_t began_ns; /* CLOCK_BOOTTIME */
	uint16_t port;	   /* its end of a connection to the server */
	/* the rule that is broken by what is done at the moment to prepare it; RULE_NONE: it is not prepared any more */
	uint16_t preparing;
};

/* What is attacked: a decoy, or with live the server itself. */
struct scene {
	pid_t pid, monitor;
	bool live;
	const struct decoy *decoy;
	struct decoy_end plain, tls; /* port 0: there is none */
	pid_t network_of;	     /* 0: this one */
	int config, key;	     /* O_PATH, -1: not known */
	int commands;		     /* a connection to the decoy for commands, -1: none */
	struct ask_link *client;     /* with a certificate that the decoy trusts; NULL: no libssl */
	const struct options *options; /* that the decoy has; NULL: its own, or it is no decoy */
	struct trial *trial;	       /* shared with the process that makes it */
};

enum whose { OF_SERVER, OF_HOST, OF_MONITOR }; /* what the alert is about */

/* Who it must name: the process that made the attempt, the server that was made to do it, the client's address, or nobody. */
enum whom { BY_ACTOR, BY_SERVER, BY_ADDRESS, BY_NOBODY };

struct drill_row {
	unsigned int rule;
	/* returns 0, or the errno with which it was refused; ENOENT if there is nothing to try it on */
	int (*try)(const struct scene *s);
	const char *not_live; /* why it is not made on a server that serves; NULL: harmless */
	enum whose whose;
	enum whom whom;
	bool asks;     /* it reads what the server answers, which takes no rights */
	bool commands; /* it needs a connection for commands */
};

extern const struct drill_row drill_rows[DRILL_MAX];

#endif
