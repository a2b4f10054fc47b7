/* SPDX-License-Identifier: BSD-2-Clause */
/* host_state.h - what bears on how far this host can be trusted now: a tainted kernel, its lockdown, whether the clock is kept. */
#ifndef CACHEWARDEN_HOST_STATE_H
#define CACHEWARDEN_HOST_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_state {
	int64_t taint;	   /* /proc/sys/kernel/tainted; -1: unknown */
	char lockdown[24]; /* "none", "integrity", "confidentiality"; empty: unknown */
	int ntp_error;	   /* errno, why the next ones are unknown; 0: they are known */
	bool synchronized; /* somebody keeps the clock, by what he told the kernel */
	int64_t offset_us; /* that is still being corrected */
	int64_t max_error_us, estimated_error_us;
};

/* Asks only; adjtimex() without a mode changes nothing. */
void host_state_read(struct host_state *ret);

/* The word in brackets, of a text like "none [integrity] confidentiality"; empty if there is none. */
void host_state_chosen(const char *text, char *buf, size_t size);

#endif
