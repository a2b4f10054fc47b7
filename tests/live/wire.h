/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.h - what the files of the suite `wire` share: its servers, its monitor, the bytes that the monitor must never
 * print, and the tests outside wire.c.
 */
#ifndef LIVE_WIRE_H
#define LIVE_WIRE_H

#include "harness.h"

/* Must not occur anywhere in the monitor's output. */
#define SECRET_KEY "marble-staircase"
#define SECRET_VALUE "hazel-lighthouse"
#define SECRET_PASSWORD "copper-umbrella"

extern struct server *wire_mixed, *wire_tls_only; /* one also serves plaintext */
extern struct monitor *wire_mon;

/* A port as an argument. */
static inline const char *port(int nr)
{
	return str("%d", nr);
}

/* ---- between servers and hosts ---- */

void wire_replica_plain(const void *arg);
void wire_replica_tls(const void *arg);
void wire_cluster(const void *arg);
void wire_two_hosts(const void *arg);

/* ---- plaintext within a TLS connection ---- */

struct injection {
	const char *version, *piece;
};

#define INJECT(v, p) &((const struct injection){v, p})

void wire_injected(const void *arg);
void wire_stolen_socket(const void *arg);

/* ---- cleartext in records ---- */

struct fake {
	const char *how, *rule, *saw,
		*command; /* command NULL: what was in the records is not looked at */
};

struct beginning {
	const char *server, *client; /* options of OpenSSL's */
	const char *said; /* by the second client, which resumes the first one's session */
	bool early;
};

#define FAKE(...) &((const struct fake){__VA_ARGS__})
#define BEGINNING(...) &((const struct beginning){__VA_ARGS__})
#define DATA_RECORD "application data without a handshake"

void wire_fake(const void *arg);
void wire_tls_begins(const void *arg);

/* ---- TLS raises nothing ---- */

void wire_tls_values(const void *arg);
void wire_tls_values_at_once(const void *arg);
void wire_tls_short(const void *arg);
void wire_tls_ipv6(const void *arg);
void wire_tls_benchmark(const void *arg);
void wire_tls_key_update(const void *arg);
void wire_tls_refused_renegotiation(const void *arg);
void wire_tls_renegotiation(const void *arg);
void wire_tls_failed_handshake(const void *arg);

/* ---- connections older than the monitor ---- */

void wire_attach_to_load(const void *arg);
void wire_attach_within_record(const void *arg);
void wire_attach_to_plain(const void *arg);
void wire_attach_to_tls_then_inject(const void *arg);

#endif
