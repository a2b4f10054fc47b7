/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls/handshake.h - parses the clear part of a TLS handshake: hellos, alerts, and up to TLS 1.2 the
 * server's certificate (RFC 8446 §4, RFC 5246 §7.4, RFC 5077, RFC 7301, RFC 6066).
 *
 * Each direction of a connection has a reader, which is fed that direction's bytes in order, in
 * pieces of any size; both fill the same struct tls_facts. Pure: no allocation, no I/O, bounded. A
 * reader stops at the first byte that is encrypted (ChangeCipherSpec, application data) or not a
 * handshake, and never looks behind it. Names and lists are the peer's: anything but printable
 * ASCII is replaced before it is stored.
 */
#ifndef CACHEWARDEN_TLS_HANDSHAKE_H
#define CACHEWARDEN_TLS_HANDSHAKE_H

#include <linux/types.h>
#include <string.h>

#include "tls/facts.h"
#include "tls/record.h"

#define TLS_MESSAGE_MAX 32768 /* a certificate chain: real ones have 2 to 8 KiB */

/* State of a reader. */
enum tls_reading {
	TLS_READING,
	TLS_READ_ENCRYPTED, /* the clear part was read to its end */
	TLS_READ_FOREIGN,   /* not a handshake, or not TLS */
	TLS_READ_TOO_LARGE,
	TLS_READ_LOST, /* a part is missing */
};

/* Whose direction it is, if known. */
enum tls_side { TLS_SIDE_ANY, TLS_SIDE_CLIENT, TLS_SIDE_SERVER };

struct tls_reader {
	struct tls_facts *facts;
	/* the server's own certificate, DER; may be NULL */
	void (*certificate)(void *ctx, const __u8 *der, __u32 len);
	void *ctx;
	__u8 reading; /* enum tls_reading */
	__u8 side;    /* enum tls_side */
	__u8 server;  /* the direction is the server's; set by its first message */
	__u8 begun;
	__u8 have; /* bytes of the record header */
	__u8 header[TLS_HEADER_LEN];
	__u8 alert[2];
	__u8 alert_have;
	__u16 left;    /* of the record */
	__u32 records; /* headers read */
	__u32 got;     /* bytes of the message */
	__u8 message[TLS_MESSAGE_MAX];
};

/* Part of a message; bad: a read went beyond its end. */
struct tls_bytes {
	const __u8 *at;
	__u32 len;
	__u8 bad;
};

static inline __u32 tls_number(struct tls_bytes *b, __u32 n)
{
	__u32 v = 0;

	if (b->len < n) {
		b->bad = 1;
		b->len = 0;
		return 0;
	}
	b->len -= n;
	for (; n; n--)
		v = v << 8 | *b->at++;
	return v;
}

static inline struct tls_bytes tls_take(struct tls_bytes *b, __u32 n)
{
	struct tls_bytes part = {b->at, n, 0};

	if (b->len < n) {
		b->bad = part.bad = 1;
		part.len = b->len = 0;
		return part;
	}
	b->at += n;
	b->len -= n;
	return part;
}

/* A vector: n bytes of length, then that many bytes. */
static inline struct tls_bytes tls_vector(struct tls_bytes *b, __u32 n)
{
	return tls_take(b, tls_number(b, n));
}

/* Append a name to a comma-separated list of the given room. */
static inline void tls_say(char *to, __u32 room, struct tls_bytes name)
{
	__u32 used = strlen(to);

	if (used && used + 1 < room)
		to[used++] = ',';
	for (; name.len && used + 1 < room; name.len--, name.at++)
		to[used++] = *name.at > 0x20 && *name.at < 0x7f && *name.at != '\\' &&
					     *name.at != '"' && *name.at != ','
				     ? (char)*name.at
				     : '?';
	to[used] = '\0';
}

/* GREASE, RFC 8701: reserved values that servers must ignore. */
static inline int tls_grease(__u16 v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static inline void tls_offer(struct tls_facts *f, __u16 version)
{
	if (version >= TLS_SSL2 && version <= TLS_1_3 && f->offered_count < TLS_OFFERED_MAX)
		f->offered[f->offered_count++] = version;
}

static inline void tls_client_extension(struct tls_facts *f, __u32 type, struct tls_bytes *e)
{
	struct tls_bytes list, name;

	switch (type) {
	case 0: /* server_name, RFC 6066 §3 */
		list = tls_vector(e, 2);
		while (list.len) {
			__u32 kind = tls_number(&list, 1);

			name = tls_vector(&list, 2);
			if (!kind && !f->sni[0])
				tls_say(f->sni, sizeof(f->sni), name);
		}
		e->bad |= list.bad;
		break;
	case 16:			   /* application_layer_protocol_negotiation, RFC 7301 */
		f->alpn_offered[0] = '\0'; /* a second ClientHello */
		list = tls_vector(e, 2);
		while (list.len)
			tls_say(f->alpn_offered, sizeof(f->alpn_offered), tls_vector(&list, 1));
		e->bad |= list.bad;
		break;
	case 35: /* session_ticket: if empty, it only asks for one */
		if (e->len)
			f->flags |= TLS_TICKET_OFFERED;
		break;
	case 41: /* pre_shared_key */
		f->flags |= TLS_PSK_OFFERED;
		break;
	case 42:
		f->flags |= TLS_EARLY_DATA;
		break;
	case 43: /* supported_versions */
		f->offered_count = 0;
		list = tls_vector(e, 1);
		while (list.len) {
			__u16 v = tls_number(&list, 2);

			if (!tls_grease(v))
				tls_offer(f, v);
		}
		e->bad |= list.bad;
		break;
	default:
		break;
	}
}

static inline void tls_suites(struct tls_facts *f, struct tls_bytes suites, __u32 width)
{
	f->suites_offered = suites.len / width;
	while (suites.len >= width) {
		if (tls_number(&suites, width) == 0x5600) /* TLS_FALLBACK_SCSV */
			f->flags |= TLS_FALLBACK;
	}
}

/* The extensions at the end of a hello, if there are any. */
static inline void tls_extensions(struct tls_facts *f, struct tls_bytes *b,
				  void (*each)(struct tls_facts *f, __u32 type,
					       struct tls_bytes *e))
{
	struct tls_bytes all = *b;

	if (!b->bad && b->len)
		all = tls_vector(b, 2);
	while (all.len) {
		__u32 type = tls_number(&all, 2);
		struct tls_bytes e = tls_vector(&all, 2);

		if (!e.bad)
			each(f, type, &e);
		b->bad |= e.bad;
	}
	b->bad |= all.bad;
}

static inline void tls_client_hello(struct tls_facts *f, struct tls_bytes b)
{
	struct tls_bytes session;

	f->client_version = tls_number(&b, 2);
	f->offered_count = 0;
	tls_offer(f, f->client_version);
	tls_take(&b, 32); /* random */
	session = tls_vector(&b, 1);
	f->session_len = session.len <= TLS_SESSION_LEN ? session.len : 0;
	if (f->session_len)
		memcpy(f->session, session.at, f->session_len);
	tls_suites(f, tls_vector(&b, 2), 2);
	tls_vector(&b, 1); /* compression */
	tls_extensions(f, &b, tls_client_extension);
	f->flags |= TLS_CLIENT_HELLO | (b.bad ? TLS_BAD_HANDSHAKE : 0);
}

static inline void tls_server_extension(struct tls_facts *f, __u32 type, struct tls_bytes *e)
{
	struct tls_bytes list;

	switch (type) {
	case 16:
		f->alpn[0] = '\0';
		list = tls_vector(e, 2);
		tls_say(f->alpn, sizeof(f->alpn), tls_vector(&list, 1));
		e->bad |= list.bad;
		break;
	case 20: /* server_certificate_type, RFC 7250 */
		if (tls_number(e, 1) == 2)
			f->flags |= TLS_RAW_KEY;
		break;
	case 41:
		f->flags |= TLS_RESUMED;
		break;
	case 43:
		f->version = tls_number(e, 2);
		break;
	case 51: /* key_share; in a retry the group alone */
		f->group = tls_number(e, 2);
		break;
	default:
		break;
	}
}

static inline void tls_server_hello(struct tls_facts *f, struct tls_bytes b)
{
	/* RFC 8446 §4.1.3: SHA-256 of "HelloRetryRequest", and the downgrade sentinel */
	static const __u8 retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
				       0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
				       0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
				       0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
	static const __u8 downgrade[7] = {'D', 'O', 'W', 'N', 'G', 'R', 'D'};
	struct tls_bytes random, session;
	int echoed, is_retry;

	f->version = tls_number(&b, 2);
	random = tls_take(&b, 32);
	session = tls_vector(&b, 1);
	f->cipher = tls_number(&b, 2);
	tls_number(&b, 1); /* compression */
	tls_extensions(f, &b, tls_server_extension);
	if (b.bad) {
		f->flags |= TLS_BAD_HANDSHAKE;
		return;
	}
	is_retry = !memcmp(random.at, retry, sizeof(retry));
	f->flags |= is_retry ? TLS_RETRY : TLS_SERVER_HELLO;
	echoed = session.len && session.len == f->session_len &&
		 !memcmp(session.at, f->session, session.len);
	if (f->version == TLS_1_3) {
		if (session.len)
			f->flags |= TLS_MIDDLEBOX_COMPAT;
		return;
	}
	if (echoed)
		f->flags |= TLS_RESUMED;
	if (!memcmp(random.at + 24, downgrade, sizeof(downgrade)))
		f->flags |= random.at[31] == 1 ? TLS_DOWNGRADE_12
			    : !random.at[31]   ? TLS_DOWNGRADE_11
					       : 0;
}

/* The first certificate of the chain is the server's own. A raw public key has no chain. */
static inline void tls_certificates(struct tls_reader *r, struct tls_bytes b)
{
	struct tls_bytes list = tls_vector(&b, 3), own;

	if (r->facts->flags & TLS_RAW_KEY) {
		if (b.bad || b.len || !list.len)
			r->facts->flags |= TLS_BAD_HANDSHAKE;
		return;
	}
	if (!list.len && !list.bad)
		return; /* an empty list */
	own = tls_vector(&list, 3);
	if (b.bad || list.bad || !own.len) {
		r->facts->flags |= TLS_BAD_HANDSHAKE;
		return;
	}
	r->facts->flags |= TLS_CERTIFICATE;
	if (r->certificate)
		r->certificate(r->ctx, own.at, own.len);
}

enum tls_message {
	TLS_MSG_HELLO_REQUEST = 0,
	TLS_MSG_CLIENT_HELLO = 1,
	TLS_MSG_SERVER_HELLO = 2,
	TLS_MSG_NEW_TICKET = 4,
	TLS_MSG_CERTIFICATE = 11,
	TLS_MSG_CERTIFICATE_REQUEST = 13,
};

static inline void tls_message_whole(struct tls_reader *r, __u32 len)
{
	struct tls_bytes body = {r->message + 4, len, 0};

	switch (r->message[0]) {
	case TLS_MSG_CLIENT_HELLO:
		if (!r->server)
			tls_client_hello(r->facts, body);
		break;
	case TLS_MSG_SERVER_HELLO:
		if (r->server)
			tls_server_hello(r->facts, body);
		break;
	case TLS_MSG_NEW_TICKET:
		if (r->server)
			r->facts->flags |= TLS_NEW_TICKET;
		break;
	case TLS_MSG_CERTIFICATE:
		if (r->server)
			tls_certificates(r, body);
		break;
	case TLS_MSG_CERTIFICATE_REQUEST:
		if (r->server)
			r->facts->flags |= TLS_CLIENT_CERT_ASKED;
		break;
	default:
		break;
	}
}

/* The types that IANA's registry has, up to TLS 1.3. */
static inline int tls_message_known(__u8 type)
{
	return type <= 26 || type == 67 || type == 254;
}

/* A direction must begin with a hello, and messages of known types follow. Returns 0 if not. */
static inline int tls_message_begins(struct tls_reader *r)
{
	__u8 type = r->message[0];

	if (r->begun)
		return tls_message_known(type);
	if (r->got && type != TLS_MSG_CLIENT_HELLO && type != TLS_MSG_SERVER_HELLO &&
	    type != TLS_MSG_HELLO_REQUEST)
		return 0;
	if (r->side != TLS_SIDE_ANY &&
	    (type == TLS_MSG_CLIENT_HELLO) != (r->side == TLS_SIDE_CLIENT))
		return 0;
	r->server = type != TLS_MSG_CLIENT_HELLO;
	r->begun = 1;
	return 1;
}

/* n bytes of handshake: parts of messages, or several. */
static inline void tls_read_messages(struct tls_reader *r, const __u8 *at, __u32 n)
{
	while (n && r->reading == TLS_READING) {
		__u32 want = 4, room, len = 0;

		if (r->got >= 4) {
			len = r->message[1] << 16 | r->message[2] << 8 | r->message[3];
			want = 4 + len;
		}
		if (want > TLS_MESSAGE_MAX) {
			r->reading = TLS_READ_TOO_LARGE;
			return;
		}
		room = want - r->got < n ? want - r->got : n;
		memcpy(r->message + r->got, at, room);
		r->got += room;
		at += room;
		n -= room;
		if (!tls_message_begins(r)) {
			r->reading = TLS_READ_FOREIGN;
			return;
		}
		if (r->got < 4)
			return;
		len = r->message[1] << 16 | r->message[2] << 8 | r->message[3];
		if (r->got == 4 + len) {
			tls_message_whole(r, len);
			r->got = 0;
		}
	}
}

static inline void tls_read_alert(struct tls_reader *r, const __u8 *at, __u32 n)
{
	/* an alert that answers a ClientHello is the server's */
	int server = r->side != TLS_SIDE_ANY ? r->side == TLS_SIDE_SERVER
		     : r->begun		     ? r->server
					     : !!(r->facts->flags & TLS_CLIENT_HELLO);

	for (; n; n--, at++) {
		r->alert[r->alert_have++] = *at;
		if (r->alert_have < 2)
			continue;
		r->alert_have = 0;
		r->facts->alert[server] = r->alert[1];
		r->facts->alert_fatal[server] = r->alert[0] == 2;
	}
}

/* The record header is complete: decide what follows. */
static inline void tls_read_header(struct tls_reader *r)
{
	__u32 type = r->header[0];
	__u32 len = r->header[3] << 8 | r->header[4];

	r->have = 0;
	r->left = len;
	if (r->header[1] != 3 || r->header[2] > 4 || len > TLS_RECORD_MAX) {
		r->reading = TLS_READ_FOREIGN;
		return;
	}
	if (type == TLS_CHANGE_CIPHER_SPEC || type == TLS_APPLICATION_DATA) {
		if (type == TLS_CHANGE_CIPHER_SPEC && r->records && r->facts->version == TLS_1_3)
			r->facts->flags |= TLS_MIDDLEBOX_COMPAT;
		r->reading = TLS_READ_ENCRYPTED;
	} else if (type == TLS_ALERT && len != 2) {
		r->reading = TLS_READ_ENCRYPTED;
	} else if ((type != TLS_HANDSHAKE && type != TLS_ALERT) || !len) {
		r->reading = TLS_READ_FOREIGN;
	} else if (!r->records++ && !r->facts->record_version && type == TLS_HANDSHAKE) {
		r->facts->record_version = r->header[1] << 8 | r->header[2];
	}
}

/*
 * SSLv2 framing, in which old clients sent SSLv3 and TLS hellos, too (RFC 5246 appendix E.2): two
 * bytes of length with the high bit set, then message 1. No record begins with such a byte.
 */
static inline __u32 tls_read_ssl2(struct tls_reader *r, const __u8 *at, __u32 n)
{
	__u32 took = 0, len;
	struct tls_bytes b;

	while (took < n && r->reading == TLS_READING) {
		r->message[r->got++] = at[took++];
		len = (r->message[0] & 0x7f) << 8 | r->message[1];
		if (r->got == 3 && r->message[2] != TLS_MSG_CLIENT_HELLO)
			r->reading = TLS_READ_FOREIGN;
		else if (r->got >= 2 && 2 + len > TLS_MESSAGE_MAX)
			r->reading = TLS_READ_TOO_LARGE;
		if (r->got < 3 || r->got < 2 + len)
			continue;
		b = (struct tls_bytes){r->message + 3, len ? len - 1 : 0, 0};
		r->facts->client_version = tls_number(&b, 2);
		len = tls_number(&b, 2);
		tls_number(&b, 2); /* length of the session id */
		tls_number(&b, 2); /* length of the challenge */
		tls_suites(r->facts, tls_take(&b, len), 3);
		tls_offer(r->facts, r->facts->client_version);
		if (b.bad)
			r->facts->flags |= TLS_BAD_HANDSHAKE;
		r->facts->flags |= TLS_CLIENT_HELLO;
		r->facts->record_version = TLS_SSL2;
		r->got = 0;
		r->begun = 1;
		r->records++;
		break; /* records follow */
	}
	return took;
}

static inline void tls_reader_begin(struct tls_reader *r, struct tls_facts *facts)
{
	r->facts = facts;
	r->reading = TLS_READING;
	r->side = TLS_SIDE_ANY;
	r->server = r->begun = r->have = r->alert_have = 0;
	r->left = 0;
	r->records = r->got = 0;
	r->message[0] = r->message[1] = 0;
}

static inline void tls_facts_begin(struct tls_facts *f)
{
	memset(f, 0, sizeof(*f));
	f->alert[0] = f->alert[1] = TLS_ALERT_NONE;
}

/* Feed the next n bytes of the direction. Returns enum tls_reading. */
static inline int tls_reader_feed(struct tls_reader *r, const __u8 *at, __u32 n)
{
	while (n && r->reading == TLS_READING) {
		__u32 room;

		if (!r->records && !r->have && (r->got || (*at & 0x80))) {
			room = tls_read_ssl2(r, at, n);
		} else if (r->left) {
			room = r->left < n ? r->left : n;
			if (r->header[0] == TLS_ALERT)
				tls_read_alert(r, at, room);
			else
				tls_read_messages(r, at, room);
			r->left -= room;
		} else {
			room = 1;
			r->header[r->have++] = *at;
			if (r->have == TLS_HEADER_LEN)
				tls_read_header(r);
		}
		at += room;
		n -= room;
	}
	return r->reading;
}

#endif
