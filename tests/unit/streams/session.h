/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - a real TLS session between two OpenSSL ends in memory, and what each sent the other.
 *
 * The truth the record walk is held to comes from OpenSSL: its message callback names each record
 * header it writes.
 */
#ifndef STREAMS_SESSION_H
#define STREAMS_SESSION_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "cut.h"

enum side { CLIENT, SERVER, SIDES };

struct session {
	SSL_CTX *ctx[SIDES];
	SSL *ssl[SIDES];
	struct stream sent[SIDES];
	uint32_t records[SIDES]; /* headers OpenSSL says it wrote */
};

struct session_options {
	int version;
	const char *ciphers;	   /* TLS 1.2; NULL: OpenSSL's default */
	const char *groups[SIDES]; /* NULL: OpenSSL's default */
};

static inline void session_certify(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	assert_non_null(key);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"cache", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static inline void session_open_contexts(struct session *s, const struct session_options *o)
{
	s->ctx[CLIENT] = SSL_CTX_new(TLS_client_method());
	s->ctx[SERVER] = SSL_CTX_new(TLS_server_method());
	for (int side = CLIENT; side < SIDES; side++) {
		SSL_CTX *ctx = s->ctx[side];

		assert_int_equal(SSL_CTX_set_min_proto_version(ctx, o->version), 1);
		assert_int_equal(SSL_CTX_set_max_proto_version(ctx, o->version), 1);
		SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
		if (o->ciphers)
			assert_int_equal(SSL_CTX_set_cipher_list(ctx, o->ciphers), 1);
		if (o->groups[side])
			assert_int_equal(SSL_CTX_set1_groups_list(ctx, o->groups[side]), 1);
	}
	SSL_CTX_set_session_id_context(s->ctx[SERVER], (const uint8_t *)"unit", 4);
	session_certify(s->ctx[SERVER]);
}

static inline void session_on_message(int written, int version, int type, const void *data,
				      size_t len, SSL *ssl, void *arg)
{
	uint32_t *records = arg;

	if (written && type == SSL3_RT_HEADER)
		++*records;
}

/* A fresh connection on the contexts; `resumed` may be NULL. */
static inline void session_open(struct session *s, SSL_SESSION *resumed)
{
	for (int side = CLIENT; side < SIDES; side++) {
		s->ssl[side] = SSL_new(s->ctx[side]);
		assert_non_null(s->ssl[side]);
		SSL_set_bio(s->ssl[side], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
		SSL_set_msg_callback(s->ssl[side], session_on_message);
		SSL_set_msg_callback_arg(s->ssl[side], &s->records[side]);
		s->records[side] = 0;
		s->sent[side] = (struct stream){};
	}
	if (resumed)
		assert_int_equal(SSL_set_session(s->ssl[CLIENT], resumed), 1);
	SSL_set_connect_state(s->ssl[CLIENT]);
	SSL_set_accept_state(s->ssl[SERVER]);
}

static inline void session_close(struct session *s)
{
	for (int side = CLIENT; side < SIDES; side++) {
		SSL_free(s->ssl[side]);
		s->ssl[side] = NULL;
		stream_free(&s->sent[side]);
	}
}

static inline void session_close_contexts(struct session *s)
{
	SSL_CTX_free(s->ctx[CLIENT]);
	SSL_CTX_free(s->ctx[SERVER]);
}

/* Carry over what either side wrote, keeping a copy; returns how many bytes moved. */
static inline uint32_t session_carry(struct session *s)
{
	uint8_t piece[4096];
	uint32_t moved = 0;

	for (int side = CLIENT; side < SIDES; side++) {
		int n;

		while ((n = BIO_read(SSL_get_wbio(s->ssl[side]), piece, sizeof(piece))) > 0) {
			stream_add(&s->sent[side], piece, n);
			assert_int_equal(BIO_write(SSL_get_rbio(s->ssl[!side]), piece, n), n);
			moved += n;
		}
	}
	return moved;
}

/* Carry, and let both sides read and answer, until neither has anything to say. */
static inline uint32_t session_settle(struct session *s)
{
	uint8_t room[16384];
	uint32_t read = 0;

	do {
		for (int side = CLIENT; side < SIDES; side++) {
			int n;

			while ((n = SSL_read(s->ssl[side], room, sizeof(room))) > 0)
				read += n;
			assert_int_not_equal(SSL_get_error(s->ssl[side], n), SSL_ERROR_SSL);
		}
	} while (session_carry(s));
	return read;
}

static inline void session_handshake(struct session *s)
{
	session_settle(s);
	for (int side = CLIENT; side < SIDES; side++)
		assert_true(SSL_is_init_finished(s->ssl[side]));
}

static inline void session_send(struct session *s, enum side from, uint32_t len)
{
	uint8_t *payload = malloc(len);

	assert_non_null(payload);
	memset(payload, 'x', len);
	assert_int_equal(SSL_write(s->ssl[from], payload, len), len);
	free(payload);
	session_carry(s);
	assert_int_equal(session_settle(s), len);
}

#endif
