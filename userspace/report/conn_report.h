/* SPDX-License-Identifier: BSD-2-Clause */
/* conn_report.h - a connection and its handshake for people and machines. */
#ifndef CACHEWARDEN_CONN_REPORT_H
#define CACHEWARDEN_CONN_REPORT_H

#include "model/conn.h"
#include "model/instance.h"
#include "base/jsonw.h"
#include "conn_snapshot.h"

/* Member "tls": all that the handshake said. */
void conn_json_tls(struct jsonw *j, const struct conn *c);
/* Member "tls" as OCSF 1.8.0 has it. */
void conn_json_ocsf(struct jsonw *j, const struct conn *c);

/* One line each; c may be NULL: the handshake was not seen. now_ns: CLOCK_BOOTTIME. */
const char *conn_json(struct jsonw *j, const struct conn_snapshot *live, const struct conn *c,
		      const struct instance *in, size_t *ret_len);
size_t conn_text(const struct conn_snapshot *live, const struct conn *c, const struct instance *in,
		 char *buf, size_t size);

#endif
