/* SPDX-License-Identifier: BSD-2-Clause */
/* conn_count.h - the open connections whose handshake was seen, counted by server and TLS version. */
#ifndef CACHEWARDEN_CONN_COUNT_H
#define CACHEWARDEN_CONN_COUNT_H

#include "monitor/state.h"

#define CONN_COUNTS_MAX 512

struct conn_count {
	uint32_t instance; /* 0: of those for which there was no room */
	uint16_t version;  /* 0: not negotiated yet, or none that is known */
	uint64_t count;
};

/* Returns how many rows it filled. */
size_t conn_counts(const struct monitor *m, struct conn_count ret[CONN_COUNTS_MAX]);

/* "TLSv1.3"; "unknown" for 0. */
const char *conn_count_version(const struct conn_count *c);

#endif
