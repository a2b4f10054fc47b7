/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_json.h - a connection's handshake as the JSON member "tls". */
#ifndef CACHEWARDEN_TLS_JSON_H
#define CACHEWARDEN_TLS_JSON_H

#include "base/jsonw.h"
#include "model/conn.h"

/* Everything the handshake revealed, for unmapped.cachewarden and `conns`. */
void tls_json(struct jsonw *j, const struct conn *c);

/* OCSF 1.8.0's object of that name; nothing before version and cipher are negotiated. */
void tls_json_ocsf(struct jsonw *j, const struct conn *c);

#endif
