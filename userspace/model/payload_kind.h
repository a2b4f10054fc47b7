/* SPDX-License-Identifier: BSD-2-Clause */
/* payload_kind.h - names of what non-TLS bytes looked like. */
#ifndef CACHEWARDEN_PAYLOAD_KIND_H
#define CACHEWARDEN_PAYLOAD_KIND_H

/* For JSON ("http-request") and for people. kind: enum payload_kind. NULL for PAYLOAD_NOTHING and beyond. */
const char *payload_kind_name(unsigned int kind);
const char *payload_kind_text(unsigned int kind);

#endif
