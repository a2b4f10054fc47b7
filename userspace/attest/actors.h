/* SPDX-License-Identifier: BSD-2-Clause */
/* actors.h - the processes of events as trees: who did it, started by whom. */
#ifndef CACHEWARDEN_ACTORS_H
#define CACHEWARDEN_ACTORS_H

#include <jansson.h>
#include <stdio.h>

#define ACTORS_MAX 400

struct actors;

struct actors *actors_new(void);
void actors_free(struct actors *a);

/* Add the actor of an event, by its record. Of several reports of one alert the last one counts. */
void actors_add(struct actors *a, json_t *record);

/* What an entry of kind "actor" says of one, by its record; before or after its event. */
void actors_detail(struct actors *a, json_t *record);

/* As nested lists. */
void actors_html(FILE *f, const struct actors *a);

#endif
