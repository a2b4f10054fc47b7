/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enrich_internal.h - what enrich_queue.c, which has the places, and enrich_thread.c, whose threads read, share. A job belongs to the main
 * loop, but while it runs to its thread; the lock protects who has which.
 */
#ifndef CACHEWARDEN_ENRICH_INTERNAL_H
#define CACHEWARDEN_ENRICH_INTERNAL_H

#include "monitor/enrich.h"
#include "monitor/enrich_job.h"

#include <pthread.h>

#define CLOSING_MAX 256 /* descriptors */
#define LAYOUTS 64	/* servers whose last one is remembered */

/* An actor that is held before it is known whether it is wanted. */
struct held {
	bool any;
	uint32_t pid, exec_id;
	uint64_t start_ns;
	int dir, exe;
};

struct enrich {
	pthread_mutex_t lock;
	pthread_cond_t wake, idle;
	struct job job[ENRICH_JOBS];
	uint64_t numbers;
	struct held held;
	/* The last descriptor of a deleted file frees it, which may wait for the disk: a thread closes them. */
	int closing[CLOSING_MAX];
	size_t closings;
	uint64_t closing_ns; /* since when a thread closes some; 0: none does */
	bool news;	     /* something is to be told */
	bool stop;
	unsigned int threads; /* those that are stuck, too */
	bool working;	      /* one of them is not */
	bool keeping_busy;
	struct keeping keeping;
	struct enrich_status status;
	struct jsonw json; /* of the main loop */
	struct {
		uint32_t instance;
		uint64_t ns;
	} layout[LAYOUTS];
	int log;
};

/* All with the lock. */

/* Start a thread. Returns 0 or a negative errno. */
int enrich_thread_start(struct enrich *e);

/* Leave threads that wait for a file or a process for too long, and go on with another one. */
void enrich_threads_check(struct enrich *e);

/* The job is not waited for any more; what is known of it is told. */
void enrich_give_up(struct enrich *e, struct job *job);

/* Have a thread close it, if it is one; *fd is -1 then. A thread that is stuck closes nothing: open no more than there is room for. */
void enrich_close_later(struct enrich *e, int *fd);
bool enrich_can_close(const struct enrich *e);

#endif
