/* SPDX-License-Identifier: BSD-2-Clause */
/* talk.h - two OpenSSLs that talk in memory, and a tape of what each sent. */
#ifndef CACHEWARDEN_TALK_H
#define CACHEWARDEN_TALK_H

static inline unsigned long long tls_load(void *ctx, unsigned int off, unsigned int n)
{
	const unsigned char *b = ctx;
	unsigned long long v = 0;

	for (unsigned int i = 0; i < n; i++)
		v |= (unsigned long long)b[off + i] << (8 * i);
	return v;
}
#include "tls/clear.h"
#include "tls/handshake.h"

#include "model/cert.h"
#include "model/tls_suite.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM 65536
#define APPLICATION_BYTES "marble-staircase"

/* What each side sent, in order, all of the connection. */
struct tape {
	uint8_t bytes[ROOM];
	uint32_t len;
};

struct talk {
	SSL_CTX *client_ctx, *server_ctx;
	SSL *client, *server;
	struct tape from_client, from_server;
	struct tls_facts facts; /* as the reader says */
	struct cert cert;
	int certs;
};

static X509 *cert_made;
static EVP_PKEY *key_made;

static inline void make_cert(void)
{
	X509_NAME *name;

	key_made = EVP_RSA_gen(2048);
	cert_made = X509_new();
	X509_set_version(cert_made, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert_made), 1);
	ASN1_TIME_set(X509_getm_notBefore(cert_made), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(cert_made), 1900000000);
	X509_set_pubkey(cert_made, key_made);
	name = X509_get_subject_name(cert_made);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"cache.example", -1,
				   -1, 0);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"Unit", -1, -1, 0);
	X509_set_issuer_name(cert_made, name);
	assert_true(X509_sign(cert_made, key_made, EVP_sha256()));
}

static inline void talk_init(struct talk *t)
{
	memset(t, 0, sizeof(*t));
	t->client_ctx = SSL_CTX_new(TLS_client_method());
	t->server_ctx = SSL_CTX_new(TLS_server_method());
	for (int i = 0; i < 2; i++) {
		SSL_CTX *ctx = i ? t->server_ctx : t->client_ctx;

		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_min_proto_version(ctx, SSL3_VERSION);
		SSL_CTX_set_dh_auto(ctx, 1);
	}
	SSL_CTX_use_certificate(t->server_ctx, cert_made);
	SSL_CTX_use_PrivateKey(t->server_ctx, key_made);
	SSL_CTX_set_session_id_context(t->server_ctx, (const uint8_t *)"u", 1);
}

static inline void drain(SSL *from, SSL *to, struct tape *tape)
{
	BIO *in = SSL_get_rbio(to), *out = SSL_get_wbio(from);
	int n = BIO_read(out, tape->bytes + tape->len, (int)(ROOM - tape->len));

	if (n > 0) {
		BIO_write(in, tape->bytes + tape->len, n);
		tape->len += (uint32_t)n;
	}
}

/* Both sides until they are through or fail, then a little data. Returns 1 if they settled. */
static inline int talk_run(struct talk *t, SSL_SESSION *session)
{
	char buf[64];
	int ok = 0;

	t->client = SSL_new(t->client_ctx);
	t->server = SSL_new(t->server_ctx);
	SSL_set_bio(t->client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_bio(t->server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_tlsext_host_name(t->client, "cache.example");
	SSL_set_connect_state(t->client);
	SSL_set_accept_state(t->server);
	if (session)
		SSL_set_session(t->client, session);
	for (int i = 0; i < 10 && !ok; i++) {
		int a = SSL_do_handshake(t->client), b;

		drain(t->client, t->server, &t->from_client);
		b = SSL_do_handshake(t->server);
		drain(t->server, t->client, &t->from_server);
		ok = a == 1 && b == 1;
	}
	ERR_clear_error();
	if (!ok)
		return 0;
	SSL_write(t->client, APPLICATION_BYTES, sizeof(APPLICATION_BYTES));
	drain(t->client, t->server, &t->from_client);
	SSL_read(t->server, buf, sizeof(buf));
	SSL_write(t->server, APPLICATION_BYTES, sizeof(APPLICATION_BYTES));
	drain(t->server, t->client, &t->from_server);
	SSL_read(t->client, buf, sizeof(buf));
	return 1;
}

static inline void talk_end(struct talk *t)
{
	SSL_free(t->client);
	SSL_free(t->server);
	SSL_CTX_free(t->client_ctx);
	SSL_CTX_free(t->server_ctx);
}

#endif
