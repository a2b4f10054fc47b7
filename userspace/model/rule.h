/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule.h - the rules: one row each holds everything there is to know about it. Adding a rule takes a number
 * in event.h and a row in rule.c; policies, reports and the rule table of README.md read the row.
 *
 * Names are a contract: policies, alerts, tests and documents refer to them.
 */
#ifndef CACHEWARDEN_RULE_H
#define CACHEWARDEN_RULE_H

#include "model/severity.h"

#include "event.h"

#include <stddef.h>
#include <stdint.h>

/* How far an attack has come. Ordered: a later stage is worse. */
enum stage {
	STAGE_NONE,
	STAGE_LOOK,
	STAGE_TOUCH,
	STAGE_TAKE,
	STAGE_CHANGE,
	STAGE_SPILL,
	STAGE_MAX
};

#define ATTACK_VERSION "17.1" /* of the ATT&CK data that the technique ids come from */
#define TECHNIQUES_MAX 2

struct technique {
	const char *uid; /* NULL: none */
	const char *name;
};

struct rule {
	const char *name;	 /* "mem-read" */
	const char *title;	 /* of an alert, for people */
	const char *broken_when; /* Markdown, for the rule table of README.md */
	enum severity severity;	 /* of a successful attempt, where nothing more specific is known */
	enum stage stage;	 /* reached by a successful attempt */
	struct technique techniques[TECHNIQUES_MAX];
	const char *advice;		      /* what to do, for whoever reads the alert at night */
	const char *look_title, *look_advice; /* instead at STAGE_LOOK; NULL: the same */
};

/* RULE_NONE + 1 to RULE_MAX - 1; NULL for any other number. */
const struct rule *rule_get(unsigned int rule);

/* RULE_NONE if no rule has that name. */
unsigned int rule_find(const char *name);

/* Shorthands; NULL for a number that is no rule. stage: the one reached. */
const char *rule_name(unsigned int rule);
const char *rule_title(unsigned int rule, enum stage stage);
const char *rule_advice(unsigned int rule, enum stage stage);

/* Names of all rules in a set of 1u << rule, separated by spaces. Cut to size. */
void rule_names(uint32_t set, char *buf, size_t size);

/* NULL for STAGE_NONE and beyond. */
const char *stage_name(enum stage s);

#endif
