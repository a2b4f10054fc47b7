// SPDX-License-Identifier: BSD-2-Clause
/* format.c - see format.h. */
#include "report/format.h"

#include "base/macros.h"
#include "base/textw.h"
#include "report/conn_ecs.h"
#include "report/conn_json.h"
#include "report/conn_text.h"
#include "report/event_ecs.h"
#include "report/event_json.h"
#include "report/event_text.h"
#include "report/incident_ecs.h"
#include "report/incident_json.h"
#include "report/incident_text.h"

const struct format_ops formats[] = {
	{"text", "lines for a terminal", 't', event_text, incident_text, conn_text,
	 "SINCE  INSTANCE  REMOTE, LOCAL (-> inbound, <- outbound)  TLS CIPHER SNI  IN  OUT\n",
	 "no connections are open\n", heartbeat_text},
	{"json", "one object per line; events and incidents in OCSF 1.8.0", 'j', event_json,
	 incident_json, conn_json, NULL, NULL, heartbeat_json},
	{"ecs", "one object per line, in the Elastic Common Schema 8.17", 'c', event_ecs,
	 incident_ecs, conn_ecs, NULL, NULL, heartbeat_ecs},
};

const size_t format_count = ARRAY_SIZE(formats);

const struct format_ops *format_by_letter(char letter)
{
	for (size_t i = 0; i < format_count; i++) {
		if (formats[i].letter == letter)
			return &formats[i];
	}
	return NULL;
}

const char *format_names(void)
{
	static char names[64];
	struct textw t = {names, sizeof(names), 0, false, false};

	for (size_t i = 0; i < format_count; i++)
		textw_put(&t, "%s%s", i ? "|" : "", formats[i].name);
	return names;
}

const char *format_help(void)
{
	static char help[256];
	struct textw t = {help, sizeof(help), 0, false, false};

	textw_put(&t, "Print ");
	for (size_t i = 0; i < format_count; i++)
		textw_put(&t, "%s%s (%s)", i ? " or " : "", formats[i].name, formats[i].help);
	textw_put(&t, ". Default: %s.", formats[0].name);
	return help;
}
