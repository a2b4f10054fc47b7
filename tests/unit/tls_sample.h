/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_sample.h - an authority and certificates for servers and clients on loopback, as PEM files in sample_path(). */
#ifndef CACHEWARDEN_TLS_SAMPLE_H
#define CACHEWARDEN_TLS_SAMPLE_H

#include "sink_sample.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

struct tls_pair {
	X509 *cert;
	EVP_PKEY *key;
};

static inline void tls_save(const struct tls_pair *p, const char *name)
{
	char file[64];
	FILE *f;

	snprintf(file, sizeof(file), "%s.pem", name);
	f = fopen(sample_path(file), "we");
	assert_int_equal(PEM_write_X509(f, p->cert), 1);
	fclose(f);
	snprintf(file, sizeof(file), "%s.key", name);
	f = fopen(sample_path(file), "we");
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	assert_int_equal(PEM_write_PrivateKey(f, p->key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
}

static inline void tls_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

/* NAME.pem and NAME.key, signed by ca, or by itself if that is NULL; it has expired if days is negative. */
static inline struct tls_pair tls_make(const char *name, const struct tls_pair *ca,
				       const char *alternative, int days)
{
	static long serial;
	struct tls_pair p = {X509_new(), EVP_EC_gen("P-256")};
	const struct tls_pair *by = ca ?: &p;
	X509_NAME *subject = X509_get_subject_name(p.cert);

	X509_set_version(p.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(p.cert), -86400l * 10);
	X509_gmtime_adj(X509_getm_notAfter(p.cert), 86400l * days);
	X509_set_pubkey(p.cert, p.key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(p.cert, X509_get_subject_name(by->cert));
	tls_extend(p.cert, by->cert, NID_basic_constraints,
		   ca ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (alternative)
		tls_extend(p.cert, by->cert, NID_subject_alt_name, alternative);
	assert_true(X509_sign(p.cert, by->key, EVP_sha256()) > 0);
	tls_save(&p, name);
	return p;
}

static inline void tls_drop(struct tls_pair *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
}

/* ca, server (localhost, 127.0.0.1), client, expired, other (other.example), and stranger, which ca did not sign. */
static inline void tls_make_all(void)
{
	static const struct {
		const char *name, *alternative;
		int days;
	} rows[] = {
		{"server", "DNS:localhost,IP:127.0.0.1", 10},
		{"client", NULL, 10},
		{"expired", "DNS:localhost,IP:127.0.0.1", -1},
		{"other", "DNS:other.example", 10},
	};
	struct tls_pair ca = tls_make("ca", NULL, NULL, 10), p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		p = tls_make(rows[i].name, &ca, rows[i].alternative, rows[i].days);
		tls_drop(&p);
	}
	p = tls_make("stranger", NULL, "DNS:localhost,IP:127.0.0.1", 10);
	tls_drop(&p);
	tls_drop(&ca);
}

/* A port of 127.0.0.1 that was free just now. */
static inline unsigned int free_port(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	close(fd);
	return ntohs(addr.sin_port);
}

/* A listener there that accepts nothing. */
static inline int hanging_listener(unsigned int port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

#endif
