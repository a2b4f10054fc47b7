/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence - measure the evidence log in DIR, which is created.
 *
 *   write DIR RATE SECONDS   As the monitor does it: so many events a second, each formatted and queued, one in a thousand of
 *                            severity high. Prints how many there were, how many were lost, and how long an event of
 *                            severity high took until a checkpoint covered it.
 *   grow DIR ENTRIES         Write a log of so many entries, the last statement being far behind.
 *   open DIR                 Open it as the monitor does when it starts, and print how long that took.
 *
 * Each prints "key=value ..." with the peak of memory and the CPU time of this process.
 */
#include "monitor/evidence.h"

#include "base/clock.h"
#include "evidence/entry.h"
#include "report/event_json.h"
#include "unit/event_sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define URGENT_EACH 1000 /* events */
#define COMMIT_EACH 1024 /* entries */
#define SAMPLES 4096
#define WAIT_NS (20 * NS_PER_SEC)

static void die(const char *what)
{
	fprintf(stderr, "evidence: %s\n", what);
	exit(3);
}

static void print_usage(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	printf("rss_kib=%ld cpu_s=%.2f\n", u.ru_maxrss,
	       (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
}

/* --- write --- */

/* An event as long as they are: an actor with his ancestors, a target, paths. */
static struct finding *sample_finding(void)
{
	static struct alert a;
	static struct instance in = {.id = 1,
				     .pid = 7,
				     .ports = 1,
				     .port = {6379},
				     .name = "redis-server:6379",
				     .exe = "/usr/bin/redis-server"};
	static struct finding f;

	a = (struct alert){.ev = event_sample(), .count = 1, .detailed = true};
	a.ev.actor.ancestors = 3;
	for (unsigned int i = 0; i < a.ev.actor.ancestors; i++)
		strcpy(a.ev.actor.ancestor[i].comm, "bash");
	finding_fill(&f, &(struct finding_source){.alert = &a, .instance = &in, .uid_prefix = "x"});
	strcpy(f.exe, "/usr/bin/gdb");
	for (unsigned int i = 0; i < a.ev.actor.ancestors; i++)
		strcpy(f.ancestor_exe[i], "/usr/bin/bash");
	f.verdict.id = VERDICT_ALERT;
	return &f;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct load {
	struct evidence e;
	uint64_t base, events; /* records of the log before the load; events of it */
	uint64_t urgent,
		urgent_ns; /* number of the urgent one that is waited for, 0: none; since when */
	double ms[SAMPLES];
	size_t samples;
};

/* The urgent one is signed once the checkpoint covers every record that was queued until then. */
static void look(struct load *l)
{
	struct writer_status s;

	writer_status(l->e.writer, &s);
	if (!l->urgent || s.entries + s.lost < l->urgent)
		return;
	if (l->samples < SAMPLES)
		l->ms[l->samples++] = (double)(clock_boot_ns() - l->urgent_ns) / 1e6;
	l->urgent = 0;
}

static void put_event(struct load *l, struct finding *f)
{
	struct writer_status s;

	f->severity = ++l->events % URGENT_EACH ? SEVERITY_MEDIUM : SEVERITY_HIGH;
	evidence_event(&l->e, f);
	if (f->severity < SEVERITY_HIGH || l->urgent)
		return;
	writer_status(l->e.writer, &s);
	l->urgent = l->base + s.queued;
	l->urgent_ns = clock_boot_ns();
}

static void write_at(const char *dir, uint64_t rate, uint64_t seconds)
{
	static struct load l;
	struct finding *f = sample_finding();
	struct writer_status s;
	uint64_t began, now;
	size_t len;

	if (!event_json(f, &l.e.buf, &len))
		die("no memory");
	evidence_open(&l.e, dir, "bench", &(struct evidence_from){});
	if (!l.e.writer)
		die(l.e.error);
	do { /* the start's own entries */
		usleep(1000);
		writer_status(l.e.writer, &s);
	} while (s.waiting || s.entries < 2);
	l.base = s.entries - s.queued;
	began = now = clock_boot_ns();
	while (now < began + seconds * NS_PER_SEC) {
		for (uint64_t due = (now - began) * rate / NS_PER_SEC; l.events < due;)
			put_event(&l, f);
		look(&l);
		usleep(500);
		now = clock_boot_ns();
	}
	writer_status(l.e.writer, &s);
	printf("events=%" PRIu64 " bytes=%zu waiting=%" PRIu64 " ", l.events, len, s.waiting);
	evidence_close(&l.e, NULL, &(struct evidence_totals){.events = l.events});
	qsort(l.ms, l.samples, sizeof(l.ms[0]), by_value);
	printf("lost=%" PRIu64 " high_median_ms=%.1f high_p99_ms=%.1f high_max_ms=%.1f ", s.lost,
	       l.samples ? l.ms[l.samples / 2] : -1, l.samples ? l.ms[l.samples * 99 / 100] : -1,
	       l.samples ? l.ms[l.samples - 1] : -1);
}

/* --- grow, open --- */

static int append(void *ctx, const char *entry, size_t len)
{
	return store_append(ctx, entry, len);
}

static void grow(const char *dir, uint64_t entries)
{
	struct finding *f = sample_finding();
	char error[STORE_ERROR_LEN];
	struct report_buf buf = {};
	struct recovery found;
	struct store *s;
	const char *record;
	size_t len;

	record = event_json(f, &buf, &len);
	if (!record || store_open(&s, dir, "bench.example", &found, error))
		die(record ? error : "no memory");
	for (uint64_t i = store_signed(s); i < entries; i++) {
		if (entry_make("event", f->now_ms, record, len, append, s))
			die("an entry is not accepted");
		if (!(i % COMMIT_EACH) && store_commit(s))
			die("a commit failed");
	}
	if (store_finish(s))
		die("the end cannot be written");
	printf("entries=%" PRIu64 " ", store_signed(s));
	store_close(s);
	report_buf_free(&buf);
}

static void open_log(const char *dir)
{
	static struct evidence e;
	uint64_t began = clock_boot_ns();
	struct writer_status s;

	evidence_open(&e, dir, "bench", &(struct evidence_from){});
	if (!e.writer)
		die(e.error);
	printf("open_ms=%.1f ", (double)(clock_boot_ns() - began) / 1e6);
	do {
		usleep(1000);
		writer_status(e.writer, &s);
	} while (s.waiting);
	printf("first_record_ms=%.1f ", (double)(clock_boot_ns() - began) / 1e6);
	evidence_close(&e, NULL, &(struct evidence_totals){});
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "write"))
		write_at(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
	else if (argc == 4 && !strcmp(argv[1], "grow"))
		grow(argv[2], strtoull(argv[3], NULL, 10));
	else if (argc == 3 && !strcmp(argv[1], "open"))
		open_log(argv[2]);
	else
		die("usage: evidence write DIR RATE SECONDS | grow DIR ENTRIES | open DIR");
	print_usage();
	return 0;
}
