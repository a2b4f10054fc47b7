// SPDX-License-Identifier: BSD-2-Clause
/* writer.c - see writer.h. The lock protects the queue and the status; the store belongs to the thread. */
#include "evidence/writer.h"

#include "base/clock.h"
#include "base/clock_step.h"
#include "base/jsonw.h"
#include "evidence/entry.h"
#include "evidence/prune.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define QUIET_NS (60 * NS_PER_SEC) /* between two entries of a log in which nothing happens */
#define EPOCH_NS (900 * NS_PER_SEC)
#define PRUNE_NS (86400 * NS_PER_SEC)
#define TICK_FRESH_NS (10 * NS_PER_SEC)
#define AWAY_NS (5 * NS_PER_SEC)
#define CLOCK_TRUST_MS (3600 * 1000ll)
#define DAY_MS (86400 * 1000ll)

struct queued {
	STAILQ_ENTRY(queued) next;
	const char *kind; /* a constant of the caller */
	int64_t time_ms;
	bool stated;
	size_t len;
	char record[];
};

STAILQ_HEAD(queue, queued);

struct writer {
	struct store *store;
	struct recovery found;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queue queue;
	size_t bytes;
	uint64_t waiting; /* records in the queue */
	bool urgent, stop;
	struct writer_status status;
	uint64_t lost_logged;	    /* of status.lost */
	uint64_t last_ns, epoch_ns; /* when something was committed; when the key was changed */
	struct clock_watch clock;
	int64_t boot_ms;  /* when the host booted, by the clock as it was at first */
	int64_t age_ms;	  /* of the newest entry of the run before, when this one began */
	bool clock_wrong; /* it is or was off by CLOCK_TRUST_MS in this run */
	uint64_t tick_ns; /* when the caller was last there, atomic; 0: it was not yet */
	uint64_t prune_ns;
	unsigned int keep_days; /* 0: all */
	uint64_t busy_ns;	/* since when it waits for the disk, 0: it does not */
	uint64_t stalls;
	bool stalled; /* this wait was counted */
	int error;    /* at the end */
	const struct writer_statements *statements;
	bool due, late; /* a statement; it was tried already */
};

static int64_t now_ms(void)
{
	return clock_epoch_ms(clock_boot_ns());
}

/* --- in the thread --- */

static int append(void *ctx, const char *entry, size_t len)
{
	struct writer *w = ctx;
	uint64_t index = store_next(w->store);
	int err = store_append(w->store, entry, len);

	if (!err && w->statements)
		w->statements->entry(w->statements->ctx, index, entry, len);
	return err;
}

/* An entry of one number, or none. Returns 0 or a negative errno. */
static int append_number(struct writer *w, const char *kind, const char *key, uint64_t value)
{
	struct jsonw j = {};
	const char *record;
	size_t len;
	int err;

	jsonw_object(&j, NULL);
	if (key)
		jsonw_int(&j, key, (int64_t)value);
	jsonw_end_object(&j);
	record = jsonw_done(&j, &len);
	err = record ? entry_make(kind, now_ms(), record, len, append, w) : -ENOMEM;
	jsonw_free(&j);
	return err;
}

/* What the clock said is in every entry: when it left its course is, too. */
static void log_clock(struct writer *w)
{
	struct jsonw j = {};
	struct clock_step step;
	const char *record;
	size_t len;

	if (!clock_watch_check(&w->clock, &step))
		return;
	w->clock_wrong = w->clock_wrong || llabs(step.ms - w->boot_ms) >= CLOCK_TRUST_MS;
	jsonw_object(&j, NULL);
	jsonw_bool(&j, "set", step.set);
	jsonw_int(&j, "step_ms", step.ms - step.before_ms);
	jsonw_int(&j, "boot_time_before", step.before_ms);
	jsonw_int(&j, "boot_time", step.ms);
	jsonw_end_object(&j);
	record = jsonw_done(&j, &len);
	if (record)
		entry_make("clock", now_ms(), record, len, append, w);
	jsonw_free(&j);
}

/* All entries of a record, or none. Returns false if it has to wait until the store has room. */
static bool take(struct writer *w, const struct queued *q)
{
	struct store_mark before = store_mark(w->store);
	int err = entry_make(q->kind, q->time_ms, q->record, q->len, append, w);

	if (err)
		store_rewind(w->store, before);
	if (err == -ENOBUFS || err == -ENOMEM)
		return false;
	if (err) {
		pthread_mutex_lock(&w->lock);
		w->status.refused++;
		pthread_mutex_unlock(&w->lock);
	}
	return true;
}

static struct queued *next(struct writer *w)
{
	struct queued *q;

	pthread_mutex_lock(&w->lock);
	q = STAILQ_FIRST(&w->queue);
	pthread_mutex_unlock(&w->lock);
	return q;
}

static void drop(struct writer *w, struct queued *q)
{
	pthread_mutex_lock(&w->lock);
	STAILQ_REMOVE_HEAD(&w->queue, next);
	w->bytes -= sizeof(*q) + q->len;
	w->waiting--;
	pthread_mutex_unlock(&w->lock);
	w->due = w->due || (q->stated && w->statements);
	free(q);
}

/* Losses stand in the log where they happened: before what fitted again. */
static void log_losses(struct writer *w)
{
	uint64_t lost;

	pthread_mutex_lock(&w->lock);
	lost = w->status.lost + w->status.refused;
	pthread_mutex_unlock(&w->lock);
	if (lost != w->lost_logged && !append_number(w, "lost", "records", lost - w->lost_logged))
		w->lost_logged = lost;
}

static void begin_commit(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->busy_ns = clock_boot_ns();
	w->stalled = false;
	pthread_mutex_unlock(&w->lock);
}

static void note_commit(struct writer *w, int err)
{
	uint64_t now = clock_boot_ns(), size = store_signed(w->store);

	bool in_place = store_in_place(w->store);

	pthread_mutex_lock(&w->lock);
	w->busy_ns = 0;
	w->status.misplaced = !in_place;
	if (size != w->status.entries) {
		w->last_ns = now;
		w->status.signed_ms = now_ms();
	}
	w->status.entries = size;
	w->status.error = -err;
	w->status.failed += err != 0;
	pthread_mutex_unlock(&w->lock);
}

static int append_statement(void *ctx, const char *record)
{
	return entry_make("statement", now_ms(), record, strlen(record), append, ctx);
}

/* About everything that is on the disk. Returns true if there is a new one. */
static bool state(struct writer *w)
{
	struct store_mark before = store_mark(w->store);
	const struct writer_statements *s = w->statements;

	if (!w->due)
		return false;
	if (s->make(s->ctx, w->store, append_statement, w)) {
		store_rewind(w->store, before);
		pthread_mutex_lock(&w->lock);
		w->status.unstated += !w->late;
		pthread_mutex_unlock(&w->lock);
		w->late = true;
		return false;
	}
	w->due = w->late = false;
	return true;
}

/* Everything that is queued now; what a statement is due for, before the rest. Returns 0 or a negative errno. */
static int commit(struct writer *w)
{
	bool stated = false;
	struct queued *q;
	int err;

	do {
		bool due = w->due;

		while ((q = next(w)) && w->due == due && take(w, q))
			drop(w, q);
		log_losses(w);
		begin_commit(w);
		err = store_commit(w->store);
		note_commit(w, err);
		if (!err)
			stated = state(w);
	} while (!err && (q || stated));
	return err;
}

/* That all of the log is that old can be true. But it is also what the log looks like to a clock that was set before the start. */
static bool clock_trusted(const struct writer *w, unsigned int days)
{
	return !w->clock_wrong && w->age_ms < days * DAY_MS;
}

/* Retention waits for the disk like a commit: a part at a time, so that records do not wait long. */
static void prune(struct writer *w, uint64_t now)
{
	char error[STORE_ERROR_LEN];
	unsigned int days;
	uint64_t first;
	int err;

	pthread_mutex_lock(&w->lock);
	days = w->keep_days;
	pthread_mutex_unlock(&w->lock);
	if (!days || now < w->prune_ns || !clock_trusted(w, days))
		return;
	begin_commit(w);
	err = prune_older(w->store, now_ms() - days * DAY_MS, now_ms(), PRUNE_BUNDLES, &first,
			  error);
	note_commit(w, 0);
	if (err != PRUNE_MORE) /* else after the next commit */
		w->prune_ns = now + PRUNE_NS;
	pthread_mutex_lock(&w->lock);
	w->status.unpruned += err < 0;
	pthread_mutex_unlock(&w->lock);
}

/* This thread lives: whether anybody watches is another question. */
static bool caller_lives(struct writer *w, uint64_t now)
{
	uint64_t tick = __atomic_load_n(&w->tick_ns, __ATOMIC_RELAXED);

	return tick && now < tick + TICK_FRESH_NS;
}

static void keep_alive(struct writer *w)
{
	uint64_t now = clock_boot_ns();
	int64_t ms = now_ms();
	int err;

	log_clock(w);
	if (now >= w->last_ns + QUIET_NS && !store_pending(w->store) && caller_lives(w, now))
		append_number(w, "alive", NULL, 0);
	prune(w, now);
	if (now < w->epoch_ns + EPOCH_NS)
		return;
	begin_commit(w);
	err = store_rotate(w->store, ms);
	note_commit(w, err);
	if (err)
		return;
	w->epoch_ns = now;
	if (w->statements && caller_lives(w, now))
		w->statements->alive(w->statements->ctx, ms);
}

/* Wait until there is something to do. Returns false when that is to end. */
static bool wait_for_work(struct writer *w, bool failed)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WRITER_DELAY_MS / 1000; /* also until a commit that failed is tried again */
	pthread_mutex_lock(&w->lock);
	while (!w->stop && (failed || (!w->urgent && w->waiting < WRITER_GROUP)) &&
	       pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT)
		;
	w->urgent = false;
	stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	return !stop;
}

static void log_recovery(struct writer *w)
{
	const struct recovery *r = &w->found;
	struct jsonw j = {};
	const char *record;
	size_t len;

	if (r->fresh || (r->clean && !r->replayed && !r->cut))
		return;
	jsonw_object(&j, NULL);
	jsonw_int(&j, "signed", (int64_t)r->signed_size);
	jsonw_int(&j, "replayed", (int64_t)r->replayed);
	jsonw_int(&j, "bytes_cut", (int64_t)r->cut);
	jsonw_end_object(&j);
	record = jsonw_done(&j, &len);
	if (record)
		entry_make("recovery", now_ms(), record, len, append, w);
	jsonw_free(&j);
}

/* What statements need of a long log takes long to read: nobody waits for it but this thread. */
static void begin(struct writer *w)
{
	if (w->statements) {
		begin_commit(w); /* nothing is committed meanwhile: see writer_stalls() */
		w->statements->open(w->statements->ctx, store_dir(w->store), store_next(w->store));
		pthread_mutex_lock(&w->lock);
		w->busy_ns = 0;
		w->stalled = false;
		pthread_mutex_unlock(&w->lock);
	}
	log_recovery(w);
}

static void *run(void *ctx)
{
	struct writer *w = ctx;
	int err = 0;

	begin(w);
	while (wait_for_work(w, err != 0)) {
		keep_alive(w);
		err = commit(w);
	}
	w->error = commit(w);
	if (w->error) {
		pthread_mutex_lock(&w->lock);
		w->status.lost += w->waiting + store_pending(w->store);
		pthread_mutex_unlock(&w->lock);
		return NULL;
	}
	append_number(w, "stop", NULL, 0);
	begin_commit(w);
	w->error = store_finish(w->store);
	note_commit(w, w->error);
	return NULL;
}

/* --- for the caller --- */

static void release(struct writer *w)
{
	struct queued *q;

	while ((q = STAILQ_FIRST(&w->queue))) {
		STAILQ_REMOVE_HEAD(&w->queue, next);
		free(q);
	}
	store_close(w->store);
	clock_watch_close(&w->clock);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* Signals are the main thread's. */
static int start_thread(struct writer *w)
{
	sigset_t all, was;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	err = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return -err;
}

static void init_lock(struct writer *w)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
}

int writer_start(struct writer **ret, const char *dir, const char *host,
		 const struct writer_statements *statements, char error[STORE_ERROR_LEN])
{
	struct writer *w = calloc(1, sizeof(*w));
	int err;

	snprintf(error, STORE_ERROR_LEN, "out of memory");
	if (!w)
		return -ENOMEM;
	STAILQ_INIT(&w->queue);
	init_lock(w);
	clock_watch_open(&w->clock);
	w->boot_ms = w->clock.last_ms;
	err = store_open(&w->store, dir, host, &w->found, error);
	if (!err) {
		w->last_ns = w->epoch_ns = clock_boot_ns();
		w->prune_ns =
			w->last_ns + QUIET_NS; /* soon, and not while servers are searched for */
		w->status.entries = store_signed(w->store);
		w->status.signed_ms = now_ms();
		w->age_ms = w->found.last_ms ? now_ms() - w->found.last_ms : 0;
		w->statements = statements;
		err = start_thread(w);
		if (err)
			snprintf(error, STORE_ERROR_LEN, "cannot start its thread");
	}
	if (err)
		release(w);
	else
		*ret = w;
	return err;
}

static void enqueue(struct writer *w, const char *kind, const char *record, size_t len, bool urgent,
		    bool stated)
{
	size_t size = sizeof(struct queued) + len;
	struct queued *q = malloc(size);
	bool fits;

	if (q) {
		q->kind = kind;
		q->time_ms = now_ms();
		q->stated = stated;
		q->len = len;
		memcpy(q->record, record, len);
	}
	pthread_mutex_lock(&w->lock);
	fits = q && w->bytes + size <= WRITER_QUEUE_MAX;
	w->status.queued++;
	if (fits) {
		STAILQ_INSERT_TAIL(&w->queue, q, next);
		w->bytes += size;
		w->waiting++;
		w->urgent = w->urgent || urgent;
	} else {
		w->status.lost++;
	}
	if (w->urgent || w->waiting >= WRITER_GROUP)
		pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	if (!fits)
		free(q);
}

void writer_put(struct writer *w, const char *kind, const char *record, size_t len, bool urgent)
{
	enqueue(w, kind, record, len, urgent, false);
}

void writer_put_stated(struct writer *w, const char *kind, const char *record, size_t len)
{
	enqueue(w, kind, record, len, true, true);
}

void writer_tick(struct writer *w)
{
	uint64_t now = clock_boot_ns(), last = w->tick_ns;
	char record[96];
	int n;

	__atomic_store_n(&w->tick_ns, now, __ATOMIC_RELAXED);
	if (!last || now < last + AWAY_NS)
		return;
	n = snprintf(record, sizeof(record), "{\"from\":%lld,\"to\":%lld}",
		     (long long)clock_epoch_ms(last), (long long)clock_epoch_ms(now));
	writer_put(w, "away", record, (size_t)n, true);
}

void writer_status(struct writer *w, struct writer_status *ret)
{
	pthread_mutex_lock(&w->lock);
	*ret = w->status;
	ret->waiting = w->waiting;
	pthread_mutex_unlock(&w->lock);
}

uint64_t writer_stalls(struct writer *w, unsigned int limit_ms)
{
	uint64_t stalls;

	pthread_mutex_lock(&w->lock);
	if (w->busy_ns && !w->stalled && clock_boot_ns() > w->busy_ns + limit_ms * NS_PER_MS) {
		w->stalled = true;
		w->stalls++;
	}
	stalls = w->stalls;
	pthread_mutex_unlock(&w->lock);
	return stalls;
}

void writer_keep(struct writer *w, unsigned int days)
{
	pthread_mutex_lock(&w->lock);
	w->keep_days = days;
	pthread_mutex_unlock(&w->lock);
}

const char *writer_origin(const struct writer *w)
{
	return store_origin(w->store);
}

int writer_stop(struct writer *w, int timeout_ms, struct writer_status *ret)
{
	struct timespec until;
	int err;

	*ret = (struct writer_status){};
	if (!w)
		return 0;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * (long)NS_PER_MS;
	if (until.tv_nsec >= (long)NS_PER_SEC) {
		until.tv_sec++;
		until.tv_nsec -= (long)NS_PER_SEC;
	}
	err = -pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &until);
	writer_status(w, ret);
	if (err)
		return err;
	err = w->error;
	release(w);
	return err;
}
