// SPDX-License-Identifier: BSD-2-Clause
/* check_tls.c - judges what the server's sockets do. */
#include "validate/check.h"

#include "model/tls_suite.h"
#include "tls/facts.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400
#define WORD 96

/* An element of a list, behind the address of the first one. */
static void append_of(char *buf, const struct facts_address *a, bool *first, const char *word)
{
	check_list(buf, CHECK_SEEN, *first ? "%s %s" : "%s%s", *first ? a->text : "", word);
	*first = false;
}

/* Is there something to judge? If not, ret is set. */
static bool has_wire(const struct facts *f, struct outcome *ret)
{
	if (f->wire.why[0])
		check_skip(ret, "%s", f->wire.why);
	return !f->wire.why[0];
}

/* The bus of its cluster takes no commands, and tls-cluster judges it. The number alone makes no bus. */
static bool is_bus(const struct facts *f, const struct facts_address *a)
{
	return a->bus && !a->plain && !f->config.why[0] &&
	       !strcmp(f->config.value[DIR_CLUSTER_ENABLED], "yes");
}

/*
 * What no address was seen to do may have been missed at one that did not answer each time. seen: also at one that was seen
 * to speak TLS.
 */
static void doubt(const struct facts *f, bool seen, struct outcome *ret)
{
	char list[CHECK_SEEN] = "";

	if (ret->verdict != CHECK_PASS)
		return;
	for (size_t i = 0; i < f->wire.addresses; i++) {
		const struct facts_address *a = &f->wire.address[i];

		if (a->unsure[0] && (seen || !a->tls) && !is_bus(f, a))
			check_list(list, sizeof(list), "%s: %s", a->text, a->unsure);
	}
	if (list[0])
		check_skip(ret, "%s", list);
	else if (f->wire.addresses_cut && f->root)
		check_skip(ret, "it listens on more addresses than were tried");
}

/* The same for what only addresses with TLS can show. One that answers nothing could hide it. */
static bool has_tls(const struct facts *f, struct outcome *ret)
{
	const struct facts_wire *w = &f->wire;
	size_t tls = 0;

	if (!has_wire(f, ret))
		return false;
	for (size_t i = 0; i < w->addresses; i++)
		tls += w->address[i].tls;
	if (!tls && !w->addresses && w->addresses_cut)
		check_skip(ret, "it listens on addresses that were not tried");
	else if (!tls && !w->addresses)
		check_pass(ret, "it listens on no TCP port");
	else if (!tls)
		check_skip(ret, "no address completes a TLS handshake");
	return tls;
}

static void append_address(struct outcome *ret, const struct facts_address *a)
{
	check_list(ret->seen, sizeof(ret->seen), "%s", a->text);
}

/* A list of addresses in ret->seen becomes a sentence and a verdict. */
static void conclude(struct outcome *ret, enum check_verdict bad, const char *what,
		     const char *otherwise)
{
	char list[CHECK_SEEN];

	snprintf(list, sizeof(list), "%s", ret->seen);
	ret->verdict = list[0] ? bad : CHECK_PASS;
	if (list[0])
		snprintf(ret->seen, sizeof(ret->seen), "%.*s: %s", CHECK_SEEN - WORD, list, what);
	else
		snprintf(ret->seen, sizeof(ret->seen), "%s", otherwise);
}

void judge_tls_plain_port(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_wire *w = &f->wire;

	if (!has_wire(f, ret))
		return;
	for (size_t i = 0; i < w->addresses; i++) {
		if (w->address[i].plain)
			append_address(ret, &w->address[i]);
	}
	if (ret->seen[0]) {
		conclude(ret, CHECK_FAIL, "answers commands without TLS", "");
		return;
	}
	/* whoever keeps silent may answer another command */
	for (size_t i = 0; i < w->addresses; i++) {
		if (w->address[i].why[0] && !w->address[i].tls && !is_bus(f, &w->address[i]))
			check_list(ret->seen, sizeof(ret->seen), "%s: %s", w->address[i].text,
				   w->address[i].why);
	}
	if (!ret->seen[0] && w->addresses_cut)
		check_skip(ret, "%s",
			   f->root ? "it listens on more addresses than were tried"
				   : "it may listen on more addresses; run as root or as its user");
	else if (ret->seen[0])
		ret->verdict = CHECK_SKIP;
	else
		check_pass(ret, "%s", w->addresses ? "none answers" : "it listens on no TCP port");
}

void judge_tls_offered(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_address *silent = NULL;
	const struct facts_wire *w = &f->wire;

	if (!has_wire(f, ret))
		return;
	for (size_t i = 0; i < w->addresses; i++) {
		if (w->address[i].tls)
			append_address(ret, &w->address[i]);
		else if (w->address[i].why[0] && !is_bus(f, &w->address[i]))
			silent = &w->address[i];
	}
	if (!w->addresses)
		check_pass(ret, "it listens on no TCP port");
	else if (!ret->seen[0] && silent)
		check_skip(ret, "%s: %s", silent->text, silent->why);
	else if (!ret->seen[0])
		check_fail(ret, "no address completes a TLS handshake");
	else
		ret->verdict = CHECK_PASS;
}

void judge_tls_versions(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_wire *w = &f->wire;
	char good[CHECK_SEEN] = "";

	if (!has_tls(f, ret))
		return;
	for (size_t i = 0; i < w->addresses; i++) {
		const struct facts_address *a = &w->address[i];
		bool first_bad = true, first_good = true;

		for (size_t k = 0; k < a->versions; k++) {
			const char *name = tls_version_name(a->version[k]) ?: "?";

			if (a->version[k] < p->tls.minimum)
				append_of(ret->seen, a, &first_bad, name);
			else
				append_of(good, a, &first_good, name);
		}
	}
	conclude(ret, CHECK_FAIL, "accepted", good);
	doubt(f, true, ret);
}

/* Is a suite one that this profile wants nobody to use? */
static bool is_bad(const struct profile *p, uint16_t suite)
{
	return !policy_tls_cipher(&(struct policy){.tls = p->tls}, suite);
}

void judge_tls_ciphers(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_wire *w = &f->wire;
	const struct tls_suite *s;
	size_t good = 0;
	bool cut = false;

	if (!has_tls(f, ret))
		return;
	for (size_t i = 0; i < w->addresses; i++) {
		const struct facts_address *a = &w->address[i];
		bool first = true;

		cut = cut || a->suites_cut;
		for (size_t k = 0; k < a->suites; k++) {
			s = tls_suite_find(a->suite[k]);
			if (is_bad(p, a->suite[k]))
				append_of(ret->seen, a, &first, s ? s->name : "?");
			else
				good++;
		}
	}
	if (ret->seen[0])
		conclude(ret, CHECK_FAIL, "accepted", "");
	else if (cut)
		check_skip(ret, "not all suites could be tried in time");
	else
		check_pass(ret, "%zu accepted, none of them bad", good);
	doubt(f, true, ret);
}

/* Judge a property of each address with TLS. */
static void judge_each(const struct facts *f, bool (*is_it)(const struct facts_address *a),
		       const char *bad, const char *good, struct outcome *ret)
{
	if (!has_tls(f, ret))
		return;
	for (size_t i = 0; i < f->wire.addresses; i++) {
		if (f->wire.address[i].tls && is_it(&f->wire.address[i]))
			append_address(ret, &f->wire.address[i]);
	}
	conclude(ret, CHECK_FAIL, bad, good);
}

static bool compresses(const struct facts_address *a)
{
	return a->compression;
}

void judge_tls_compression(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_each(f, compresses, "DEFLATE was chosen", "not chosen", ret);
	doubt(f, true, ret);
}

static bool has_tickets(const struct facts_address *a)
{
	return a->tickets;
}

void judge_tls_tickets(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_each(f, has_tickets, "a ticket is issued for a session of TLS 1.2", "not answered",
		   ret);
	doubt(f, true, ret);
}

static bool renegotiates(const struct facts_address *a)
{
	return a->renegotiates == YES;
}

static bool is_unsafe(const struct facts_address *a)
{
	return a->no_safe_renegotiation;
}

void judge_tls_renegotiation(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_each(f, is_unsafe, "RFC 5746 is not supported", "", ret);
	if (ret->verdict != CHECK_PASS || ret->seen[0])
		return;
	judge_each(f, renegotiates, "a client may renegotiate", "", ret);
	if (ret->verdict != CHECK_PASS || ret->seen[0])
		return;
	for (size_t i = 0; i < f->wire.addresses; i++) {
		if (f->wire.address[i].tls && f->wire.address[i].renegotiates == UNKNOWN)
			append_address(ret, &f->wire.address[i]);
	}
	conclude(ret, CHECK_SKIP,
		 "no session of TLS 1.2 to try it in; a client certificate may be missing",
		 "refused");
	doubt(f, true, ret);
}

void judge_tls_client_cert(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (!has_tls(f, ret))
		return;
	for (size_t i = 0; i < f->wire.addresses; i++) {
		const struct facts_address *a = &f->wire.address[i];

		if (a->tls && a->client_cert == CLIENT_CERT_UNASKED)
			append_address(ret, a);
	}
	if (ret->seen[0]) {
		conclude(ret, CHECK_FAIL, "a client without a certificate is accepted", "");
		return;
	}
	for (size_t i = 0; i < f->wire.addresses; i++) {
		if (f->wire.address[i].tls && f->wire.address[i].client_cert == CLIENT_CERT_UNKNOWN)
			append_address(ret, &f->wire.address[i]);
	}
	conclude(ret, CHECK_SKIP, "the handshake failed for another reason",
		 "refused without a certificate");
	doubt(f, false, ret);
}

/* --- certificates --- */

static bool has_certificates(const struct facts *f, struct outcome *ret)
{
	if (!has_tls(f, ret))
		return false;
	for (size_t i = 0; i < f->wire.addresses; i++) {
		if (f->wire.address[i].tls && !f->wire.address[i].cert.seen)
			append_address(ret, &f->wire.address[i]);
	}
	if (!ret->seen[0])
		return true;
	conclude(ret, CHECK_SKIP, "its certificate was not seen", "");
	return false;
}

/* Call fn, which appends what is wrong, for each certificate. */
static void judge_certificates(const struct facts *f, const struct profile *p,
			       bool (*fn)(const struct facts *f, const struct profile *p,
					  const struct facts_certificate *c, char *buf),
			       struct outcome *ret)
{
	char word[CHECK_SEEN];
	bool bad = false, is_bad_one;

	if (!has_certificates(f, ret))
		return;
	for (size_t i = 0; i < f->wire.addresses; i++) {
		const struct facts_address *a = &f->wire.address[i];

		if (!a->tls)
			continue;
		word[0] = '\0';
		is_bad_one = !fn(f, p, &a->cert, word);
		if (is_bad_one && !bad)
			ret->seen[0] = '\0'; /* only what is wrong is shown */
		if (is_bad_one || !bad)
			check_list(ret->seen, sizeof(ret->seen), "%s: %s", a->text, word);
		bad = bad || is_bad_one;
	}
	ret->verdict = bad ? CHECK_FAIL : CHECK_PASS;
	doubt(f, false, ret);
}

static bool chain_ok(const struct facts *f, const struct profile *p,
		     const struct facts_certificate *c, char *buf)
{
	if (c->chain[0])
		snprintf(buf, CHECK_SEEN, "%s (trusted: %s)", c->chain, c->trust);
	else
		snprintf(buf, CHECK_SEEN, "verified with %s", c->trust);
	return !c->chain[0];
}

void judge_tls_cert_chain(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_certificates(f, p, chain_ok, ret);
	if (ret->verdict == CHECK_FAIL && f->config.value[DIR_TLS_CA_DIR][0] && !f->own_trust)
		check_skip(ret, "it has a tls-ca-cert-dir; give what clients trust by --ca");
	if (ret->verdict != CHECK_SKIP && f->wire.trust_why[0] && f->wire.addresses)
		check_skip(ret, "%s; give what clients trust by --ca", f->wire.trust_why);
	/* a server with a CA of its own is the rule, and it did not say which */
	if (ret->verdict == CHECK_FAIL && f->config.why[0] && !f->own_trust)
		check_skip(ret,
			   "what clients trust is not known; give it by --ca, or a user by --user");
}

static bool names_ok(const struct facts *f, const struct profile *p,
		     const struct facts_certificate *c, char *buf)
{
	if (!c->names[0])
		snprintf(buf, CHECK_SEEN, "no subjectAltName, clients that verify names refuse it");
	else if (c->name_matches == NO)
		snprintf(buf, CHECK_SEEN, "%s, not %s", c->names, f->host_name);
	else
		snprintf(buf, CHECK_SEEN, "%s", c->names);
	return c->names[0] && c->name_matches != NO;
}

void judge_tls_cert_names(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_certificates(f, p, names_ok, ret);
}

static bool dates_ok(const struct facts *f, const struct profile *p,
		     const struct facts_certificate *c, char *buf)
{
	int64_t left = (c->until_s - f->now_s) / DAY_S;

	if (c->from_s > f->now_s)
		snprintf(buf, CHECK_SEEN, "not valid before %lld more hours",
			 (long long)(c->from_s - f->now_s) / 3600 + 1);
	else if (c->until_s <= f->now_s)
		snprintf(buf, CHECK_SEEN, "expired %lld days ago", (long long)-left);
	else
		snprintf(buf, CHECK_SEEN, "expires in %lld day%s", (long long)left,
			 left == 1 ? "" : "s");
	return c->from_s <= f->now_s && c->until_s > f->now_s && left >= p->certificate_days;
}

void judge_tls_cert_dates(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_certificates(f, p, dates_ok, ret);
}

static bool key_ok(const struct facts *f, const struct profile *p,
		   const struct facts_certificate *c, char *buf)
{
	snprintf(buf, CHECK_SEEN, "%s, as strong as %u bits", c->key, c->strength);
	return c->strength >= p->certificate_strength;
}

void judge_tls_cert_key(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_certificates(f, p, key_ok, ret);
}

static bool signature_ok(const struct facts *f, const struct profile *p,
			 const struct facts_certificate *c, char *buf)
{
	snprintf(buf, CHECK_SEEN, "%s", c->digest);
	return c->self_signed || c->strong_digest;
}

void judge_tls_cert_signature(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_certificates(f, p, signature_ok, ret);
}

/* --- between servers --- */

static bool has_config(const struct facts *f, struct outcome *ret)
{
	if (f->config.why[0])
		check_skip(ret, "%s", f->config.why);
	return !f->config.why[0];
}

static bool is_yes(const struct facts *f, enum directive d)
{
	return !strcmp(f->config.value[d], "yes");
}

void judge_tls_replication(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	bool yes = is_yes(f, DIR_TLS_REPLICATION);

	if (!has_config(f, ret))
		return;
	if (!f->config.role[0])
		check_skip(ret, "%s",
			   f->config.info_why[0] ? f->config.info_why
						 : "INFO replication was not answered");
	else if (!strcmp(f->config.role, "slave") && !yes)
		check_fail(ret, "a replica with tls-replication %s",
			   f->config.value[DIR_TLS_REPLICATION][0] ? "no" : "not supported");
	else
		check_pass(ret, "role %s, tls-replication %s", f->config.role, yes ? "yes" : "no");
}

void judge_tls_cluster(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (!has_config(f, ret))
		return;
	if (!is_yes(f, DIR_CLUSTER_ENABLED))
		check_pass(ret, "not a node of a cluster");
	else if (!is_yes(f, DIR_TLS_CLUSTER))
		check_fail(ret, "a node of a cluster with tls-cluster no");
	else
		check_pass(ret, "tls-cluster yes");
}

void judge_unix_socket(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (!has_config(f, ret))
		return;
	if (!f->config.value[DIR_UNIXSOCKET][0]) {
		check_pass(ret, "it has none");
		return;
	}
	for (size_t i = 0; i < f->files.files; i++) {
		const struct facts_file *file = &f->files.file[i];

		if (file->role != ROLE_SOCKET)
			continue;
		if (file->others_write)
			check_fail(ret, "%.200s has mode %04o", file->path, file->mode);
		else
			check_pass(ret, "%.200s has mode %04o", file->path, file->mode);
		return;
	}
	check_skip(ret, "%.200s cannot be seen", f->config.value[DIR_UNIXSOCKET]);
}
