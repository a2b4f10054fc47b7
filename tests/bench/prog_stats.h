/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prog_stats.h - what the kernel's statistics say about each BPF program, in some windows of equal work.
 *
 * A program belongs to the work if it ran in every window. What else runs now and then, such as the monitor's own
 * sweep, does not, and the medians leave out what it adds.
 *
 * Each program's file in /proc/self/fdinfo is opened once, before, and only read then: an open or a call of bpf(2) would
 * itself run programs.
 */
#ifndef BENCH_PROG_STATS_H
#define BENCH_PROG_STATS_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#define WINDOWS 9
#define PROGS_MAX 512

struct prog_stats {
	int fdinfo;
	char name[BPF_OBJ_NAME_LEN];
	uint64_t ns, runs;	    /* when the window began */
	double run[WINDOWS];	    /* ns per run */
	double per_window[WINDOWS]; /* runs */
};

static struct prog_stats progs[PROGS_MAX];
static unsigned int prog_count;

static inline int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static inline double median(double *of_windows)
{
	qsort(of_windows, WINDOWS, sizeof(*of_windows), by_value);
	return of_windows[WINDOWS / 2];
}

static inline void progs_open(void)
{
	for (__u32 id = 0; prog_count < PROGS_MAX && !bpf_prog_get_next_id(id, &id);) {
		int fd = bpf_prog_get_fd_by_id(id);
		struct prog_stats *p = &progs[prog_count];
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		char path[64];

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		snprintf(p->name, sizeof(p->name), "%s", info.name);
		p->fdinfo = open(path, O_RDONLY | O_CLOEXEC);
		prog_count += p->fdinfo >= 0;
	}
}

static inline uint64_t prog_number(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static inline void prog_read(const struct prog_stats *p, uint64_t *ret_ns, uint64_t *ret_runs)
{
	char text[1024] = "";

	if (pread(p->fdinfo, text, sizeof(text) - 1, 0) < 0)
		text[0] = '\0';
	*ret_ns = prog_number(text, "run_time_ns:");
	*ret_runs = prog_number(text, "run_cnt:");
}

static inline void progs_begin(void)
{
	for (struct prog_stats *p = progs; p < progs + prog_count; p++)
		prog_read(p, &p->ns, &p->runs);
}

static inline void progs_end(int window)
{
	for (struct prog_stats *p = progs; p < progs + prog_count; p++) {
		uint64_t ns, runs;

		prog_read(p, &ns, &runs);
		runs -= p->runs;
		p->per_window[window] = runs;
		p->run[window] = runs ? (double)(ns - p->ns) / runs : 0;
	}
}

/* operations: in a window */
static inline void progs_print(const char *work, int operations)
{
	for (struct prog_stats *p = progs; p < progs + prog_count; p++) {
		double runs = median(p->per_window);

		if (p->per_window[0]) /* the least */
			printf("program\t%s\t%s\t%.3f\t%.1f\n", work, p->name, runs / operations,
			       median(p->run));
	}
}

#endif
