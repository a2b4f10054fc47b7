/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep.h - what the files of the suite `sweep` share: servers, the stand-in for a server, the monitor, and the tests
 * outside sweep.c.
 */
#ifndef LIVE_SWEEP_H
#define LIVE_SWEEP_H

#include "harness.h"

#define STARTED_MS 2500 /* by then the monitor regards a listening instance as started */
#define SWEEPS_MS 2500	/* at least two sweeps */
_Static_assert(SWEEPS_MS >= STARTED_MS,
	       "what starts before a wait for sweeps has started after it");

extern struct server *sweep_redis;
extern struct server *sweep_traced, *sweep_probed; /* traced and probed before the monitor starts */
extern struct monitor *sweep_mon;

/* Starts a process that counts as a server. It performs its action on SIGUSR1 (standin_act()), or at its start if early. */
struct server *standin_start(const char *what, const char *file, bool early);
void standin_act(struct server *s);

/* ---- older than the monitor ---- */

/* Creates all states that the tests below look for. Runs before the monitor starts. */
void sweep_before_setup(void);

struct held_state {
	int holder;
	const char *rule, *detail, *severity;
};

#define HELD(...) &((const struct held_state){__VA_ARGS__})

void sweep_held_before(const void *arg);
void sweep_traced_before(const void *arg);
void sweep_probed_before(const void *arg);
void sweep_writable_before(const void *arg);
void sweep_shared_before(const void *arg);
void sweep_merged_before(const void *arg);
void sweep_ordinary_before(const void *arg);
void sweep_programs_before(const void *arg);

/* ---- code and swap ---- */

/* What it does when it acts: memory made executable, writable and executable, a file mapped; allocates only. */
enum standin { STANDIN_WX, STANDIN_RWX, STANDIN_FILE, STANDIN_GROW, STANDINS };

struct injected_code {
	enum standin standin;
	const char *vector, *detail;
};

#define INJECTION(...) &((const struct injected_code){__VA_ARGS__})

/* Starts the stand-ins, which must run for STARTED_MS beside the monitor before they act. */
void sweep_code_setup(void);

void sweep_module_loaded(const void *arg);
void sweep_module_at_start(const void *arg);
void sweep_injected(const void *arg);
void sweep_allocates(const void *arg);
void sweep_probe_planted(const void *arg);
void sweep_swapped_out(const void *arg);

#endif
