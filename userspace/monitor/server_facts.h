/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server_facts.h - what evidence keeps of a protected server: the layout of its memory (addresses, permissions and names, never a byte
 * of it), and digests of its configuration and its certificate. Reads files that others chose: not for the main loop.
 */
#ifndef CACHEWARDEN_SERVER_FACTS_H
#define CACHEWARDEN_SERVER_FACTS_H

#include "base/jsonw.h"

#define LAYOUT_PARTS_MAX 8
#define SERVER_CONFIGS_MAX 8

/*
 * The layout of a process that is held, as several arrays `regions`, so that each fits into an entry. begin starts part n, from 1 on,
 * and end closes it. *ret_left_out: regions beyond LAYOUT_PARTS_MAX parts. Returns 0 or a negative errno, before the first begin.
 */
struct layout_out {
	struct jsonw *(*begin)(void *ctx, unsigned int part);
	void (*end)(void *ctx, unsigned int part);
	void *ctx;
};
int layout_json(int dir, const struct layout_out *out, uint64_t *ret_left_out);

struct server_source {
	int dir;	 /* of the process, see base/procdir.h */
	const char *cwd; /* when it started: what relative names begin at */
	const char *config[SERVER_CONFIGS_MAX];
	size_t configs;
};

/* Members configuration and certificates: arrays of what could be read, each with its path; or with the reason. */
void server_facts_json(struct jsonw *j, const struct server_source *s);

#endif
