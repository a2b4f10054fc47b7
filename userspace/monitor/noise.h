/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise.h - what a single user does so much of that others could go unseen: what he took beyond his share is counted by the
 * kernel side (bpf/lib/budget.bpf.h) and here, and reported with his uid and the process that began it.
 */
#ifndef CACHEWARDEN_NOISE_H
#define CACHEWARDEN_NOISE_H

#include "monitor/state.h"

/* An entry of the attempts table belongs to that user; 0: to root, or to nobody. */
void noise_count(struct noise *n, uint32_t account);

/* All entries are counted: tell the kernel side who has too many of them. */
void noise_limit(struct monitor *m);

/* Report who took more than his share. To be called once a second. */
void noise_report(struct monitor *m);

/* What all users share was full: report it with the user who took most of it lately. */
void noise_report_full(struct monitor *m, const char *note, uint64_t total);

#endif
