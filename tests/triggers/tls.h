/* SPDX-License-Identifier: BSD-2-Clause */
/* tls.h - an OpenSSL client connection, for the triggers that speak TLS. */
#ifndef TRIGGER_TLS_H
#define TRIGGER_TLS_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

#include "net.h"

#define TLS_REPLY_TIMEOUT_S 20

/* The version an option names: 1.2 or 1.3. */
static inline int tls_version(const char *name)
{
	return !strcmp(name, "1.2") ? TLS1_2_VERSION : TLS1_3_VERSION;
}

/* version: the only one to offer, or 0 for OpenSSL's default range. */
static inline SSL_CTX *tls_context(const char *ca, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	signal(SIGPIPE, SIG_IGN);
	if (!ctx || SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
		trigger_die("CA %s", ca);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	return ctx;
}

/* A client that reads from and writes to memory: the trigger carries its bytes. */
static inline SSL *tls_in_memory(SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(ssl);
	return ssl;
}

static inline void tls_handshake(SSL *ssl)
{
	if (SSL_connect(ssl) != 1)
		trigger_die("handshake (%s)", ERR_reason_error_string(ERR_get_error()) ?: "closed");
}

/* resumed: a session to resume, or NULL. */
static inline SSL *tls_connect_resumed(SSL_CTX *ctx, const char *host, const char *port,
				       SSL_SESSION *resumed)
{
	struct timeval timeout = {.tv_sec = TLS_REPLY_TIMEOUT_S};
	SSL *ssl = SSL_new(ctx);
	int fd = net_connect(host, port);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	SSL_set_fd(ssl, fd);
	if (resumed)
		SSL_set_session(ssl, resumed);
	tls_handshake(ssl);
	return ssl;
}

static inline SSL *tls_connect(SSL_CTX *ctx, const char *host, const char *port)
{
	return tls_connect_resumed(ctx, host, port, NULL);
}

/* An inline PING: Redis replies to it, and an echo server returns it. */
static inline void tls_ping(SSL *ssl)
{
	char buf[64];

	if (SSL_write(ssl, "PING\r\n", 6) != 6 || SSL_read(ssl, buf, sizeof(buf)) <= 0)
		trigger_die("PING");
}

static inline void tls_close(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

#endif
