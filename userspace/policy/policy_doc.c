// SPDX-License-Identifier: BSD-2-Clause
/* policy_doc.c - see policy_doc.h. */
#include "policy/policy_doc.h"

#include "policy/policy_key.h"
#include "policy/policy_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOC_ROOM (64u << 10)

const char policy_example[] = "instances:\n"
			      "  - name: sessions\n"
			      "    match:\n"
			      "      port: 6379\n"
			      "      unit: redis-sessions*.service\n"
			      "    rules:\n"
			      "      mem-read:\n"
			      "        mode: prevent\n"
			      "      mem-inspect:\n"
			      "        severity: high\n"
			      "  - name: everywhere\n"
			      "    rules:\n"
			      "      mem-spill:\n"
			      "        mode: observe\n"
			      "tls:\n"
			      "  minimum: 1.3\n"
			      "  plaintext:\n"
			      "    - peer: 127.0.0.0/8\n"
			      "      owner: /usr/bin/redis_exporter\n"
			      "allow:\n"
			      "  - rule: mem-trace\n"
			      "    exe: /usr/bin/gdb\n"
			      "    uid: 0\n"
			      "    until: 2026-12-01\n"
			      "    reason: ticket 4711, latency spikes of the session cache\n"
			      "sinks:\n"
			      "  - name: archive\n"
			      "    to: file:/var/log/cachewarden/alerts.json\n"
			      "  - name: siem\n"
			      "    to: syslog:siem.example.com:6514\n"
			      "    ca: /etc/cachewarden/siem-ca.pem\n"
			      "    severity: medium\n"
			      "incidents:\n"
			      "  quiet: 120\n";

static const char *const introduction[] = {
	"cachewarden needs no policy. Without one every rule raises alerts, nothing is allowed and nothing is "
	"prevented. A policy changes that: /etc/cachewarden/policy.yaml, or the file given to `run --policy`, then "
	"all *.yaml files in the directory policy.d beside it, sorted by name. A later file adds to lists and "
	"replaces single values.",
	"Files are YAML, without aliases and tags. A policy with an error is refused as a whole; the message names "
	"file, line, key, what is wrong and what was expected. `run` refuses files that anybody but their owner can "
	"write. On SIGHUP it reads all files again: a valid policy replaces the old one between two events; for an "
	"invalid one the error is logged and the old policy stays active.",
	"`cachewarden policy check FILE` exits with 0 if the policy is valid and with 2 if not. `cachewarden policy "
	"test FILE EVENTS` evaluates events recorded by `cachewarden run --events --output json`. `cachewarden "
	"policy explain [KEY]` prints this reference.",
	NULL,
};

struct doc {
	char *buf;
	size_t len;
	enum policy_doc form;
};

__attribute__((format(printf, 2, 3))) static void put(struct doc *d, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(d->buf + d->len, DOC_ROOM - d->len, fmt, args);
	va_end(args);
	if (n > 0)
		d->len += (size_t)n < DOC_ROOM - d->len ? (size_t)n : DOC_ROOM - d->len - 1;
}

/* Escape for roff: hyphens, backslashes, and a dot or quote at the beginning of a line. */
static void put_man(struct doc *d, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\\' || *p == '-')
			put(d, "\\%s", *p == '-' ? "-" : "e");
		else if ((*p == '.' || *p == '\'') && (p == text || p[-1] == '\n'))
			put(d, "\\&%c", *p);
		else if (*p != '`')
			put(d, "%c", *p);
	}
}

static void put_key(struct doc *d, const struct policy_key *k)
{
	const char *preset = k->preset ?: k->absent;
	char expected[POLICY_EXPECTED_LEN];

	policy_value_expected(k, expected);
	switch (d->form) {
	case DOC_TEXT:
		put(d, "%s\n    %s%s%s%s\n    %s\n", k->path, expected,
		    k->required ? "; required" : "", preset ? "; default: " : "", preset ?: "",
		    k->help);
		break;
	case DOC_MARKDOWN:
		put(d, "| `%s` | %s | %s | %s |\n", k->path, expected,
		    k->required ? "required" : preset ?: "", k->help);
		break;
	case DOC_MAN:
		put(d, ".TP\n.B ");
		put_man(d, k->path);
		put(d, "\n");
		put_man(d, k->help);
		put(d, "\n.br\n");
		put_man(d, expected);
		if (k->required)
			put(d, "; required");
		if (preset) {
			put(d, "; default: ");
			put_man(d, preset);
		}
		put(d, "\n");
		break;
	}
}

static void put_begin(struct doc *d)
{
	if (d->form == DOC_MARKDOWN)
		put(d,
		    "# The policy\n\n<!-- made by `make docs` from userspace/policy/policy_key.c -->\n\n");
	if (d->form == DOC_MAN)
		put(d,
		    ".\\\" made by `make docs` from userspace/policy/policy_key.c\n"
		    ".TH CACHEWARDEN\\-POLICY 5 \"\" cachewarden\n.SH NAME\n"
		    "cachewarden\\-policy \\- settings per server and rule, TLS requirements and exceptions\n"
		    ".SH DESCRIPTION\n");
	for (size_t i = 0; introduction[i]; i++) {
		if (d->form == DOC_MAN) {
			put_man(d, introduction[i]);
			put(d, "\n.PP\n");
		} else {
			put(d, "%s\n\n", introduction[i]);
		}
	}
	if (d->form == DOC_MARKDOWN)
		put(d, "| key | value | default | |\n|---|---|---|---|\n");
	if (d->form == DOC_MAN)
		put(d, ".SH KEYS\n");
}

static void put_end(struct doc *d)
{
	if (d->form == DOC_MARKDOWN)
		put(d, "\n## Example\n\n```yaml\n%s```\n", policy_example);
	if (d->form == DOC_TEXT)
		put(d, "\nExample:\n\n%s", policy_example);
	if (d->form == DOC_MAN) {
		put(d, ".SH EXAMPLE\n.EX\n");
		put_man(d, policy_example);
		put(d,
		    ".EE\n.SH FILES\n/etc/cachewarden/policy.yaml, /etc/cachewarden/policy.d/*.yaml\n");
	}
}

char *policy_doc(enum policy_doc form, const char *key)
{
	struct doc d = {.buf = malloc(DOC_ROOM), .form = form};
	size_t len = key ? strlen(key) : 0;
	bool found = !key;

	if (!d.buf)
		return NULL;
	d.buf[0] = '\0';
	if (!key)
		put_begin(&d);
	for (size_t i = 0; i < policy_table.count; i++) {
		const struct policy_key *k = &policy_table.key[i];

		if (key && (strncmp(k->path, key, len) || !strchr(".[", k->path[len])))
			continue;
		found = true;
		put_key(&d, k);
	}
	if (!key)
		put_end(&d);
	if (found)
		return d.buf;
	free(d.buf);
	return NULL;
}
