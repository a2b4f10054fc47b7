// SPDX-License-Identifier: BSD-2-Clause
/* ocsf.c - see ocsf.h. */
#include "report/ocsf.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/macros.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OCSF_VERSION "1.8.0"
#define CLASS_DETECTION_FINDING 2004

void ocsf_head(struct jsonw *j, enum ocsf_activity activity, enum severity severity)
{
	static const char *const activities[] = {"", "Create", "Update", "Close"};
	static const int statuses[] = {0, 1, 2, 4}; /* New, In Progress, Resolved */
	static const char *const severities[] = {"",	   "Informational", "Low",
						 "Medium", "High",	    "Critical"};

	jsonw_int(j, "class_uid", CLASS_DETECTION_FINDING);
	jsonw_string(j, "class_name", "Detection Finding");
	jsonw_int(j, "category_uid", 2);
	jsonw_string(j, "category_name", "Findings");
	jsonw_int(j, "activity_id", activity);
	jsonw_string(j, "activity_name", activities[activity]);
	jsonw_int(j, "type_uid", CLASS_DETECTION_FINDING * 100 + (int)activity);
	jsonw_int(j, "severity_id", severity);
	jsonw_string(j, "severity", severities[severity]);
	jsonw_int(j, "status_id", statuses[activity]);
	jsonw_int(j, "confidence_id", 3); /* High: the kernel's own word */
	jsonw_object(j, "metadata");
	jsonw_string(j, "version", OCSF_VERSION);
	jsonw_object(j, "product");
	jsonw_string(j, "name", "cachewarden");
	jsonw_string(j, "vendor_name", "cachewarden");
	jsonw_string(j, "version", CACHEWARDEN_VERSION);
	jsonw_end_object(j);
	jsonw_array(j, "profiles");
	jsonw_string(j, NULL, "container");
	jsonw_end_array(j);
	jsonw_end_object(j);
	ocsf_device(j);
}

/* ATT&CK numbers a sub-technique T1055.008: the eighth of technique T1055. */
static void put_technique(struct jsonw *j, const struct technique *t)
{
	const char *dot = strchr(t->uid, '.');
	char parent[16];

	jsonw_object(j, NULL);
	jsonw_string(j, "version", ATTACK_VERSION);
	if (dot) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(dot - t->uid), t->uid);
		jsonw_object(j, "technique");
		jsonw_string(j, "uid", parent);
		jsonw_end_object(j);
	}
	jsonw_object(j, dot ? "sub_technique" : "technique");
	jsonw_string(j, "uid", t->uid);
	jsonw_string(j, "name", t->name);
	jsonw_end_object(j);
	jsonw_end_object(j);
}

static void put_attacks(struct jsonw *j, uint32_t rules)
{
	bool any = false;

	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		const struct technique *t = rule_get(r)->techniques;

		for (int i = 0; rules >> r & 1 && i < TECHNIQUES_MAX && t[i].uid; i++) {
			if (!any)
				jsonw_array(j, "attacks");
			any = true;
			put_technique(j, &t[i]);
		}
	}
	if (any)
		jsonw_end_array(j);
}

void ocsf_finding_info(struct jsonw *j, const struct ocsf_finding *f)
{
	jsonw_object(j, "finding_info");
	jsonw_string(j, "uid", f->uid);
	jsonw_string(j, "title", f->title);
	jsonw_int(j, "first_seen_time", f->first_seen_ms);
	if (f->last_seen_ms != OCSF_NO_TIME)
		jsonw_int(j, "last_seen_time", f->last_seen_ms);
	jsonw_object(j, "analytic");
	jsonw_string(j, "uid", rule_name(f->rule));
	jsonw_string(j, "name", rule_title(f->rule, STAGE_NONE));
	jsonw_int(j, "type_id", 1); /* Rule */
	jsonw_end_object(j);
	put_attacks(j, f->rules);
	jsonw_end_object(j);
}

static void put_text(struct jsonw *j, const char *key, const char *text)
{
	if (text && text[0])
		jsonw_string(j, key, text);
}

void ocsf_device(struct jsonw *j)
{
	const struct host *h = host_get();

	jsonw_object(j, "device");
	jsonw_int(j, "type_id", 1); /* Server */
	jsonw_string(j, "hostname", h->name);
	put_text(j, "uid", h->machine_id);
	put_text(j, "boot_uid", h->boot_id);
	jsonw_object(j, "os");
	jsonw_string(j, "name", "Linux");
	jsonw_int(j, "type_id", 200); /* Linux */
	put_text(j, "kernel_release", h->kernel);
	jsonw_end_object(j);
	jsonw_end_object(j);
}

void ocsf_remediation(struct jsonw *j, unsigned int rule, enum stage stage)
{
	if (!rule_advice(rule, stage))
		return;
	jsonw_object(j, "remediation");
	jsonw_string(j, "desc", rule_advice(rule, stage));
	jsonw_end_object(j);
}

void ocsf_resources(struct jsonw *j, const struct instance *in)
{
	if (!in)
		return;
	jsonw_array(j, "resources");
	jsonw_object(j, NULL);
	jsonw_string(j, "uid", in->uid);
	jsonw_string(j, "name", in->name);
	jsonw_string(j, "type", "cache server");
	jsonw_int(j, "role_id", 1); /* Target */
	jsonw_string(j, "hostname", host_get()->name);
	jsonw_end_object(j);
	jsonw_end_array(j);
}

static void put_file(struct jsonw *j, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!path[0])
		return;
	jsonw_object(j, "file");
	jsonw_string(j, "name", slash && slash[1] ? slash + 1 : path);
	jsonw_string(j, "path", path);
	jsonw_int(j, "type_id", 1); /* Regular File */
	jsonw_end_object(j);
}

void ocsf_actor(struct jsonw *j, const struct actor *a)
{
	char uid[16];

	jsonw_int(j, "pid", a->pid);
	jsonw_int(j, "created_time", clock_epoch_ms(a->start_ns));
	put_text(j, "name", a->comm);
	put_text(j, "cmd_line", a->cmdline);
	put_file(j, a->exe);
	if (a->detailed) {
		snprintf(uid, sizeof(uid), "%u", a->uid);
		jsonw_object(j, "user");
		jsonw_string(j, "uid", uid);
		jsonw_end_object(j);
	}
	if (a->container[0]) {
		jsonw_object(j, "container");
		jsonw_string(j, "uid", a->container);
		jsonw_end_object(j);
	}
}

void ocsf_instance(struct jsonw *j, const struct instance *in)
{
	jsonw_object(j, "process");
	jsonw_int(j, "pid", in->pid);
	put_text(j, "name", in->comm);
	put_file(j, in->exe);
	jsonw_end_object(j);
}

void ocsf_observables(struct jsonw *j, const struct ocsf_observable *o, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!o[i].value || !o[i].value[0])
			continue;
		if (!any)
			jsonw_array(j, "observables");
		any = true;
		jsonw_object(j, NULL);
		jsonw_string(j, "name", o[i].name);
		jsonw_int(j, "type_id", 99); /* Other: named by type */
		jsonw_string(j, "type", o[i].type);
		jsonw_string(j, "value", o[i].value);
		jsonw_end_object(j);
	}
	if (any)
		jsonw_end_array(j);
}

void ocsf_process_uid(struct jsonw *j, uint32_t pid, uint64_t start_ns)
{
	char uid[HOST_PROCESS_LEN];

	host_process_uid(pid, start_ns, uid);
	jsonw_string(j, "process_uid", uid);
}

void ocsf_endpoint(struct jsonw *j, const char *key, const char *ip, uint16_t port)
{
	jsonw_object(j, key);
	jsonw_string(j, "ip", ip);
	jsonw_int(j, "port", port);
	jsonw_end_object(j);
}

void ocsf_event_uid(const char *prefix, uint64_t id, char buf[OCSF_UID_LEN])
{
	snprintf(buf, OCSF_UID_LEN, "%s-%" PRIu64, prefix, id);
}

void ocsf_incident_uid(const char *prefix, uint64_t id, char buf[OCSF_UID_LEN])
{
	snprintf(buf, OCSF_UID_LEN, "%s-i%" PRIu64, prefix, id);
}
