/* SPDX-License-Identifier: BSD-2-Clause */
/* cert.h - the fields of an X.509 certificate that reports show. Pure. */
#ifndef CACHEWARDEN_CERT_H
#define CACHEWARDEN_CERT_H

#include <stddef.h>
#include <stdint.h>

#define CERT_NAME_LEN 256 /* longer names are cut */

struct cert {
	char subject[CERT_NAME_LEN]; /* RFC 2253 */
	char issuer[CERT_NAME_LEN];
	int64_t not_before; /* seconds since 1970 */
	int64_t not_after;
	char key[24]; /* "RSA", "EC prime256v1", "ED25519" */
	uint32_t bits;
	char sha256[65]; /* fingerprint of the DER, in hexadecimal */
};

/* Parse DER. Returns 0, or -1 if it is not a certificate. */
int cert_read(struct cert *c, const uint8_t *der, size_t len);

#endif
