/* SPDX-License-Identifier: BSD-2-Clause */
/* event_text.h - a finding as one line for a terminal. */
#ifndef CACHEWARDEN_EVENT_TEXT_H
#define CACHEWARDEN_EVENT_TEXT_H

#include "report/buffer.h"
#include "report/finding.h"

/* A writer of formats[] (format.h). */
const char *event_text(const struct finding *f, struct report_buf *b, size_t *ret_len);

/* Parts of that line: " by ACTOR" (empty if nobody is known), and "RULE: what was done and with which outcome". */
void event_actor_text(const struct finding *f, char *buf, size_t size);
void event_action_text(const struct finding *f, char *buf, size_t size);

#endif
