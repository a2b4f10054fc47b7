/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - a TLS session between two OpenSSL ends in memory, with a copy of what each one sent.
 *
 * OpenSSL is the reference: its message callback counts the record headers each end writes, and its
 * objects name the negotiated version, cipher suite and certificate.
 */
#ifndef STREAMS_SESSION_H
#define STREAMS_SESSION_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "stream.h"

#define SESSION_HOST "cache.example"
#define CERT_NOT_BEFORE 1700000000
#define CERT_NOT_AFTER 1900000000

enum side { CLIENT, SERVER, SIDES };

struct session {
	SSL_CTX *ctx[SIDES];
	SSL *ssl[SIDES];
	struct stream sent[SIDES];
	uint32_t records[SIDES]; /* headers OpenSSL says it wrote */
};

/* The server's self-signed RSA certificate, the same for every session of a test program. */
static X509 *session_cert;
static EVP_PKEY *session_key;

static inline void session_make_cert(void)
{
	X509_NAME *name;

	session_key = EVP_RSA_gen(2048);
	session_cert = X509_new();
	X509_set_version(session_cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(session_cert), 1);
	ASN1_TIME_set(X509_getm_notBefore(session_cert), CERT_NOT_BEFORE);
	ASN1_TIME_set(X509_getm_notAfter(session_cert), CERT_NOT_AFTER);
	X509_set_pubkey(session_cert, session_key);
	name = X509_get_subject_name(session_cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)SESSION_HOST, -1, -1,
				   0);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"Unit", -1, -1, 0);
	X509_set_issuer_name(session_cert, name);
	assert_true(X509_sign(session_cert, session_key, EVP_sha256()));
}

/* Both contexts, every version and cipher allowed; the test restricts ctx[] before session_open(). */
static inline void session_init(struct session *s)
{
	if (!session_cert)
		session_make_cert();
	*s = (struct session){};
	s->ctx[CLIENT] = SSL_CTX_new(TLS_client_method());
	s->ctx[SERVER] = SSL_CTX_new(TLS_server_method());
	for (int side = CLIENT; side < SIDES; side++) {
		SSL_CTX_set_security_level(s->ctx[side], 0);
		SSL_CTX_set_min_proto_version(s->ctx[side], SSL3_VERSION);
		SSL_CTX_set_options(s->ctx[side], SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
		SSL_CTX_set_dh_auto(s->ctx[side], 1);
	}
	assert_int_equal(SSL_CTX_use_certificate(s->ctx[SERVER], session_cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx[SERVER], session_key), 1);
	SSL_CTX_set_session_id_context(s->ctx[SERVER], (const uint8_t *)"unit", 4);
}

/* Both ends accept only this version. */
static inline void session_set_version(struct session *s, int version)
{
	for (int side = CLIENT; side < SIDES; side++) {
		assert_int_equal(SSL_CTX_set_min_proto_version(s->ctx[side], version), 1);
		assert_int_equal(SSL_CTX_set_max_proto_version(s->ctx[side], version), 1);
	}
}

static inline void session_on_message(int written, int version, int type, const void *data,
				      size_t len, SSL *ssl, void *arg)
{
	uint32_t *records = arg;

	if (written && type == SSL3_RT_HEADER)
		++*records;
}

/* A new connection on the contexts; resumed may be NULL. */
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
	SSL_set_tlsext_host_name(s->ssl[CLIENT], SESSION_HOST);
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

/* Also closes the connection. */
static inline void session_free(struct session *s)
{
	session_close(s);
	SSL_CTX_free(s->ctx[CLIENT]);
	SSL_CTX_free(s->ctx[SERVER]);
}

/* Hands each end what the other wrote and keeps a copy. Returns the number of bytes moved. */
static inline uint32_t session_carry(struct session *s)
{
	uint8_t bytes[4096];
	uint32_t moved = 0;

	for (int side = CLIENT; side < SIDES; side++) {
		int n;

		while ((n = BIO_read(SSL_get_wbio(s->ssl[side]), bytes, sizeof(bytes))) > 0) {
			stream_add(&s->sent[side], bytes, n);
			assert_int_equal(BIO_write(SSL_get_rbio(s->ssl[!side]), bytes, n), n);
			moved += n;
		}
	}
	return moved;
}

/* Carries bytes and lets both ends read until neither sends more. Returns the data bytes read. */
static inline uint32_t session_drain(struct session *s)
{
	uint8_t data[16384];
	uint32_t read = 0;

	do {
		for (int side = CLIENT; side < SIDES; side++) {
			int n;

			while ((n = SSL_read(s->ssl[side], data, sizeof(data))) > 0)
				read += n;
			assert_int_not_equal(SSL_get_error(s->ssl[side], n), SSL_ERROR_SSL);
		}
	} while (session_carry(s));
	return read;
}

static inline void session_send(struct session *s, enum side from, uint32_t len)
{
	uint8_t *payload = malloc(len);

	assert_non_null(payload);
	memset(payload, 'x', len);
	assert_int_equal(SSL_write(s->ssl[from], payload, len), len);
	free(payload);
	session_carry(s);
	assert_int_equal(session_drain(s), len);
}

/* Returns whether both ends finished the handshake; false if they could not agree. */
static inline bool session_handshake(struct session *s)
{
	bool done = false;

	for (int round = 0; round < 10 && !done; round++) {
		done = true;
		for (int side = CLIENT; side < SIDES; side++) {
			done = SSL_do_handshake(s->ssl[side]) == 1 && done;
			session_carry(s);
		}
	}
	ERR_clear_error();
	return done;
}

#endif
