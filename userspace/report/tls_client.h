/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client.h - a TLS connection to a server whose certificate and name are checked, with time limits on everything.
 * TLS 1.2 and later.
 */
#ifndef CACHEWARDEN_TLS_CLIENT_H
#define CACHEWARDEN_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_client;
struct ssl_ctx_st;

struct tls_client_config {
	const char *address;	 /* "HOST:PORT" or "[IPV6]:PORT" */
	const char *server_name; /* in its certificate; NULL: the host */
	const char *ca;		 /* PEM files, NULL: those of the system; none */
	const char *cert, *key;
	unsigned int wait_ms; /* for one answer */
};

/* Reads the files. Returns NULL with the reason in error. */
struct tls_client *tls_client_new(const struct tls_client_config *config, char *error, size_t size);
void tls_client_free(struct tls_client *c);

/* Replaces the connection. Returns false, with none and the reason in error. */
bool tls_client_connect(struct tls_client *c, char *error, size_t size);

/* Is there a connection that the server has not ended? */
bool tls_client_connected(struct tls_client *c);

/* All of it. Returns false, with the connection closed and the reason in error. */
bool tls_client_write(struct tls_client *c, const char *text, size_t len, char *error, size_t size);

/* Bytes written to this connection, or the last one, with those of TLS; how many of them the other host has acknowledged. */
uint64_t tls_client_written(const struct tls_client *c);
uint64_t tls_client_acked(const struct tls_client *c);

/*
 * OpenSSL's SSL_CTX with those files, for whoever makes connections of his own. Returns NULL with the reason in error.
 */
struct ssl_ctx_st *tls_client_context(const char *ca, const char *cert, const char *key,
				      char *error, size_t size);

#endif
