// SPDX-License-Identifier: BSD-2-Clause
/* ocsf.c - see ocsf.h. */
#include "report/ocsf.h"

#include <inttypes.h>
#include <stdio.h>

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
	jsonw_object(j, "metadata");
	jsonw_string(j, "version", OCSF_VERSION);
	jsonw_object(j, "product");
	jsonw_string(j, "name", "cachewarden");
	jsonw_string(j, "vendor_name", "cachewarden");
	jsonw_string(j, "version", CACHEWARDEN_VERSION);
	jsonw_end_object(j);
	jsonw_end_object(j);
}

void ocsf_finding_info(struct jsonw *j, const char *uid, unsigned int rule, int64_t first_seen_ms,
		       int64_t last_seen_ms)
{
	jsonw_object(j, "finding_info");
	jsonw_string(j, "uid", uid);
	jsonw_string(j, "title", rule_title(rule));
	jsonw_int(j, "first_seen_time", first_seen_ms);
	if (last_seen_ms != OCSF_NO_TIME)
		jsonw_int(j, "last_seen_time", last_seen_ms);
	jsonw_object(j, "analytic");
	jsonw_string(j, "uid", rule_name(rule));
	jsonw_string(j, "name", rule_title(rule));
	jsonw_int(j, "type_id", 1); /* Rule */
	jsonw_end_object(j);
	jsonw_end_object(j);
}

void ocsf_attacks(struct jsonw *j, uint32_t rules)
{
	jsonw_array(j, "attacks");
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		const struct technique *t = rule_get(r)->techniques;

		for (int i = 0; rules >> r & 1 && i < TECHNIQUES_MAX && t[i].uid; i++) {
			jsonw_object(j, NULL);
			jsonw_string(j, "version", ATTACK_VERSION);
			jsonw_object(j, "technique");
			jsonw_string(j, "uid", t[i].uid);
			jsonw_string(j, "name", t[i].name);
			jsonw_end_object(j);
			jsonw_end_object(j);
		}
	}
	jsonw_end_array(j);
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
