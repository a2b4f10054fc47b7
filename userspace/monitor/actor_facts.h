/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * actor_facts.h - what /proc says of an actor that is held (base/procdir.h): rights, login, namespaces, names of environment variables,
 * connections, and the processes that started it. Never a value, a byte of memory, or the name of an open file. What could not be read
 * is said with the reason.
 */
#ifndef CACHEWARDEN_ACTOR_FACTS_H
#define CACHEWARDEN_ACTOR_FACTS_H

#include "base/jsonw.h"
#include "model/proc_text.h"

#define ACTOR_CONNS_MAX 32
#define ACTOR_NAMES_MAX 64
#define ACTOR_UNREAD_MAX 12

struct actor_conns {
	struct socket_line conn[ACTOR_CONNS_MAX];
	size_t count, left_out;
	int err; /* negative errno: why there may be others, or none are known */
};

struct actor_source {
	const char *proc; /* PROCDIR_ROOT */
	int dir;	  /* of the process, or a negative errno: why it is not held */
	const struct process_info *info;
	bool server; /* it is a protected server: neither its memory nor its descriptors are read */
};

/* Put the members. Connections are left to the caller, who knows their TLS. */
void actor_facts_json(struct jsonw *j, const struct actor_source *s, struct actor_conns *ret);

/* Member host_state: the kernel and the clocks now. */
void host_facts_json(struct jsonw *j);

#endif
