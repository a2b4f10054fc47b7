/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.h - what `cachewarden watch` knows of a monitor, from its answers to status and incidents, and what its keys change. Pure:
 * answers and the time are passed in. watch_layout.h draws it.
 */
#ifndef CACHEWARDEN_WATCH_H
#define CACHEWARDEN_WATCH_H

#include "cmd/filter.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_INCIDENTS 256 /* kept; a monitor keeps as many */
#define WATCH_RATE_S 10	    /* rates are over that time */
#define WATCH_SAMPLES (WATCH_RATE_S + 1)
#define WATCH_WHY 160

enum watch_pane { PANE_SERVERS, PANE_INCIDENTS, PANE_MAX };

enum watch_key {
	KEY_OF_NONE,
	KEY_OF_QUIT,
	KEY_OF_HELP,
	KEY_OF_UP,
	KEY_OF_DOWN,
	KEY_OF_PAGE_UP,
	KEY_OF_PAGE_DOWN,
	KEY_OF_TOP,
	KEY_OF_END,
	KEY_OF_PANE,  /* the other list */
	KEY_OF_OTHER, /* a key without a meaning */
};

/* Counters of a monitor at one time. */
struct watch_sample {
	uint64_t at_ns; /* CLOCK_BOOTTIME */
	int64_t events, lost;
};

struct watch {
	struct filter filter;
	json_t *status;		/* the last answer; NULL: none yet */
	json_t *incidents;	/* array, the one that was reported last first */
	uint64_t seq;		/* of the last one: what to ask for next */
	int64_t older;		/* that the monitor no longer keeps */
	char why[WATCH_WHY];	/* it does not answer; empty: it does */
	int64_t silent_ms;	/* since then, epoch milliseconds */
	bool help, quit;	/* what keys asked for */
	enum watch_pane pane;	/* that the arrows move */
	size_t top[PANE_MAX];	/* how many entries are above the first one shown */
	size_t size[PANE_MAX];	/* entries of a page; set when it was drawn */
	size_t count[PANE_MAX]; /* entries in all; the same */
	struct watch_sample sample[WATCH_SAMPLES]; /* the latest first */
	size_t samples;
};

/* False: out of memory. */
bool watch_init(struct watch *w, const struct filter *filter);
void watch_free(struct watch *w);

/* An answer to CONTROL_STATUS, which it takes. One of another monitor closes what is open: its incidents ended with it. */
void watch_status(struct watch *w, json_t *status, uint64_t now_ns);

/* An answer to CONTROL_INCIDENTS with w->seq. */
void watch_incidents(struct watch *w, const json_t *reply);

/* There was no answer. */
void watch_silent(struct watch *w, const char *why, int64_t now_ms);

void watch_key(struct watch *w, enum watch_key key);

/* How many a second lately; -1: not known yet. */
double watch_event_rate(const struct watch *w);

/* How many records were lost in the time that rates are over. */
int64_t watch_lost_lately(const struct watch *w);

#endif
