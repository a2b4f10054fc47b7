// SPDX-License-Identifier: BSD-2-Clause
/* enrich_queue.c - see enrich.h. Who has a place, what is told of whom. The threads are in enrich_thread.c. */
#include "monitor/enrich_internal.h"

#include "base/clock.h"
#include "base/procdir.h"
#include "evidence/blob.h"

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
#define OWN_USER UINT32_MAX	     /* of jobs that no user's deed asked for */

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
	while (e->closings)
		close(e->closing[--e->closings]);
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
		blobs_clean(e->log);
		e->keeping = (struct keeping){.log = e->log, .used = blobs_size(e->log)};
		enrich_keep(e, 0);
		pthread_mutex_lock(&e->lock);
		err = enrich_thread_start(e);
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

		if ((job->state == JOB_WAITING || job->state == JOB_RUNNING) && !job->given_up)
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

		if ((job->state != JOB_WAITING && job->state != JOB_RUNNING) || job->given_up)
			continue;
		e->status.dropped++;
		enrich_give_up(e, job); /* what is known of it is told all the same */
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
static struct job *find_idle(struct enrich *e)
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

static size_t places_of(const struct enrich *e, uint32_t user)
{
	size_t n = 0;

	for (size_t i = 0; i < ENRICH_JOBS; i++)
		n += e->job[i].state != JOB_FREE && e->job[i].user == user;
	return n;
}

/* The last one of whoever has most places waits in vain, if that is more than this user would have. */
static struct job *displace(struct enrich *e, uint32_t user)
{
	size_t most = places_of(e, user) + 1;
	struct job *last = NULL;

	for (size_t i = 0; i < ENRICH_JOBS; i++) {
		struct job *job = &e->job[i];
		size_t n = job->state == JOB_WAITING ? places_of(e, job->user) : 0;

		if (n > most || (n == most && last && job->number > last->number)) {
			most = n;
			last = job;
		}
	}
	if (!last || !enrich_can_close(e))
		return NULL;
	enrich_close_later(e, &last->dir);
	enrich_close_later(e, &last->exe);
	enrich_close_later(e, &last->target);
	job_release(last);
	e->status.dropped++;
	return last;
}

static struct job *find_place(struct enrich *e, uint32_t user)
{
	struct job *job = find_idle(e) ?: displace(e, user);

	if (job)
		job->user = user;
	return job;
}

static void submit(struct enrich *e, struct job *job)
{
	job->number = ++e->numbers;
	job->state = JOB_WAITING;
	pthread_cond_signal(&e->wake);
}

/* --- actors --- */

/* With the lock. */
static void let_go(struct enrich *e)
{
	if (!e->held.any)
		return;
	enrich_close_later(e, &e->held.dir);
	enrich_close_later(e, &e->held.exe);
	e->held.any = false;
}

void enrich_let_go(struct enrich *e)
{
	if (!e || !e->held.any)
		return;
	pthread_mutex_lock(&e->lock);
	let_go(e);
	pthread_mutex_unlock(&e->lock);
}

static bool can_be_held(const struct event *ev)
{
	return ev->flags & EVENT_ACTOR && ev->actor.pid &&
	       !(ev->actor.flags & PROCESS_KERNEL_THREAD);
}

/* With the lock. What could not be closed is not opened. */
static void hold(struct enrich *e, const struct process_info *p)
{
	struct held *h = &e->held;

	let_go(e);
	h->any = true;
	h->pid = p->pid;
	h->exec_id = p->exec_id;
	h->start_ns = p->start_ns;
	h->dir = !enrich_can_close(e) ? -EBUSY
				      : procdir_open(PROCDIR_ROOT, (pid_t)p->pid, p->start_ns);
	h->exe = h->dir < 0 ? h->dir : procdir_pin_exe(h->dir);
}

void enrich_hold(struct enrich *e, const struct event *ev)
{
	if (!e || !can_be_held(ev))
		return;
	pthread_mutex_lock(&e->lock);
	if (!find(e, ev))
		hold(e, &ev->actor);
	pthread_mutex_unlock(&e->lock);
}

static bool is_held(const struct enrich *e, const struct process_info *p)
{
	return e->held.any && e->held.pid == p->pid && e->held.start_ns == p->start_ns &&
	       e->held.exec_id == p->exec_id;
}

/* Returns whether it is new. */
static bool add_incident(struct enrich *e, struct job *job, const char *uid)
{
	for (size_t i = 0; i < job->incidents; i++) {
		if (!strcmp(job->incident[i], uid))
			return false;
	}
	snprintf(job->incident[job->incidents++], OCSF_UID_LEN, "%s", uid);
	job->full = job->incidents == JOB_INCIDENTS;
	e->news = e->news || job->state == JOB_TOLD;
	return true;
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

/* An actor that is known has another incident: the layout alone is missing. It displaces nobody. */
static void begin_layout(struct enrich *e, const struct finding *f, const char *uid)
{
	int target = hold_target(e, f);
	struct job *job;

	if (target < 0)
		return;
	job = find_idle(e);
	if (!job) {
		e->status.dropped++;
		close(target); /* of a directory in /proc: waits for nothing */
		return;
	}
	job->kind = JOB_LAYOUT;
	job->user = f->alert->ev.actor.uid;
	job->target = target;
	job_layout_head(job, &e->json, f);
	add_incident(e, job, uid);
	submit(e, job);
}

void enrich_actor(struct enrich *e, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	char uid[OCSF_UID_LEN];
	bool known;
	struct job *job;

	if (!e || f->update || !can_be_held(ev))
		return;
	pthread_mutex_lock(&e->lock);
	job = find(e, ev);
	known = job != NULL;
	if (!job && (job = find_place(e, ev->actor.uid))) {
		if (!is_held(e, &ev->actor))
			hold(e, &ev->actor);
		begin_actor(e, job, f);
		submit(e, job);
	} else if (!job) {
		e->status.dropped++;
	}
	if (job && f->incident) {
		ocsf_incident_uid(f->uid_prefix, f->incident, uid);
		if (add_incident(e, job, uid) && known)
			begin_layout(e, f, uid);
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
	job = find_place(e, OWN_USER);
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

static bool to_be_told(const struct job *job)
{
	return job->state == JOB_DONE || (job->state == JOB_TOLD && job->told < job->incidents) ||
	       (job->given_up && !job->given_up_told);
}

void enrich_collect(struct enrich *e, const struct conns *conns, enrich_put put, void *ctx)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	enrich_threads_check(e);
	for (size_t i = 0; i < ENRICH_JOBS && e->news; i++) {
		struct job *job = &e->job[i];

		if (!to_be_told(job))
			continue;
		job_tell(job, &e->json, conns, put, ctx);
		job->told = job->incidents;
		if (job->given_up)
			job->full = job->given_up_told = true; /* once */
		else if (job->kind != JOB_ACTOR)
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

static void close_now(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* In a fork of the monitor, which would keep files from being freed and file systems from being unmounted. */
void enrich_forget(struct enrich *e)
{
	if (!e)
		return;
	if (e->held.any) { /* the lock may be another thread's, which is not here */
		close_now(&e->held.dir);
		close_now(&e->held.exe);
	}
	for (size_t i = 0; i < e->closings && i < CLOSING_MAX; i++)
		close(e->closing[i]);
	for (size_t i = 0; i < ENRICH_JOBS; i++) {
		if (e->job[i].state == JOB_WAITING)
			job_let_go(&e->job[i]);
	}
}
