/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask_link.h - a connection to a server on this host: TLS, UNIX socket, or TCP in plaintext. Every step that waits ends
 * after three seconds.
 *
 * A server's certificate is not verified. The kernel says who holds the other end of a connection, which no certificate
 * can: see ask_link_verify().
 */
#ifndef CACHEWARDEN_ASK_LINK_H
#define CACHEWARDEN_ASK_LINK_H

#include "event.h"

#include <openssl/types.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ask_link {
	int fd;	  /* -1: not connected */
	int diag; /* sock_diag socket in the network namespace of the server */
	SSL_CTX *ctx;
	SSL *ssl;	 /* NULL: plaintext, or a UNIX socket */
	const char *why; /* what failed last */
	bool refused;	 /* nobody listens there any more */
	bool late;	 /* something was not answered in time */
	bool asked;	 /* for a certificate, of a link that tolerates */
};

/* What answers at a port. */
enum ask_peer {
	ASK_PEER_SILENT, /* it may speak TLS, or not: Redis waits for the end of a line */
	ASK_PEER_CLOSED, /* no TLS: it would have sent an alert */
	ASK_PEER_PLAIN,
	ASK_PEER_TLS,
	ASK_PEER_TLS_FAILED, /* it speaks TLS, but no handshake came of it */
};

/* Functions that return false set l->why to a text that does not end. */
bool ask_link_init(struct ask_link *l);

/* Use a client certificate and its key, whose descriptor is closed. Returns NULL, or what is wrong. */
const char *ask_link_identify(struct ask_link *l, const char *cert, int key_fd);

/*
 * Begin TLS also where it would not be safe, with that version at most (0: any), to see what a server does. A secret must
 * not be sent on such a link.
 */
void ask_link_tolerate(struct ask_link *l, int newest);

/*
 * Connect to an address that a server of this host listens on, from the same one: nobody else has it and the port meanwhile.
 * *ret: both ends as the server sees them; nothing was sent yet.
 */
bool ask_link_connect(struct ask_link *l, const uint8_t ip[16], uint16_t port,
		      struct conn_ends *ret);

/* Wait until the connection is accepted, by a process of that user: no other one is sent anything. */
bool ask_link_verify(struct ask_link *l, uint32_t uid);

/* Begin TLS. */
enum ask_peer ask_link_encrypt(struct ask_link *l);

/* The certificates that the server sent, its own first; also if the handshake failed behind them. NULL: none. */
STACK_OF(X509) * ask_link_chain(const struct ask_link *l);

/* Does the server renegotiate TLS 1.2 when a client wants to? The link is of no use afterwards. */
bool ask_link_renegotiate(struct ask_link *l);

/* Begin plaintext with a PING: ASK_PEER_PLAIN if a server answers that takes commands in plaintext. */
enum ask_peer ask_link_greet(struct ask_link *l);

/* Connect to a UNIX socket on which that process listens. Returns a descriptor, or -1. */
int ask_link_unix(const char *path, pid_t pid);

/* Continue on such a connection. */
void ask_link_use(struct ask_link *l, int fd);

bool ask_link_write(struct ask_link *l, const char *buf, size_t len);
ssize_t ask_link_read(struct ask_link *l, char *buf, size_t size); /* <= 0: l->why */
void ask_link_close(struct ask_link *l);

#endif
