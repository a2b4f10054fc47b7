// SPDX-License-Identifier: BSD-2-Clause
/* ecs.c - see ecs.h. */
#include "report/ecs.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/macros.h"
#include "model/tls_suite.h"
#include "tls/facts.h"

#include <stdio.h>
#include <string.h>

#define ECS_VERSION "8.17.0"

/* What a broken rule is about, in the schema's words; the type is one that the schema expects for the category. */
static const struct {
	const char *category, *type;
} about[] = {
	[RULE_MEM_TRACE] = {"process", "access"},
	[RULE_MEM_READ] = {"process", "access"},
	[RULE_MEM_WRITE] = {"process", "change"},
	[RULE_MEM_INSPECT] = {"process", "info"},
	[RULE_MEM_FD] = {"process", "access"},
	[RULE_MEM_REMOTE] = {"process", "change"},
	[RULE_MEM_PROBE] = {"process", "access"},
	[RULE_MEM_KERNEL] = {"driver", "change"},
	[RULE_MEM_DUMP] = {"process", "access"},
	[RULE_MEM_INJECT] = {"process", "change"},
	[RULE_MEM_SPILL] = {"host", "change"},
	[RULE_REST_FILE] = {"file", "access"},
	[RULE_TLS_PLAINTEXT] = {"network", "protocol"},
	[RULE_TLS_VERSION] = {"network", "protocol"},
	[RULE_TLS_CIPHER] = {"network", "protocol"},
	[RULE_TLS_MIDSTREAM] = {"network", "protocol"},
	[RULE_TLS_WRITER] = {"network", "access"},
	[RULE_TLS_LISTENER] = {"network", "info"},
	[RULE_TLS_KEY] = {"file", "access"},
	[RULE_SELF_TAMPER] = {"process", "change"},
	[RULE_SELF_BLIND] = {"host", "info"},
	[RULE_TLS_BYPASS] = {"network", "protocol"},
};
_Static_assert(ARRAY_SIZE(about) == RULE_MAX, "every rule is about something");

static void put_time(struct jsonw *j, const char *key, int64_t ms)
{
	char text[CLOCK_UTC_LEN];

	clock_text_utc(ms, text);
	jsonw_string(j, key, text);
}

static void put_text(struct jsonw *j, const char *key, const char *text)
{
	if (text && text[0])
		jsonw_string(j, key, text);
}

static const char *about_of(unsigned int rule, bool category)
{
	return category ? about[rule].category : about[rule].type;
}

/* Each value once, and not the one that is there already. */
static void put_about(struct jsonw *j, uint32_t rules, bool category, const char *there)
{
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		const char *value = about_of(r, category);
		bool before = there && !strcmp(value, there);

		for (unsigned int k = RULE_NONE + 1; k < r; k++)
			before =
				before || (rules >> k & 1 && !strcmp(value, about_of(k, category)));
		if (rules >> r & 1 && !before)
			jsonw_string(j, NULL, value);
	}
}

/*
 * What a policy said of an attempt, and every alert, is intrusion detection as well, whose types are allowed, denied and info. What no
 * rule is about has the category that it asks for.
 */
static void put_kind(struct jsonw *j, const struct ecs_event *e)
{
	bool detection = e->rules && (e->type || !strcmp(e->kind, "alert"));
	const char *type = !e->rules ? "info" : detection ? e->type ?: "info" : NULL;

	jsonw_string(j, "kind", e->kind);
	jsonw_array(j, "category");
	if (detection)
		jsonw_string(j, NULL, "intrusion_detection");
	if (!e->rules)
		jsonw_string(j, NULL, e->category ?: "host");
	put_about(j, e->rules, true, NULL);
	jsonw_end_array(j);
	jsonw_array(j, "type");
	if (type)
		jsonw_string(j, NULL, type);
	put_about(j, e->rules, false, type);
	jsonw_end_array(j);
}

static void put_host(struct jsonw *j)
{
	const struct host *h = host_get();

	jsonw_object(j, "host");
	jsonw_string(j, "hostname", h->name);
	put_text(j, "id", h->machine_id);
	if (h->boot_id[0]) {
		jsonw_object(j, "boot");
		jsonw_string(j, "id", h->boot_id);
		jsonw_end_object(j);
	}
	jsonw_object(j, "os");
	jsonw_string(j, "type", "linux");
	put_text(j, "kernel", h->kernel);
	jsonw_end_object(j);
	jsonw_end_object(j);
}

void ecs_head(struct jsonw *j, const struct ecs_event *e)
{
	char dataset[64];

	put_time(j, "@timestamp", e->time_ms);
	jsonw_object(j, "ecs");
	jsonw_string(j, "version", ECS_VERSION);
	jsonw_end_object(j);
	jsonw_string(j, "message", e->message);
	jsonw_object(j, "event");
	put_kind(j, e);
	jsonw_string(j, "module", "cachewarden");
	snprintf(dataset, sizeof(dataset), "cachewarden.%s", e->dataset);
	jsonw_string(j, "dataset", dataset);
	put_text(j, "id", e->id);
	put_text(j, "action", e->action);
	put_text(j, "reason", e->reason);
	put_text(j, "outcome", e->outcome);
	if (e->severity)
		jsonw_int(j, "severity", e->severity);
	if (e->start_ms != ECS_NO_TIME)
		put_time(j, "start", e->start_ms);
	if (e->end_ms != ECS_NO_TIME)
		put_time(j, "end", e->end_ms);
	jsonw_end_object(j);
	jsonw_object(j, "observer");
	jsonw_string(j, "vendor", "cachewarden");
	jsonw_string(j, "product", "cachewarden");
	jsonw_string(j, "type", "hids");
	jsonw_string(j, "version", CACHEWARDEN_VERSION);
	jsonw_end_object(j);
	put_host(j);
}

/* --- rule and threat --- */

/* A technique, T1055, or if it has a dot a part of one, T1055.008. */
static bool is_part(const struct technique *t)
{
	return strchr(t->uid, '.');
}

enum which { TECHNIQUE_IDS, PART_IDS, PART_NAMES };

/* The techniques of those rules, of parts the one they belong to; or the parts. key NULL: only count. */
static size_t put_techniques(struct jsonw *j, uint32_t rules, enum which which, const char *key)
{
	size_t n = 0;

	if (key)
		jsonw_array(j, key);
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		const struct technique *t = rule_get(r)->techniques;

		for (int i = 0; rules >> r & 1 && i < TECHNIQUES_MAX && t[i].uid; i++) {
			char id[16];

			if (which != TECHNIQUE_IDS && !is_part(&t[i]))
				continue;
			snprintf(id, sizeof(id), "%.*s", (int)strcspn(t[i].uid, "."), t[i].uid);
			if (key)
				jsonw_string(j, NULL,
					     which == TECHNIQUE_IDS ? id
					     : which == PART_IDS    ? t[i].uid
								    : t[i].name);
			n++;
		}
	}
	if (key)
		jsonw_end_array(j);
	return n;
}

/* The schema keeps ids and names in arrays side by side. Names of techniques that only their parts name are in no table. */
static void put_threat(struct jsonw *j, uint32_t rules)
{
	if (!put_techniques(j, rules, TECHNIQUE_IDS, NULL))
		return;
	jsonw_object(j, "threat");
	jsonw_string(j, "framework", "MITRE ATT&CK");
	jsonw_object(j, "technique");
	put_techniques(j, rules, TECHNIQUE_IDS, "id");
	if (put_techniques(j, rules, PART_IDS, NULL)) {
		jsonw_object(j, "subtechnique");
		put_techniques(j, rules, PART_IDS, "id");
		put_techniques(j, rules, PART_NAMES, "name");
		jsonw_end_object(j);
	}
	jsonw_end_object(j);
	jsonw_end_object(j);
}

void ecs_rule(struct jsonw *j, unsigned int rule, enum stage stage, uint32_t rules)
{
	if (!rule_get(rule))
		return;
	jsonw_object(j, "rule");
	jsonw_string(j, "id", rule_name(rule));
	jsonw_string(j, "name", rule_title(rule, STAGE_NONE));
	put_text(j, "description", rule_advice(rule, stage));
	jsonw_string(j, "ruleset", "cachewarden");
	jsonw_end_object(j);
	put_threat(j, rules);
}

/* --- who, whom, over what --- */

void ecs_process(struct jsonw *j, const struct actor *a)
{
	char uid[16];

	jsonw_int(j, "pid", a->pid);
	put_time(j, "start", clock_epoch_ms(a->start_ns));
	put_text(j, "name", a->comm);
	put_text(j, "executable", a->exe);
	put_text(j, "command_line", a->cmdline);
	if (a->detailed) {
		snprintf(uid, sizeof(uid), "%u", a->uid);
		jsonw_object(j, "user");
		jsonw_string(j, "id", uid);
		jsonw_end_object(j);
	}
}

void ecs_service(struct jsonw *j, const struct instance *in)
{
	if (!in)
		return;
	jsonw_object(j, "service");
	jsonw_string(j, "id", in->uid);
	jsonw_string(j, "name", in->name);
	jsonw_string(j, "type", "redis");
	jsonw_end_object(j);
}

void ecs_endpoint(struct jsonw *j, const char *key, const char *ip, uint16_t port)
{
	jsonw_object(j, key);
	jsonw_string(j, "address", ip);
	jsonw_string(j, "ip", ip);
	jsonw_int(j, "port", port);
	jsonw_end_object(j);
}

void ecs_tls(struct jsonw *j, const struct conn *c)
{
	const struct tls_suite *suite;
	const char *version;
	char number[16];
	bool ssl;

	if (!conn_negotiated(c))
		return;
	version = tls_version_name(c->facts->version) ?: "";
	suite = tls_suite_find(c->facts->cipher);
	snprintf(number, sizeof(number), "0x%04x", c->facts->cipher);
	ssl = !strncmp(version, "SSL", 3);
	jsonw_object(j, "tls");
	if (version[0]) { /* "TLSv1" is the schema's "1.0" */
		jsonw_string(j, "version",
			     !strcmp(version, "TLSv1") ? "1.0" : version + strlen("TLSv"));
		jsonw_string(j, "version_protocol", ssl ? "ssl" : "tls");
	}
	jsonw_string(j, "cipher", suite ? suite->name : number);
	jsonw_bool(j, "established", true);
	if (c->facts->sni[0]) {
		jsonw_object(j, "client");
		jsonw_string(j, "server_name", c->facts->sni);
		jsonw_end_object(j);
	}
	jsonw_end_object(j);
}
