/* SPDX-License-Identifier: BSD-2-Clause */
/* ask_resp.h - one command and its reply on a connection to a server. */
#ifndef CACHEWARDEN_ASK_RESP_H
#define CACHEWARDEN_ASK_RESP_H

#include "model/server_reply.h"
#include "monitor/ask_link.h"

#define ASK_RESP_MAX (64u << 10) /* bytes of a reply */
#define ASK_RESP_WORD 512	 /* bytes of a word, a password among them */

enum ask_resp {
	ASK_RESP_OK,
	ASK_RESP_LOST,	  /* the connection, or time: l->why */
	ASK_RESP_FOREIGN, /* the reply is none of those that server_reply.h knows */
};

/* Send a command, its words ended by NULL, and read the reply, which stays in buf. No copy of the words is kept. */
enum ask_resp ask_resp(struct ask_link *l, const char *const *words, char buf[ASK_RESP_MAX],
		       struct server_reply *ret);

#endif
