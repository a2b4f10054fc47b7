// SPDX-License-Identifier: BSD-2-Clause
/* enrich.c - see enrich.h. A job belongs to the main loop, but while it runs to its thread; the lock protects who has which. */
#include "monitor/enrich.h"

#include "base/clock.h"
#include "base/procdir.h"
#include "evidence/blob.h"
#include "monitor/enrich_job.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAYOUT_NS (10 * NS_PER_SEC)  /* between two layouts of one server */
#define KNOWN_NS (3600 * NS_PER_SEC) /* less than BLOB_PRUNE_MARGIN_MS */
#define LAYOUTS 64		     /* servers whose last one is remembered */

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
	bool news; /* something is to be told */
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

		if (job->state == JOB_WAITING && (!first || job->number < first->number))
			first = job;
	}
	return first;
}

/* NULL: end. */
static struct job *take(struct enrich *e, struct keeping *ret)
{
	struct job *job;

	pthread_mutex_lock(&e->lock);
	while (!(job = first_waiting(e)) && !e->stop)
		pthread_cond_wait(&e->wake, &e->lock);
	if (job) {
		job->state = JOB_RUNNING;
		job->since_ns = clock_mono_ns();
		*ret = e->keeping;
		if (!ret->why_not && e->keeping_busy)
			ret->why_not = "another executable was being copied";
		e->keeping_busy = e->keeping_busy || !ret->why_not;
	}
	pthread_mutex_unlock(&e->lock);
	return job;
}

/* Returns false if the thread is not needed any more: another one took its place. */
static bool give_back(struct enrich *e, struct job *job, const struct keeping *k)
{
	bool wanted;

	pthread_mutex_lock(&e->lock);
	if (!k->why_not) {
		e->keeping.used = k->used;
		e->keeping_busy = false;
	}
	wanted = !job->given_up;
	if (wanted) {
		job_let_go(job);
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

	while (wanted && (job = take(e, &keeping))) {
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
static int start_thread(struct enrich *e)
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

/* --- begin and end --- */

static void init_locks(struct enrich *e)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&e->wake, &attr);
	pthread_cond_init(&e->idle, &attr);
	pthread_condattr_destroy(&attr);
}

static void release(struct enrich *e)
{
	enrich_let_go(e);
	for (size_t i = 0; i < ENRICH_JOBS; i++)
		job_release(&e->job[i]);
	jsonw_free(&e->json);
	if (e->log >= 0)
		close(e->log);
	pthread_cond_destroy(&e->wake);
	pthread_cond_destroy(&e->idle);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

int enrich_start(struct enrich **ret, const char *log)
{
	struct enrich *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	init_locks(e);
	for (size_t i = 0; i < ENRICH_JOBS; i++)
		e->job[i].dir = e->job[i].exe = e->job[i].target = -1;
	e->log = open(log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = e->log < 0 ? -errno : 0;
	if (!err) {
		e->keeping = (struct keeping){.log = e->log, .used = blobs_size(e->log)};
		enrich_keep(e, 0);
		pthread_mutex_lock(&e->lock);
		err = start_thread(e);
		pthread_mutex_unlock(&e->lock);
	}
	if (err)
		release(e);
	else
		*ret = e;
	return err;
}

void enrich_keep(struct enrich *e, uint64_t most)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	e->keeping.most = most;
	e->keeping.why_not = most ? NULL : "evidence.keep-executables is not set";
	pthread_mutex_unlock(&e->lock);
}

static bool unfinished(const struct enrich *e)
{
	for (size_t i = 0; i < ENRICH_JOBS; i++) {
		const struct job *job = &e->job[i];

		if (job->state == JOB_WAITING || (job->state == JOB_RUNNING && !job->given_up))
			return true;
	}
	return false;
}

static void until_ms(struct timespec *ret, int ms)
{
	clock_gettime(CLOCK_MONOTONIC, ret);
	ret->tv_sec += ms / 1000;
	ret->tv_nsec += ms % 1000 * (long)NS_PER_MS;
	if (ret->tv_nsec >= (long)NS_PER_SEC) {
		ret->tv_sec++;
		ret->tv_nsec -= (long)NS_PER_SEC;
	}
}

void enrich_finish(struct enrich *e, int timeout_ms)
{
	struct timespec until;

	if (!e)
		return;
	until_ms(&until, timeout_ms);
	pthread_mutex_lock(&e->lock);
	while (e->working && unfinished(e) &&
	       pthread_cond_timedwait(&e->idle, &e->lock, &until) != ETIMEDOUT)
		;
	for (size_t i = 0; i < ENRICH_JOBS; i++) {
		struct job *job = &e->job[i];

		if (job->state != JOB_WAITING && (job->state != JOB_RUNNING || job->given_up))
			continue;
		e->status.dropped++;
		if (job->state == JOB_WAITING)
			job_release(job);
	}
	pthread_mutex_unlock(&e->lock);
}

/* A thread that is stuck keeps what it uses. */
void enrich_free(struct enrich *e)
{
	struct timespec until;
	bool ended;

	if (!e)
		return;
	until_ms(&until, 200);
	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_broadcast(&e->wake);
	while (e->threads && pthread_cond_timedwait(&e->idle, &e->lock, &until) != ETIMEDOUT)
		;
	ended = !e->threads;
	pthread_mutex_unlock(&e->lock);
	if (ended)
		release(e);
}

/* --- jobs, with the lock --- */

/*
 * What is known of that process, and of what it did to that server. What is old is found out again: its files may have
 * changed, and retention counts the age of a copy.
 */
static struct job *find(struct enrich *e, const struct event *ev)
{
	const struct process_info *p = &ev->actor;
	uint64_t now = clock_boot_ns();

	for (size_t i = 0; i < ENRICH_JOBS; i++) {
		struct job *job = &e->job[i];

		if (job->state != JOB_FREE && job->kind == JOB_ACTOR && !job->full &&
		    job->instance == ev->key.instance && now < job->begun_ns + KNOWN_NS &&
		    job->info.pid == p->pid && job->info.start_ns == p->start_ns &&
		    job->info.exec_id == p->exec_id)
			return job;
	}
	return NULL;
}

/* A free place, or that of what was told the longest ago. NULL: all wait. */
static struct job *find_place(struct enrich *e)
{
	struct job *oldest = NULL;

	for (size_t i = 0; i < ENRICH_JOBS; i++) {
		struct job *job = &e->job[i];

		if (job->state == JOB_FREE)
			return job;
		if (job->state == JOB_TOLD && job->told == job->incidents &&
		    (!oldest || job->number < oldest->number))
			oldest = job;
	}
	if (oldest)
		job_release(oldest);
	return oldest;
}

static void submit(struct enrich *e, struct job *job)
{
	job->number = ++e->numbers;
	job->state = JOB_WAITING;
	pthread_cond_signal(&e->wake);
}

/* --- actors --- */

void enrich_let_go(struct enrich *e)
{
	if (!e || !e->held.any)
		return;
	if (e->held.dir >= 0)
		close(e->held.dir);
	if (e->held.exe >= 0)
		close(e->held.exe);
	e->held.any = false;
}

static bool can_be_held(const struct event *ev)
{
	return ev->flags & EVENT_ACTOR && ev->actor.pid &&
	       !(ev->actor.flags & PROCESS_KERNEL_THREAD);
}

static void hold(struct enrich *e, const struct process_info *p)
{
	struct held *h = &e->held;

	enrich_let_go(e);
	h->any = true;
	h->pid = p->pid;
	h->exec_id = p->exec_id;
	h->start_ns = p->start_ns;
	h->dir = procdir_open(PROCDIR_ROOT, (pid_t)p->pid, p->start_ns);
	h->exe = h->dir < 0 ? h->dir : procdir_pin_exe(h->dir);
}

void enrich_hold(struct enrich *e, const struct event *ev)
{
	bool known;

	if (!e || !can_be_held(ev))
		return;
	pthread_mutex_lock(&e->lock);
	known = find(e, ev);
	pthread_mutex_unlock(&e->lock);
	if (!known)
		hold(e, &ev->actor);
}

static bool is_held(const struct enrich *e, const struct process_info *p)
{
	return e->held.any && e->held.pid == p->pid && e->held.start_ns == p->start_ns &&
	       e->held.exec_id == p->exec_id;
}

static void add_incident(struct enrich *e, struct job *job, const char *uid)
{
	for (size_t i = 0; i < job->incidents; i++) {
		if (!strcmp(job->incident[i], uid))
			return;
	}
	snprintf(job->incident[job->incidents++], OCSF_UID_LEN, "%s", uid);
	job->full = job->incidents == JOB_INCIDENTS;
	e->news = e->news || job->state == JOB_TOLD;
}

/* The first of an incident; not more often than every LAYOUT_NS. Returns a descriptor or -1. */
static int hold_target(struct enrich *e, const struct finding *f)
{
	const struct instance *in = f->instance;
	uint64_t now = clock_boot_ns();
	size_t at = in ? in->id % LAYOUTS : 0;

	if (!in || !f->incident || in->id == INSTANCE_SELF ||
	    (e->layout[at].instance == in->id && now < e->layout[at].ns + LAYOUT_NS))
		return -1;
	e->layout[at].instance = in->id;
	e->layout[at].ns = now;
	return procdir_open(PROCDIR_ROOT, (pid_t)in->pid, in->start_ns);
}

static void begin_actor(struct enrich *e, struct job *job, const struct finding *f)
{
	job->kind = JOB_ACTOR;
	job->instance = f->alert->ev.key.instance;
	job->begun_ns = clock_boot_ns();
	job->dir = e->held.dir;
	job->exe = e->held.exe;
	e->held.any = false;
	job->target = hold_target(e, f);
	job_actor_head(job, &e->json, f);
}

void enrich_actor(struct enrich *e, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	char uid[OCSF_UID_LEN];
	struct job *job;

	if (!e || f->update || !can_be_held(ev))
		return;
	pthread_mutex_lock(&e->lock);
	job = find(e, ev);
	if (!job && (job = find_place(e))) {
		if (!is_held(e, &ev->actor))
			hold(e, &ev->actor);
		begin_actor(e, job, f);
		submit(e, job);
	} else if (!job) {
		e->status.dropped++;
	}
	if (job && f->incident) {
		ocsf_incident_uid(f->uid_prefix, f->incident, uid);
		add_incident(e, job, uid);
	}
	pthread_mutex_unlock(&e->lock);
}

/* --- servers --- */

bool enrich_server(struct enrich *e, const struct instance *in, char *const *config, size_t configs)
{
	struct job *job;

	if (!e)
		return true;
	pthread_mutex_lock(&e->lock);
	job = find_place(e);
	if (job) {
		job->kind = JOB_SERVER;
		job->dir = procdir_open(PROCDIR_ROOT, (pid_t)in->pid, in->start_ns);
		for (size_t i = 0; i < configs && job->configs < SERVER_CONFIGS_MAX; i++) {
			job->config[job->configs] = strdup(config[i]);
			job->configs += job->config[job->configs] != NULL;
		}
		job_server_head(job, &e->json, in);
		submit(e, job);
	}
	pthread_mutex_unlock(&e->lock);
	return job;
}

/* --- what was found out --- */

/* The thread waits for a file or a process for too long: leave it, and go on with another one. */
static void replace_stuck(struct enrich *e)
{
	uint64_t now = clock_mono_ns();

	for (size_t i = 0; i < ENRICH_JOBS && e->working; i++) {
		struct job *job = &e->job[i];

		if (job->state != JOB_RUNNING || job->given_up ||
		    now < job->since_ns + ENRICH_STUCK_MS * NS_PER_MS)
			continue;
		job->given_up = true;
		e->news = true;
		e->working = false;
		e->status.stuck++;
		if (e->threads < ENRICH_THREADS)
			start_thread(e);
	}
	if (!e->working && e->threads < ENRICH_THREADS && !e->stop)
		start_thread(e);
}

static bool to_be_told(const struct job *job)
{
	return job->state == JOB_DONE || (job->state == JOB_TOLD && job->told < job->incidents) ||
	       (job->given_up && job->kind == JOB_ACTOR && !job->full);
}

void enrich_collect(struct enrich *e, const struct conns *conns, enrich_put put, void *ctx)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	replace_stuck(e);
	for (size_t i = 0; i < ENRICH_JOBS && e->news; i++) {
		struct job *job = &e->job[i];

		if (!to_be_told(job))
			continue;
		job_tell(job, &e->json, conns, put, ctx);
		job->told = job->incidents;
		if (job->given_up)
			job->full = true; /* once */
		else if (job->kind == JOB_SERVER)
			job_release(job);
		else
			job->state = JOB_TOLD;
	}
	e->news = false;
	pthread_mutex_unlock(&e->lock);
}

void enrich_status(struct enrich *e, struct enrich_status *ret)
{
	pthread_mutex_lock(&e->lock);
	*ret = e->status;
	pthread_mutex_unlock(&e->lock);
}

/* In a fork of the monitor, which would keep files from being freed and file systems from being unmounted. */
void enrich_forget(struct enrich *e)
{
	if (!e)
		return;
	enrich_let_go(e);
	for (size_t i = 0; i < ENRICH_JOBS; i++) {
		if (e->job[i].state == JOB_WAITING)
			job_let_go(&e->job[i]);
	}
}
