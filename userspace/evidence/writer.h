/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.h - a thread that writes the log, so that nobody waits for the disk. Records are queued up to a bound; what does not
 * fit is counted and, once there is room again, logged. They are committed together: at once if one is urgent or
 * WRITER_GROUP of them wait, else within WRITER_DELAY_MS.
 *
 * While the disk fails, records wait in memory and the thread tries again every second. An hour of silence cannot be told
 * from a writer that is gone, so a quiet log gets an entry a minute, as long as the caller is there.
 */
#ifndef CACHEWARDEN_WRITER_H
#define CACHEWARDEN_WRITER_H

#include "evidence/store.h"

#define WRITER_GROUP 256
#define WRITER_DELAY_MS 1000
#define WRITER_QUEUE_MAX (20u << 20) /* bytes */

struct writer;

/*
 * Who makes statements about the log, which are entries of it, too. NULL: nobody. All are called in the writer's thread.
 */
struct writer_statements {
	void *ctx;
	/* The log is open, and of so many entries; more follow. */
	void (*open)(void *ctx, int dir, uint64_t size);
	/* An entry is appended, or only the time goes on. */
	void (*entry)(void *ctx, uint64_t index, const char *entry, size_t len);
	void (*alive)(void *ctx, int64_t time_ms);
	/*
	 * Everything that preceded writer_put_stated() is on the disk: append statements, as records for append(). Returns 0, or
	 * a negative errno to be called again later.
	 */
	int (*make)(void *ctx, struct store *s, int (*append)(void *w, const char *record),
		    void *w);
};

struct writer_status {
	uint64_t queued;   /* records, all in all */
	uint64_t waiting;  /* records in the queue */
	uint64_t lost;	   /* that did not fit into the queue, or could not be written at the end */
	uint64_t refused;  /* that cannot be an entry: too large, or no JSON */
	uint64_t failed;   /* attempts to commit that failed */
	uint64_t unstated; /* statements that were due and could not be made, or not at once */
	uint64_t unpruned; /* attempts to remove old entries that failed */
	bool misplaced;	   /* the directory or the write-ahead log was moved, replaced or removed */
	int error;	   /* errno of the last one, 0 if the last one succeeded */
	uint64_t entries;  /* of the log, covered by its checkpoint */
	int64_t signed_ms; /* when that was signed; as long as none is in this run, when the log was opened */
};

/*
 * Open the log (store_open()) and start the thread. Returns 0, or a negative errno with the reason in error. What was found is
 * logged as an entry if the last writer did not end properly.
 */
int writer_start(struct writer **ret, const char *dir, const char *host,
		 const struct writer_statements *statements, char error[STORE_ERROR_LEN]);

/* Queue a record: a JSON object, copied. Never blocks on the disk. */
void writer_put(struct writer *w, const char *kind, const char *record, size_t len, bool urgent);

/* The same, at once, and statements are made once it is on the disk. */
void writer_put_stated(struct writer *w, const char *kind, const char *record, size_t len);

/*
 * The caller's loop goes round: to be called every second, by one thread. What lies between two calls that are five seconds apart or
 * more is logged as time in which nobody was there: stopped, hung, or suspended with the host.
 */
void writer_tick(struct writer *w);

void writer_status(struct writer *w, struct writer_status *ret);

/* How often a commit was found that had waited for the disk that long, until now. Each counts once. */
#define WRITER_STALL_MS 10000
uint64_t writer_stalls(struct writer *w, unsigned int limit_ms);

/*
 * Remove entries that were logged more than so many days ago, once a day (prune.h); 0: none. Not in a run in which the wall clock
 * went an hour or more, in all, from where it began, nor in one that begins when all that was logged before is that old: who can set
 * the clock would decide what is removed.
 */
void writer_keep(struct writer *w, unsigned int days);

const char *writer_origin(const struct writer *w);

/*
 * Commit what is queued, an entry of kind "stop" last, and end. Returns 0, or a negative errno if that could not be written:
 * -ETIMEDOUT if the disk hangs for so long; the thread is then left alone, with all that it uses. *ret is how it ended: what
 * could not be written is lost. NULL is accepted.
 */
#define WRITER_STOP_MS 10000
int writer_stop(struct writer *w, int timeout_ms, struct writer_status *ret);

#endif
