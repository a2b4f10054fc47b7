// SPDX-License-Identifier: BSD-2-Clause
/* tls_json.c - see tls_json.h. */
#include "report/tls_json.h"

#include "base/macros.h"
#include "model/tls_suite.h"
#include "tls/facts.h"

#include <stdio.h>

static const struct {
	uint32_t bit;
	const char *name;
} marks[] = {
	{TLS_RETRY, "hello_retry"},
	{TLS_MIDDLEBOX_COMPAT, "compatibility_mode"},
	{TLS_RESUMED, "resumed"},
	{TLS_PSK_OFFERED, "psk_offered"},
	{TLS_TICKET_OFFERED, "ticket_offered"},
	{TLS_NEW_TICKET, "new_ticket"},
	{TLS_EARLY_DATA, "early_data_offered"},
	{TLS_DOWNGRADE_11, "downgraded_to_1.1"},
	{TLS_DOWNGRADE_12, "downgraded_to_1.2"},
	{TLS_FALLBACK, "fallback"},
	{TLS_CLIENT_CERT_ASKED, "client_certificate_asked"},
	{TLS_RAW_KEY, "raw_public_key"},
	{TLS_BAD_HANDSHAKE, "malformed"},
};

static void put_cipher(struct jsonw *j, uint16_t cipher)
{
	const struct tls_suite *suite = tls_suite_find(cipher);
	char number[16];

	snprintf(number, sizeof(number), "0x%04x", cipher);
	jsonw_string(j, "cipher", suite ? suite->name : number);
}

static void put_cert(struct jsonw *j, const struct cert *c)
{
	jsonw_object(j, "certificate");
	jsonw_string(j, "subject", c->subject);
	jsonw_string(j, "issuer", c->issuer);
	jsonw_int(j, "not_before", c->not_before);
	jsonw_int(j, "not_after", c->not_after);
	jsonw_string(j, "key", c->key);
	jsonw_int(j, "bits", c->bits);
	jsonw_string(j, "sha256", c->sha256);
	jsonw_end_object(j);
}

static void put_alert(struct jsonw *j, const char *key, const struct tls_facts *f, int server)
{
	if (f->alert[server] == TLS_ALERT_NONE)
		return;
	jsonw_string(j, key, tls_alert_name(f->alert[server]) ?: "unknown");
}

static void put_negotiated(struct jsonw *j, const struct conn *c)
{
	if (!conn_negotiated(c)) {
		jsonw_null(j, "version");
		jsonw_null(j, "cipher");
		return;
	}
	jsonw_string(j, "version", tls_version_name(c->facts->version));
	put_cipher(j, c->facts->cipher);
	jsonw_int(j, "cipher_id", c->facts->cipher);
}

static void put_offered(struct jsonw *j, const struct tls_facts *f)
{
	jsonw_array(j, "offered");
	for (int i = 0; i < f->offered_count; i++)
		jsonw_string(j, NULL, tls_version_name(f->offered[i]) ?: "unknown");
	jsonw_end_array(j);
	jsonw_int(j, "suites_offered", f->suites_offered);
}

void tls_json(struct jsonw *j, const struct conn *c)
{
	const struct tls_facts *f = c->facts;

	jsonw_object(j, "tls");
	put_negotiated(j, c);
	jsonw_string(j, "group", tls_group_name(f->group));
	jsonw_text(j, "sni", f->sni);
	jsonw_text(j, "alpn", f->alpn);
	jsonw_text(j, "alpn_offered", f->alpn_offered);
	put_offered(j, f);
	jsonw_array(j, "marks");
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (f->flags & marks[i].bit)
			jsonw_string(j, NULL, marks[i].name);
	}
	jsonw_end_array(j);
	put_alert(j, "client_alert", f, 0);
	put_alert(j, "server_alert", f, 1);
	jsonw_bool(j, "whole", !c->incomplete);
	if (c->has_cert)
		put_cert(j, &c->cert);
	jsonw_end_object(j);
}

void tls_json_ocsf(struct jsonw *j, const struct conn *c)
{
	if (!conn_negotiated(c))
		return;
	jsonw_object(j, "tls");
	jsonw_string(j, "version", tls_version_name(c->facts->version) ?: "unknown");
	put_cipher(j, c->facts->cipher);
	if (c->facts->sni[0])
		jsonw_string(j, "sni", c->facts->sni);
	jsonw_end_object(j);
}
