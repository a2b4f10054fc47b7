/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tls/facts.h - what the clear part of a TLS handshake says, both directions together. */
#ifndef CACHEWARDEN_TLS_FACTS_H
#define CACHEWARDEN_TLS_FACTS_H

#include <linux/types.h>

#define TLS_SNI_LEN 256 /* RFC 1035: 253 */
#define TLS_ALPN_LEN 64
#define TLS_OFFERED_MAX 8   /* versions: 1.3 to SSL 3, drafts and GREASE left out */
#define TLS_SESSION_LEN 32  /* RFC 5246 §7.4.1.2 */
#define TLS_ALERT_NONE 0xff /* close_notify is 0 */

#define TLS_SSL2 0x0002
#define TLS_SSL3 0x0300
#define TLS_1_0 0x0301
#define TLS_1_1 0x0302
#define TLS_1_2 0x0303
#define TLS_1_3 0x0304

/* facts.flags */
#define TLS_CLIENT_HELLO 0x0001
#define TLS_SERVER_HELLO 0x0002
#define TLS_RETRY 0x0004	    /* HelloRetryRequest */
#define TLS_MIDDLEBOX_COMPAT 0x0008 /* RFC 8446 D.4: session id, ChangeCipherSpec */
#define TLS_EARLY_DATA 0x0010	    /* offered */
#define TLS_PSK_OFFERED 0x0020	    /* TLS 1.3 */
#define TLS_TICKET_OFFERED 0x0040   /* up to TLS 1.2, RFC 5077 */
#define TLS_RESUMED 0x0080	    /* PSK selected, or session id echoed */
#define TLS_NEW_TICKET 0x0100	    /* up to TLS 1.2: the server issues one in the clear */
/* RFC 8446 §4.1.3: the server supports 1.2 or newer, but negotiated 1.1 or older. */
#define TLS_DOWNGRADE_11 0x0200
#define TLS_DOWNGRADE_12 0x0400 /* the same: it supports 1.3, but negotiated 1.2 */
#define TLS_FALLBACK 0x0800	/* TLS_FALLBACK_SCSV, RFC 7507: the client retries with less */
#define TLS_CERTIFICATE 0x1000	/* the server sent one in the clear */
#define TLS_CLIENT_CERT_ASKED 0x2000
#define TLS_BAD_HANDSHAKE 0x4000 /* a malformed message: the facts are incomplete */
#define TLS_RAW_KEY 0x8000	 /* the server sends a raw public key, RFC 7250 */

/* Both directions of one connection. Versions are as on the wire, 0 if unknown. */
struct tls_facts {
	__u32 flags;
	__u16 client_version; /* legacy_version of the ClientHello; SSLv2 hellos: what they offer */
	__u16 record_version; /* of the client's first record */
	__u16 offered[TLS_OFFERED_MAX]; /* supported_versions; without it client_version */
	__u8 offered_count;
	__u8 session_len;
	__u16 suites_offered;
	__u16 version; /* negotiated */
	__u16 cipher;  /* negotiated */
	__u16 group;   /* TLS 1.3 key share */
	__u8 alert[2]; /* description: by the client, by the server */
	__u8 alert_fatal[2];
	char sni[TLS_SNI_LEN];
	char alpn_offered[TLS_ALPN_LEN]; /* comma-separated */
	char alpn[TLS_ALPN_LEN];	 /* negotiated, up to TLS 1.2 */
	__u8 session[TLS_SESSION_LEN];
};

#endif
