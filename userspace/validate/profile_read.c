// SPDX-License-Identifier: BSD-2-Clause
/* profile_read.c - see profile_read.h. */
#include "validate/profile_read.h"

#include "validate/check.h"

#include "base/macros.h"
#include "policy/policy_value.h"
#include "policy/policy_yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROFILE struct profile
#define PROMISE struct profile_promise

static const struct policy_key keys[] = {
	{"name", POLICY_TO_TEXT(POLICY_NAME, PROFILE, name), .required = true,
	 .help = "Name of the profile, for the report."},
	{"tls", POLICY_MAP, .help = "Requirements for TLS."},
	{"tls.minimum", POLICY_TO_INT(POLICY_VERSION, PROFILE, tls.minimum), .preset = "1.2",
	 .help = "Lowest TLS version that the server may accept."},
	{"tls.ciphers", POLICY_TO_STRINGS(PROFILE, tls.cipher, tls.ciphers),
	 .absent = "all but weak suites",
	 .help = "Cipher suites that the server may accept: patterns of IANA names."},
	{"certificate", POLICY_MAP, .help = "Requirements for the server's certificate."},
	{"certificate.days", POLICY_TO_INT(POLICY_NUMBER, PROFILE, certificate_days), .min = 0,
	 .max = 3650, .preset = "14", .help = "Days for which it must stay valid."},
	{"certificate.strength", POLICY_TO_INT(POLICY_NUMBER, PROFILE, certificate_strength),
	 .min = 80, .max = 256, .preset = "112",
	 .help = "Strength of its key in bits of a symmetric key, NIST SP 800-57: RSA 2048 has 112, RSA 3072 "
		 "and P-256 have 128."},
	{"promises", POLICY_TO_LIST(PROFILE, promise, promises, PROMISE), .required = true,
	 .help = "What is promised. Only checks that a promise names are made."},
	{"promises[].promise", POLICY_TO_TEXT(POLICY_TEXT, PROMISE, promise), .required = true,
	 .help = "The promise in words, for the report."},
	{"promises[].checks", POLICY_TO_STRINGS(PROMISE, check, checks), .required = true,
	 .help = "The checks that must pass for it to be kept."},
};

const struct policy_table profile_table = {keys, ARRAY_SIZE(keys)};
_Static_assert(ARRAY_SIZE(keys) <= POLICY_KEYS_MAX, "the reader keeps a bit per key");

#define WIRE                                                                                       \
	"      - tls-versions\n"                                                                   \
	"      - tls-ciphers\n"                                                                    \
	"      - tls-compression\n"                                                                \
	"      - tls-renegotiation\n"
#define CERTIFICATE                                                                                \
	"  - promise: Clients can verify the server\n"                                             \
	"    checks:\n"                                                                            \
	"      - tls-cert-chain\n"                                                                 \
	"      - tls-cert-names\n"                                                                 \
	"      - tls-cert-dates\n"                                                                 \
	"      - tls-cert-key\n"                                                                   \
	"      - tls-cert-signature\n"
#define PLAIN                                                                                      \
	"  - promise: Nothing is readable on the wire\n"                                           \
	"    checks:\n"                                                                            \
	"      - tls-plain-port\n"                                                                 \
	"      - tls-offered\n"                                                                    \
	"      - tls-replication\n"                                                                \
	"      - tls-cluster\n"
#define MEMORY                                                                                     \
	"      - mem-ptrace\n"                                                                     \
	"      - mem-core\n"                                                                       \
	"      - mem-swap\n"                                                                       \
	"      - mem-ksm\n"                                                                        \
	"      - mem-user\n"                                                                       \
	"      - mem-user-shared\n"                                                                \
	"      - mem-neighbours\n"                                                                 \
	"      - mem-capable\n"                                                                    \
	"      - mem-capabilities\n"                                                               \
	"      - mem-bpf\n"                                                                        \
	"      - mem-perf\n"                                                                       \
	"      - mem-kptr\n"                                                                       \
	"      - mem-code\n"                                                                       \
	"      - mem-loader\n"
#define REST                                                                                       \
	"  - promise: What is stored is encrypted, and only the server can read it\n"              \
	"    checks:\n"                                                                            \
	"      - rest-encrypted\n"                                                                 \
	"      - rest-data\n"                                                                      \
	"      - rest-key\n"                                                                       \
	"      - rest-config\n"                                                                    \
	"      - rest-acl\n"                                                                       \
	"  - promise: Only those who know a password run commands\n"                               \
	"    checks:\n"                                                                            \
	"      - rest-auth\n"                                                                      \
	"      - rest-config-command\n"                                                            \
	"      - rest-commands\n"                                                                  \
	"      - unix-socket\n"                                                                    \
	"  - promise: The host is patched\n"                                                       \
	"    checks:\n"                                                                            \
	"      - host-kernel\n"                                                                    \
	"      - host-kernel-offered\n"                                                            \
	"      - host-reboot\n"                                                                    \
	"      - host-taint\n"                                                                     \
	"      - host-libraries\n"

#define MONITORED                                                                                  \
	"  - promise: While a monitor watched, nothing happened\n"                                 \
	"    checks:\n"                                                                            \
	"      - watch-covered\n"                                                                  \
	"      - watch-wire\n"                                                                     \
	"      - watch-versions\n"                                                                 \
	"      - watch-ciphers\n"                                                                  \
	"      - watch-memory\n"                                                                   \
	"      - watch-files\n"                                                                    \
	"  - promise: A monitor on this host reports attacks\n"                                    \
	"    checks:\n"                                                                            \
	"      - drill-mem-trace\n"                                                                \
	"      - drill-mem-read\n"                                                                 \
	"      - drill-mem-write\n"                                                                \
	"      - drill-mem-inspect\n"                                                              \
	"      - drill-mem-fd\n"                                                                   \
	"      - drill-mem-remote\n"                                                               \
	"      - drill-mem-probe\n"                                                                \
	"      - drill-mem-kernel\n"                                                               \
	"      - drill-mem-dump\n"                                                                 \
	"      - drill-mem-inject\n"                                                               \
	"      - drill-rest-file\n"                                                                \
	"      - drill-tls-listener\n"                                                             \
	"      - drill-tls-plaintext\n"                                                            \
	"      - drill-tls-version\n"                                                              \
	"      - drill-tls-cipher\n"                                                               \
	"      - drill-tls-midstream\n"                                                            \
	"      - drill-tls-writer\n"                                                               \
	"      - drill-tls-bypass\n"                                                               \
	"      - drill-tls-key\n"                                                                  \
	"      - drill-self-tamper\n"

static const struct {
	const char *name, *text;
} builtin[] = {
	{"azure-cache", "name: azure-cache\n"
			"tls:\n"
			"  minimum: 1.2\n"
			"promises:\n" PLAIN "  - promise: TLS 1.2 or newer, with safe ciphers\n"
			"    checks:\n" WIRE CERTIFICATE
			"  - promise: Memory is seen only inside the server's process\n"
			"    checks:\n" MEMORY REST MONITORED},
	{"strict",
	 "name: strict\n"
	 "tls:\n"
	 "  minimum: 1.3\n"
	 "certificate:\n"
	 "  days: 14\n"
	 "  strength: 128\n"
	 "promises:\n" PLAIN "  - promise: TLS 1.3, with safe ciphers\n"
	 "    checks:\n" WIRE "      - tls-tickets\n"
	 "  - promise: Clients prove who they are\n"
	 "    checks:\n"
	 "      - tls-client-cert\n" CERTIFICATE
	 "  - promise: Memory is seen only inside the server's process, on a hardened host\n"
	 "    checks:\n" MEMORY "      - mem-no-new-privs\n"
	 "      - mem-seccomp\n"
	 "      - mem-hidden\n"
	 "      - mem-lockdown\n" REST MONITORED},
};

const char *profile_builtin(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++) {
		if (!strcmp(builtin[i].name, name))
			return builtin[i].text;
	}
	return NULL;
}

static bool unknown_check(const struct profile_promise *p, const char *id, char *error, size_t size)
{
	const char *known[CHECK_MAX];
	char hint[POLICY_HINT_LEN], shown[64];

	for (size_t i = 0; i < check_count; i++)
		known[i] = checks[i].id;
	policy_hint(id, known, check_count, hint);
	policy_printable(id, shown, sizeof(shown));
	snprintf(
		error, size,
		"%s:%u: promises[].checks: unknown check '%s'%s; expected one that `cachewarden validate "
		"--list` prints",
		p->at.file, p->at.line, shown, hint);
	return false;
}

/* A check belongs to one promise: a report says of each check what it proves. */
static bool named_twice(const struct profile_promise *p, const char *id, char *error, size_t size)
{
	snprintf(error, size,
		 "%s:%u: promises[].checks: '%s' is named for the second time; expected it once",
		 p->at.file, p->at.line, id);
	return false;
}

static bool check_promise(const struct profile_promise *p, bool *seen, char *error, size_t size)
{
	for (size_t i = 0; i < p->checks; i++) {
		const struct check *c = check_find(p->check[i]);

		if (!c)
			return unknown_check(p, p->check[i], error, size);
		if (seen[c - checks])
			return named_twice(p, p->check[i], error, size);
		seen[c - checks] = true;
	}
	return true;
}

static bool check_profile(const struct profile *p, const char *name, char *error, size_t size)
{
	bool seen[CHECK_MAX] = {};
	size_t named = 0;

	for (size_t i = 0; i < p->promises; i++) {
		if (!check_promise(&p->promise[i], seen, error, size))
			return false;
		named += p->promise[i].checks;
	}
	if (!p->name)
		snprintf(error, size, "%s: name: required key is missing; expected a name", name);
	else if (!named)
		snprintf(error, size, "%s: promises: no check is named; expected at least one",
			 name);
	return p->name && named;
}

bool profile_parse(struct profile *p, const char *name, const char *text, size_t len, char *error,
		   size_t size)
{
	*p = (struct profile){};
	policy_table_init(&profile_table, p);
	if (policy_yaml_read(&profile_table, p, name, text, len, error, size) &&
	    check_profile(p, name, error, size))
		return true;
	profile_free(p);
	return false;
}

void profile_free(struct profile *p)
{
	policy_table_free(&profile_table, p);
}
