// SPDX-License-Identifier: BSD-2-Clause
/* conn_report.c - see conn_report.h. */
#include "report/conn_report.h"

#include "base/macros.h"
#include "base/clock.h"
#include "map.h"
#include "tls/facts.h"
#include "tls/stream.h"
#include "model/tls_suite.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct flag {
	uint32_t bit;
	const char *name;
} flags[] = {
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
	char text[16];

	snprintf(text, sizeof(text), "0x%04x", cipher);
	jsonw_string(j, "cipher", suite ? suite->name : text);
}

static const char *text_or_null(const char *s)
{
	return s[0] ? s : NULL;
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

void conn_json_tls(struct jsonw *j, const struct conn *c)
{
	const struct tls_facts *f = c->facts;

	jsonw_object(j, "tls");
	jsonw_string(j, "version", conn_negotiated(c) ? tls_version_name(f->version) : NULL);
	if (conn_negotiated(c)) {
		put_cipher(j, f->cipher);
		jsonw_int(j, "cipher_id", f->cipher);
	} else {
		jsonw_null(j, "cipher");
	}
	jsonw_string(j, "group", tls_group_name(f->group));
	jsonw_string(j, "sni", text_or_null(f->sni));
	jsonw_string(j, "alpn", text_or_null(f->alpn));
	jsonw_string(j, "alpn_offered", text_or_null(f->alpn_offered));
	jsonw_array(j, "offered");
	for (int i = 0; i < f->offered_count; i++)
		jsonw_string(j, NULL, tls_version_name(f->offered[i]) ?: "unknown");
	jsonw_end_array(j);
	jsonw_int(j, "suites_offered", f->suites_offered);
	jsonw_array(j, "marks");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (f->flags & flags[i].bit)
			jsonw_string(j, NULL, flags[i].name);
	}
	jsonw_end_array(j);
	put_alert(j, "client_alert", f, 0);
	put_alert(j, "server_alert", f, 1);
	jsonw_bool(j, "whole", !c->incomplete);
	if (c->has_cert)
		put_cert(j, &c->cert);
	jsonw_end_object(j);
}

void conn_json_ocsf(struct jsonw *j, const struct conn *c)
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

static void address(const struct conn_snapshot *l, const uint8_t *ip, char *buf, size_t size)
{
	if (l->ipv6)
		inet_ntop(AF_INET6, ip, buf, (socklen_t)size);
	else
		inet_ntop(AF_INET, ip + 12, buf, (socklen_t)size);
}

static const char *opened(const struct conn_snapshot *l)
{
	return l->flags & SOCK_LISTENER ? "inbound"
	       : l->flags & SOCK_FRESH	? "outbound"
					: "unknown";
}

static const char *sync_name(const struct stream_snapshot *s)
{
	static const char *const names[] = {
		[TLS_NEW] = "silent",	     [TLS_SYNCED] = "synced",
		[TLS_UNSYNCED] = "unsynced", [TLS_BROKEN] = "plaintext",
		[TLS_MULTIPATH] = "subflow",
	};

	return s->sync < ARRAY_SIZE(names) ? names[s->sync] : "unknown";
}

static void put_stream(struct jsonw *j, const char *key, const struct stream_snapshot *s)
{
	jsonw_object(j, key);
	jsonw_int(j, "records", s->records);
	jsonw_int(j, "bytes", (int64_t)s->bytes);
	jsonw_string(j, "sync", sync_name(s));
	jsonw_bool(j, "from_start", !s->late);
	jsonw_int(j, "unsynced_ms", s->unsynced_ms);
	jsonw_int(j, "unsynced_bytes", s->unsynced_bytes);
	jsonw_end_object(j);
}

static void put_end(struct jsonw *j, const char *key, const char *ip, uint16_t port)
{
	jsonw_object(j, key);
	jsonw_string(j, "ip", ip);
	jsonw_int(j, "port", port);
	jsonw_end_object(j);
}

/* What the kernel saw of the server's part, and did not hand on, will not come. */
static bool under_way(const struct conn_snapshot *l, const struct conn *c)
{
	bool out = conn_server_out(c);

	return !c->unread && (out ? &l->out : &l->in)->bytes <= c->received[out];
}

static const char *handshake_state(const struct conn_snapshot *l, const struct conn *c)
{
	if (c && conn_negotiated(c))
		return "settled";
	if (c && (c->facts->alert_fatal[0] || c->facts->alert_fatal[1]))
		return "handshake refused";
	if (c && under_way(l, c))
		return "handshake under way";
	return c || l->in.records || l->out.records ? "handshake not seen" : "no TLS";
}

const char *conn_json(struct jsonw *j, const struct conn_snapshot *l, const struct conn *c,
		      const struct instance *in, size_t *ret_len)
{
	char local[48], remote[48];

	address(l, l->ends.local_ip, local, sizeof(local));
	address(l, l->ends.remote_ip, remote, sizeof(remote));
	jsonw_reset(j);
	jsonw_object(j, NULL);
	jsonw_string(j, "instance", in ? in->name : NULL);
	jsonw_int(j, "pid", in ? in->pid : 0);
	put_end(j, "local", local, l->ends.local_port);
	put_end(j, "remote", remote, l->ends.remote_port);
	jsonw_string(j, "opened", opened(l));
	jsonw_string(j, "state", handshake_state(l, c));
	if (c)
		jsonw_int(j, "since", clock_epoch_ms(c->since_ns));
	else
		jsonw_null(j, "since");
	put_stream(j, "in", &l->in);
	put_stream(j, "out", &l->out);
	if (c)
		conn_json_tls(j, c);
	else
		jsonw_null(j, "tls");
	jsonw_int(j, "cookie", (int64_t)l->cookie);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}

/* "synced", and what had to pass unread before */
static const char *sync_text(const struct stream_snapshot *s, char *buf, size_t size)
{
	if (!s->unsynced_ms && !s->unsynced_bytes)
		return sync_name(s);
	snprintf(buf, size, "%s (%u B unread, out of sync for %u.%03u s)", sync_name(s),
		 s->unsynced_bytes, s->unsynced_ms / 1000, s->unsynced_ms % 1000);
	return buf;
}

size_t conn_text(const struct conn_snapshot *l, const struct conn *c, const struct instance *in,
		 char *buf, size_t size)
{
	const struct tls_suite *suite = c ? tls_suite_find(c->facts->cipher) : NULL;
	bool baselined = c && conn_negotiated(c);
	char local[48], remote[48], time[16] = "-", in_sync[80], out_sync[80];
	int n;

	address(l, l->ends.local_ip, local, sizeof(local));
	address(l, l->ends.remote_ip, remote, sizeof(remote));
	if (c)
		clock_text(clock_epoch_ms(c->since_ns), time, sizeof(time));
	n = snprintf(buf, size,
		     "%s  %s  %s:%u %s %s:%u  %s %s %s  in %" PRIu64 " B %u rec %s  out %" PRIu64
		     " B %u rec %s\n",
		     time, in ? in->name : "?", remote, l->ends.remote_port,
		     !strcmp(opened(l), "inbound")    ? "->"
		     : !strcmp(opened(l), "outbound") ? "<-"
						      : "--",
		     local, l->ends.local_port,
		     baselined ? tls_version_name(c->facts->version) ?: "?" : handshake_state(l, c),
		     baselined ? suite ? suite->name : "unknown suite" : "-",
		     c && c->facts->sni[0] ? c->facts->sni : "-", (uint64_t)l->in.bytes,
		     l->in.records, sync_text(&l->in, in_sync, sizeof(in_sync)),
		     (uint64_t)l->out.bytes, l->out.records,
		     sync_text(&l->out, out_sync, sizeof(out_sync)));
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}
