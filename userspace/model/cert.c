// SPDX-License-Identifier: BSD-2-Clause
/* cert.c - see cert.h. OpenSSL parses. */
#include "model/cert.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void name_text(const X509_NAME *name, char *buf, size_t size)
{
	BIO *out = BIO_new(BIO_s_mem());
	int n = 0;

	if (out && X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253) >= 0)
		n = BIO_read(out, buf, (int)size - 1);
	buf[n > 0 ? n : 0] = '\0';
	BIO_free(out);
}

static int64_t seconds(const ASN1_TIME *t)
{
	struct tm tm;

	return t && ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

static void key_text(struct cert *c, const X509 *x)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	char group[16] = "";

	if (!key)
		return;
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	snprintf(c->key, sizeof(c->key), "%s%s%s", EVP_PKEY_get0_type_name(key) ?: "?",
		 group[0] ? " " : "", group);
	c->bits = (uint32_t)EVP_PKEY_get_bits(key);
}

int cert_read(struct cert *c, const uint8_t *der, size_t len)
{
	const unsigned char *at = der;
	X509 *x = d2i_X509(NULL, &at, (long)len);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	*c = (struct cert){};
	if (!x)
		return -1;
	name_text(X509_get_subject_name(x), c->subject, sizeof(c->subject));
	name_text(X509_get_issuer_name(x), c->issuer, sizeof(c->issuer));
	c->not_before = seconds(X509_get0_notBefore(x));
	c->not_after = seconds(X509_get0_notAfter(x));
	key_text(c, x);
	if (EVP_Digest(der, len, digest, &n, EVP_sha256(), NULL)) {
		for (size_t i = 0; i < n; i++)
			snprintf(c->sha256 + 2 * i, 3, "%02x", digest[i]);
	}
	X509_free(x);
	return 0;
}
