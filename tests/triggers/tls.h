/* SPDX-License-Identifier: BSD-2-Clause */
/* tls.h - an OpenSSL client connection, for the triggers that speak TLS. */
#ifndef TRIGGER_TLS_H
#define TRIGGER_TLS_H

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include "trigger.h"

/* version: 0 for any, TLS1_2_VERSION or TLS1_3_VERSION for exactly that one */
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

/* before: a session to resume, or NULL */
static inline SSL *tls_connect_again(SSL_CTX *ctx, const char *host, const char *port,
				     SSL_SESSION *before)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *to;
	struct timeval patience = {.tv_sec = 20};
	SSL *ssl = SSL_new(ctx);
	int fd;

	if (!ssl || getaddrinfo(host, port, &hints, &to))
		trigger_die("address %s %s", host, port);
	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, to->ai_addr, to->ai_addrlen))
		trigger_die("connect %s %s", host, port);
	freeaddrinfo(to);
	SSL_set_fd(ssl, fd);
	if (before)
		SSL_set_session(ssl, before);
	if (SSL_connect(ssl) != 1)
		trigger_die("handshake (%s)", ERR_reason_error_string(ERR_get_error()) ?: "closed");
	return ssl;
}

static inline SSL *tls_connect(SSL_CTX *ctx, const char *host, const char *port)
{
	return tls_connect_again(ctx, host, port, NULL);
}

/* An inline PING: Redis answers, and so does a server that sends lines back. */
static inline int tls_ping(SSL *ssl)
{
	char buf[64];

	return SSL_write(ssl, "PING\r\n", 6) == 6 && SSL_read(ssl, buf, sizeof(buf)) > 0;
}

static inline void tls_close(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

static inline int tls_port(SSL *ssl)
{
	struct sockaddr_in6 me = {};
	socklen_t len = sizeof(me);

	getsockname(SSL_get_fd(ssl), (struct sockaddr *)&me, &len);
	return ntohs(me.sin6_port);
}

#endif
