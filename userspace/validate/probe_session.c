// SPDX-License-Identifier: BSD-2-Clause
/* probe_session.c - see probe.h. Certificates are a server's words: of their texts only printable ASCII is kept. */
#include "validate/probe.h"

#include "monitor/ask_link.h"
#include "tls/facts.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define WEAK_BITS 80 /* SHA-1 is taken for 63, MD5 for 39 bits */

static bool connect_link(struct ask_link *l, const struct facts_address *a)
{
	struct conn_ends unused;

	return ask_link_connect(l, a->ip, a->port, &unused);
}

/* --- a certificate --- */

static void append(char *buf, size_t size, const char *word, size_t len)
{
	size_t used = strlen(buf);

	if (used && used + 2 < size)
		used += (size_t)snprintf(buf + used, size - used, ", ");
	for (size_t i = 0; i < len && used + 1 < size; i++)
		buf[used++] = word[i] > 0x20 && word[i] < 0x7f ? word[i] : '?';
	buf[used] = '\0';
}

static void append_ip(char *buf, size_t size, const ASN1_OCTET_STRING *ip)
{
	int len = ASN1_STRING_length(ip);
	char text[64] = "?";

	if (len == 4 || len == 16)
		inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), text,
			  sizeof(text));
	append(buf, size, text, strlen(text));
}

static void read_names(X509 *x, struct facts_certificate *ret)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		if (n->type == GEN_DNS)
			append(ret->names, sizeof(ret->names),
			       (const char *)ASN1_STRING_get0_data(n->d.dNSName),
			       (size_t)ASN1_STRING_length(n->d.dNSName));
		else if (n->type == GEN_IPADD)
			append_ip(ret->names, sizeof(ret->names), n->d.iPAddress);
	}
	GENERAL_NAMES_free(names);
}

static int64_t seconds_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

static void read_key(X509 *x, struct facts_certificate *ret)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	int bits = key ? EVP_PKEY_get_security_bits(key) : 0;
	const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;

	ret->strength = bits > 0 ? (uint32_t)bits : 0;
	snprintf(ret->key, sizeof(ret->key), "%s %d", type ?: "unknown",
		 key ? EVP_PKEY_get_bits(key) : 0);
}

static void read_signature(X509 *x, struct facts_certificate *ret)
{
	int digest = NID_undef, bits = 0;
	const char *name = OBJ_nid2sn(X509_get_signature_nid(x));

	X509_get_signature_info(x, &digest, NULL, &bits, NULL);
	ret->strong_digest = bits >= WEAK_BITS;
	snprintf(ret->digest, sizeof(ret->digest), "%s", name ?: "unknown");
}

static bool add_trusted(X509_STORE *store, const struct probe_trust *t)
{
	bool any = false;
	X509 *x;

	if (!t->ca)
		return X509_STORE_set_default_paths(store) == 1;
	rewind(t->ca);
	while ((x = PEM_read_X509(t->ca, NULL, NULL, NULL))) {
		any = X509_STORE_add_cert(store, x) == 1 || any;
		X509_free(x);
	}
	ERR_clear_error();
	return any;
}

/* Why own does not lead to a trusted one; NULL: it does. An intermediate certificate may be what is trusted. */
static const char *distrust(X509 *own, STACK_OF(X509) * chain, const struct probe_trust *t,
			    unsigned long flags)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const char *why = NULL;

	if (!store || !ctx || !add_trusted(store, t)) {
		why = "no trusted certificates";
	} else if (X509_STORE_CTX_init(ctx, store, own, chain) != 1) {
		why = "out of memory";
	} else {
		X509_STORE_CTX_set_default(ctx, "ssl_server");
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN | flags);
		if (X509_verify_cert(ctx) != 1)
			why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return why;
}

/* Dates are judged apart. */
static void verify(X509 *own, STACK_OF(X509) * chain, const struct probe_trust *t,
		   struct facts_certificate *ret)
{
	const char *why = distrust(own, chain, t, X509_V_FLAG_NO_CHECK_TIME);

	snprintf(ret->trust, sizeof(ret->trust), "%s", t->ca_name);
	snprintf(ret->chain, sizeof(ret->chain), "%s", why ?: "");
}

static bool matches(X509 *x, const char *name)
{
	return X509_check_ip_asc(x, name, 0) == 1 || X509_check_host(x, name, 0, 0, NULL) == 1;
}

bool probe_trusts(STACK_OF(X509) * chain, const struct probe_trust *t, const char **ret_why)
{
	X509 *own = chain && sk_X509_num(chain) ? sk_X509_value(chain, 0) : NULL;

	*ret_why = own ? distrust(own, chain, t, 0) : "it sent none";
	if (!*ret_why && t->host_name[0] && !matches(own, t->host_name))
		*ret_why = "it is for another name than --host";
	return !*ret_why;
}

static void read_certificate(STACK_OF(X509) * chain, const struct probe_trust *t,
			     struct facts_certificate *ret)
{
	X509 *own = chain && sk_X509_num(chain) ? sk_X509_value(chain, 0) : NULL;

	if (!own)
		return;
	ret->seen = true;
	ret->from_s = seconds_of(X509_get0_notBefore(own));
	ret->until_s = seconds_of(X509_get0_notAfter(own));
	ret->self_signed = X509_self_signed(own, 0) == 1;
	read_names(own, ret);
	read_key(own, ret);
	read_signature(own, ret);
	verify(own, chain, t, ret);
	if (t->host_name[0])
		ret->name_matches = matches(own, t->host_name) ? YES : NO;
}

/* --- handshakes --- */

/* A server of TLS 1.3 judges the certificate behind the handshake. Only a reply shows that it let a stranger in. */
static bool answers(struct ask_link *l)
{
	char reply[64];

	return ask_link_write(l, "PING\r\n", 6) && ask_link_read(l, reply, sizeof(reply)) > 0;
}

/* Without a certificate, as a stranger would. What does not answer in time has refused nothing. */
static void look_around(struct facts_address *a, const struct probe_trust *t)
{
	enum ask_peer peer = ASK_PEER_SILENT;
	struct ask_link l;

	if (!ask_link_init(&l))
		return;
	ask_link_tolerate(&l, 0);
	if (connect_link(&l, a))
		peer = ask_link_encrypt(&l);
	if (!a->cert.seen)
		read_certificate(ask_link_chain(&l), t, &a->cert);
	if (peer == ASK_PEER_TLS && (!l.asked || answers(&l)))
		a->client_cert = CLIENT_CERT_UNASKED;
	else if (l.asked && !l.late)
		a->client_cert = CLIENT_CERT_REQUIRED;
	ask_link_close(&l);
}

static void renegotiate(struct facts_address *a, struct ask_link *own)
{
	if (connect_link(own, a) && ask_link_encrypt(own) == ASK_PEER_TLS) {
		if (ask_link_renegotiate(own))
			a->renegotiates = YES;
		else if (!own->late)
			a->renegotiates = NO;
	}
	ask_link_close(own);
}

void probe_sessions(struct facts_address *a, const struct probe_trust *t, struct ask_link *own)
{
	bool old = false;

	if (!a->tls)
		return;
	for (int n = 0; n < 2 && (!a->cert.seen || a->client_cert == CLIENT_CERT_UNKNOWN); n++)
		look_around(a, t);
	for (size_t i = 0; i < a->versions; i++)
		old = old || (a->version[i] <= TLS_1_2 && a->version[i] > TLS_SSL3);
	if (!old && !a->unsure[0]) {
		a->renegotiates = NO; /* TLS 1.3 has no renegotiation */
		return;
	}
	for (int n = 0; n < 2 && a->renegotiates == UNKNOWN; n++)
		renegotiate(a, own);
}
