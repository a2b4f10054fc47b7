/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch_lines.h - single lines of watch_layout.h. Each is written into the picture from that row on; those that return an int return the
 * row behind what they wrote. Members that an answer lacks are shown as empty or 0: the monitor may be of another version. Pure.
 */
#ifndef CACHEWARDEN_WATCH_LINES_H
#define CACHEWARDEN_WATCH_LINES_H

#include "cmd/picture.h"
#include "cmd/watch.h"

/* Whose answers these are, and whether it still answers. */
int watch_line_head(const struct watch *w, int64_t now_ms, struct picture *f, int row);
int watch_line_counts(const struct watch *w, struct picture *f, int row);

/* What was lost, and what could not be seen, if anything. */
int watch_line_lost(const struct watch *w, struct picture *f, int row);

/* Sensors, lag, sweeps, evidence, output. */
int watch_line_work(const struct watch *w, int64_t now_ms, struct picture *f, int row);

/* Titles of the lists. */
void watch_line_servers(struct picture *f, int row);
void watch_line_incidents(const struct watch *w, struct picture *f, int row);

void watch_line_server(const json_t *in, struct picture *f, int row);
void watch_line_incident(const json_t *incident, struct picture *f, int row);

#endif
