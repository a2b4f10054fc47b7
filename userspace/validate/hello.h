/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello.h - ClientHellos that offer one version and any cipher suites, and what a server answers. OpenSSL of today cannot
 * offer what must not be used any more. Pure; no handshake is completed, so no key is needed.
 */
#ifndef CACHEWARDEN_HELLO_H
#define CACHEWARDEN_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELLO_MAX 2048	     /* bytes of a ClientHello */
#define HELLO_SUITES 640     /* that it may offer */
#define HELLO_SERVER_MAX 512 /* a ServerHello has less; certificates come behind it */

struct hello {
	uint16_t version; /* 0x0300 to 0x0304 */
	const uint16_t *suite;
	size_t suites;
	bool deflate;	    /* offer compression */
	bool ticket;	    /* ask for a session ticket */
	uint8_t random[64]; /* of the hello and, for TLS 1.3, of a key share */
};

/* Returns the length, 0 if there are too many suites. */
size_t hello_write(const struct hello *h, uint8_t buf[HELLO_MAX]);

enum hello_answer {
	HELLO_MORE,    /* not whole yet */
	HELLO_FOREIGN, /* not TLS */
	HELLO_REFUSED, /* an alert */
	HELLO_CHOSEN,  /* a ServerHello, or a HelloRetryRequest of TLS 1.3 */
};

struct hello_choice {
	uint16_t version, suite;
	bool compressed, ticket;
	bool safe_renegotiation; /* RFC 5746 */
};

/* Parse what a server sent first. */
enum hello_answer hello_read(const uint8_t *buf, size_t len, struct hello_choice *ret);

#endif
