// SPDX-License-Identifier: BSD-2-Clause
/* enrich_thread.c - the threads of enrich_queue.c: they read what may make them wait, and close what may, too. */
#include "monitor/enrich_internal.h"

#include "base/clock.h"
#include "base/procdir.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct worker {
	struct enrich *e;
	struct known_packages known;
	struct jsonw json;
};

/* --- in a thread --- */

static struct job *first_waiting(struct enrich *e)
{
	struct job *first = NULL;

	for (size_t i = 0; i < ENRICH_JOBS; i++) {
		struct job *job = &e->job[i];

		if (job->state == JOB_WAITING && !job->given_up &&
		    (!first || job->number < first->number))
			first = job;
	}
	return first;
}

/* With the lock, which is not held meanwhile. Returns false if the thread is not needed any more: it was stuck at that. */
static bool close_all(struct enrich *e)
{
	uint64_t since = clock_mono_ns();
	size_t n = e->closings;
	int fd[CLOSING_MAX];

	memcpy(fd, e->closing, n * sizeof(fd[0]));
	e->closings = 0;
	e->closing_ns = since;
	pthread_mutex_unlock(&e->lock);
	while (n)
		close(fd[--n]);
	pthread_mutex_lock(&e->lock);
	if (e->closing_ns != since)
		return false;
	e->closing_ns = 0;
	return true;
}

static void begin_job(struct enrich *e, struct job *job, struct keeping *ret)
{
	job->state = JOB_RUNNING;
	job->since_ns = clock_mono_ns();
	*ret = e->keeping;
	ret->abandoned = &job->given_up;
	if (!ret->why_not && e->keeping_busy)
		ret->why_not = "another executable was being copied";
	job->keeps = !ret->why_not;
	e->keeping_busy = e->keeping_busy || job->keeps;
}

/* NULL: end. *ret_wanted: false if another thread took this one's place. */
static struct job *take(struct enrich *e, struct keeping *ret, bool *ret_wanted)
{
	struct job *job = NULL;

	pthread_mutex_lock(&e->lock);
	for (;;) {
		*ret_wanted = !e->closings || close_all(e);
		job = *ret_wanted ? first_waiting(e) : NULL;
		if (!*ret_wanted || job || e->stop)
			break;
		if (!e->closings)
			pthread_cond_wait(&e->wake, &e->lock);
	}
	if (job)
		begin_job(e, job, ret);
	pthread_mutex_unlock(&e->lock);
	return job;
}

/* Returns false if the thread is not needed any more: another one took its place. */
static bool give_back(struct enrich *e, struct job *job, const struct keeping *k)
{
	bool wanted;

	job_let_go(job); /* may wait for the disk */
	pthread_mutex_lock(&e->lock);
	wanted = !job->given_up;
	if (job->keeps && wanted) {
		e->keeping.used = k->used;
		e->keeping_busy = false;
	} else {
		e->keeping.used += k->added;
	}
	if (wanted) {
		job->state = JOB_DONE;
		e->news = true;
	} else {
		job_release(job);
	}
	pthread_cond_broadcast(&e->idle);
	pthread_mutex_unlock(&e->lock);
	return wanted;
}

static void *run(void *ctx)
{
	struct worker *w = ctx;
	struct enrich *e = w->e;
	struct keeping keeping;
	bool wanted = true;
	struct job *job;

	while (wanted && (job = take(e, &keeping, &wanted))) {
		job_run(job, &w->json, PROCDIR_ROOT, DPKG_DIR, &w->known, &keeping);
		wanted = give_back(e, job, &keeping);
	}
	known_packages_free(&w->known);
	jsonw_free(&w->json);
	free(w);
	pthread_mutex_lock(&e->lock);
	e->threads--;
	if (wanted)
		e->working = false;
	pthread_cond_broadcast(&e->idle);
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

/* Signals are the main thread's. */
int enrich_thread_start(struct enrich *e)
{
	struct worker *w = calloc(1, sizeof(*w));
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, was;
	int err;

	if (!w)
		return -ENOMEM;
	w->e = e;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	err = pthread_create(&thread, &attr, run, w);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	pthread_attr_destroy(&attr);
	if (err) {
		free(w);
		return -err;
	}
	e->threads++;
	e->working = true;
	return 0;
}

void enrich_give_up(struct enrich *e, struct job *job)
{
	__atomic_store_n(&job->given_up, true, __ATOMIC_SEQ_CST);
	e->news = true;
}

static void leave_thread(struct enrich *e)
{
	e->working = false;
	e->status.stuck++;
	if (e->threads < ENRICH_THREADS)
		enrich_thread_start(e);
}

void enrich_threads_check(struct enrich *e)
{
	uint64_t now = clock_mono_ns();

	if (e->working && e->closing_ns && now >= e->closing_ns + ENRICH_STUCK_MS * NS_PER_MS) {
		e->closing_ns = 0;
		leave_thread(e);
	}

	for (size_t i = 0; i < ENRICH_JOBS && e->working; i++) {
		struct job *job = &e->job[i];

		if (job->state != JOB_RUNNING || job->given_up ||
		    now < job->since_ns + ENRICH_STUCK_MS * NS_PER_MS)
			continue;
		enrich_give_up(e, job);
		if (job->keeps) /* its copy is not wanted any more */
			e->keeping_busy = false;
		leave_thread(e);
	}
	if (!e->working && e->threads < ENRICH_THREADS && !e->stop)
		enrich_thread_start(e);
}

/* --- descriptors --- */

/* What one event may have held, and one job. */
bool enrich_can_close(const struct enrich *e)
{
	return e->closings + 5 <= CLOSING_MAX;
}

void enrich_close_later(struct enrich *e, int *fd)
{
	if (*fd < 0)
		return;
	if (e->closings == CLOSING_MAX)
		close(*fd);
	else
		e->closing[e->closings++] = *fd;
	*fd = -1;
	pthread_cond_signal(&e->wake);
}
