/* SPDX-License-Identifier: BSD-2-Clause */
/* incident_view.h - an incident at the moment it is reported, with the names its ids stand for. */
#ifndef CACHEWARDEN_INCIDENT_VIEW_H
#define CACHEWARDEN_INCIDENT_VIEW_H

#include "model/incident.h"
#include "model/instance.h"

struct incident_view {
	const struct incident *incident;
	enum incident_change change;
	/* target; NULL: the host, or a start that was never seen */
	const struct instance *instance;
	const struct instance *tenant; /* the actor's own instance, NULL if it has none */
	const char *uid_prefix;	       /* as in struct finding */
};

#endif
