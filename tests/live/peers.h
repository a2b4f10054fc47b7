/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.h - what the files of the suite `peers` share: its servers, and the count of negotiated versions and suites.
 */
#ifndef LIVE_PEERS_H
#define LIVE_PEERS_H

#include "harness.h"
#include "steps.h"

extern struct server *peers_ecdsa, *peers_rsa; /* alike, but for the kind of their key */
extern struct monitor *peers_mon;
void peers_setup(void);
void peers_teardown(void);

/* Whether that program is installed. */
bool peers_have(const char *program);
json_t *conn_by_sni(json_t *all, const char *name);

/* ---- negotiated versions and suites ---- */

enum { SSL3, TLS10, TLS11, TLS12, TLS13, VERSIONS };
extern const char *const peers_versions[VERSIONS];

/* Handshakes by version, those with a suite that no policy should like, and their sum. */
struct tally {
	long of[VERSIONS], weak, sum;
};

void tally_add(struct tally *t, const char *version, const char *suite);
/* Requires one alert for each handshake with an old version or a weak suite, and no other alert. */
void tally_is_reported(struct monitor *m, const struct server *s, const struct tally *t);
void tally_print(const char *who, const struct tally *t, int oldest, int newest);
/* Alerts of the test with that rule about that server; with a version, those of handshakes that negotiated it. */
long findings_of(struct monitor *m, const struct server *s, const char *rule, const char *version);
/* The monitor lists the connection with that version and suite. */
void conn_negotiated(json_t *conn, const char *who, const char *version, const char *suite);
void negotiated_is(json_t *all, const char *sni, const char *version, const char *suite);

/* A monitor with mem-inject off, as Node and Java generate code; and a Java server that accepts SSLv3. */
struct monitor *old_monitor(void);
struct server jsse_server(void);

/* ---- tests ---- */

struct proxy;
extern const struct proxy proxy_stunnel, proxy_haproxy;
struct pin;
extern const struct pin pin_tls12, pin_tls13;

void peers_nss(const void *arg);
void peers_nss_old(const void *arg);
void peers_sslscan(const void *arg);
void peers_testssl(const void *arg);
void peers_proxied(const void *arg);
void peers_sentinel(const void *arg);
void peers_migrate(const void *arg);
void peers_cluster(const void *arg);

#endif
