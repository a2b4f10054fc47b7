// SPDX-License-Identifier: BSD-2-Clause
/* validate_steps.c - see validate.h. What the host itself makes of a check is left out: see of_the_host. */
#include "validate.h"

#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const of_the_host[] = {
	"mem-ptrace",  "mem-core",     "mem-swap",	 "mem-ksm",
	"mem-capable", "mem-bpf",      "mem-perf",	 "mem-kptr",
	"host-kernel", "host-reboot",  "host-taint",	 "host-kernel-offered",
	"mem-hidden",  "mem-lockdown", "rest-encrypted", NULL};

void as_server(void)
{
	if (setgroups(0, NULL) || setresgid(SERVER_UID, SERVER_UID, SERVER_UID) ||
	    setresuid(SERVER_UID, SERVER_UID, SERVER_UID))
		_exit(125);
}

const char *good_cert(void)
{
	const char *path = str("%s/good.pem", scratch), *key_file = str("%s/good.key", scratch);
	X509_EXTENSION *names;
	EVP_PKEY *key;
	X509 *x;
	FILE *f;

	if (!access(path, R_OK))
		return path;
	key = EVP_EC_gen("P-256");
	x = X509_new();
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), -86400);
	X509_gmtime_adj(X509_getm_notAfter(x), 90 * 86400L);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
	require(names && X509_add_ext(x, names, -1) && X509_sign(x, key, EVP_sha256()),
		"no certificate");
	f = fopen(key_file, "we");
	require(f && !fchmod(fileno(f), 0600) &&
			PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) && !fclose(f),
		"write %s", key_file);
	f = fopen(path, "we");
	require(f && PEM_write_X509(f, x) && !fclose(f), "write %s", path);
	X509_EXTENSION_free(names);
	X509_free(x);
	EVP_PKEY_free(key);
	return path;
}

struct server *prepare(bool plain, const char *more)
{
	const char *cert = good_cert();
	struct server *s = server_prepare(&(struct server_opts){
		.plain = plain,
		.extra = str("tls-cert-file %s\ntls-ca-cert-file %s\n%s", cert, cert, more)});

	file_write(s->key, file_read(str("%s/good.key", scratch)));
	require(!chmod(s->dir, 0700) && !chmod(s->config, 0600) && !chmod(s->key, 0600), "chmod");
	require(!chown(s->dir, SERVER_UID, SERVER_UID) && !chown(s->key, SERVER_UID, SERVER_UID) &&
			!chown(s->config, SERVER_UID, SERVER_UID),
		"chown: %s", strerror(errno));
	return s;
}

const char *password_file(const char *password)
{
	const char *path = str("%s/password.%zu", scratch, strlen(password));

	file_write(path, password);
	require(!chmod(path, 0600), "chmod %s: %s", path, strerror(errno));
	return path;
}

struct run validate_argv(const char *const *more)
{
	const char *argv[24] = {MONITOR, "validate"};
	struct run r;

	for (size_t i = 0; more[i]; i++)
		argv[i + 2] = more[i];
	r = run_argv(20000 * patience, &(struct child_opts){}, argv);
	require(r.status >= 0 && r.status <= 3, "exit code %d: %s", r.status, r.err);
	require(!strstr(r.out, PASSWORD) && !strstr(r.err, PASSWORD), "the password is in: %s%s",
		r.out, r.err);
	return r;
}

json_t *report_of(struct run r)
{
	json_error_t error;
	json_t *report = json_loads(r.out, JSON_REJECT_DUPLICATES, &error);

	require(report, "no report (%s): %s%s", error.text, r.out, r.err);
	return report;
}

json_t *check_of(json_t *report, const char *id)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(report, "checks"), i, one) {
		if (!strcmp(json_string_value(json_object_get(one, "id")), id))
			return one;
	}
	test_fail("no check %s", id);
}

const char *of(json_t *check, const char *key)
{
	return json_string_value(json_object_get(check, key));
}

static bool listed(const char *const *list, const char *word)
{
	for (; *list; list++) {
		if (!strcmp(*list, word))
			return true;
	}
	return false;
}

#define CHECKS_LEAST 40 /* of the profile azure-cache */

void expect_failures(json_t *report, const char *const *broken)
{
	size_t i, made[32] = {};
	json_t *one;

	json_array_foreach (json_object_get(report, "checks"), i, one) {
		const char *id = of(one, "id"), *want = listed(broken, id) ? "fail" : "pass";

		for (size_t k = 0; broken[k]; k++)
			made[k] += !strcmp(broken[k], id);
		if (!listed(of_the_host, id))
			require(!strcmp(of(one, "verdict"), want), "%s: %s, not %s: %s", id,
				of(one, "verdict"), want, of(one, "seen"));
	}
	require(i >= CHECKS_LEAST, "only %zu checks were made", i);
	for (size_t k = 0; broken[k]; k++)
		require(made[k] == 1, "%s was made %zu times", broken[k], made[k]);
}

void expect_verdict(json_t *report, const char *id, const char *want, const char *seen)
{
	json_t *check = check_of(report, id);

	require(!strcmp(of(check, "verdict"), want) && strstr(of(check, "seen"), seen),
		"%s: %s, not %s: %s", id, of(check, "verdict"), want, of(check, "seen"));
}

void expect_nothing_left(void)
{
	static const char *const patterns[] = {
		"/run/cachewarden-decoy.*", "/var/tmp/cachewarden-decoy.*",
		"/tmp/cachewarden-decoy.*", "/run/cachewarden-validate.*"};
	glob_t found;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		int none = glob(patterns[i], 0, NULL, &found);

		require(none == GLOB_NOMATCH, "%s is left", none ? patterns[i] : found.gl_pathv[0]);
	}
}
