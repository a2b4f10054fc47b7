/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_sample.h - one sink of a policy with its process, a scratch directory, and incidents to send. What is logged goes
 * to a file there, so that tests can see what the operator is told.
 */
#ifndef CACHEWARDEN_SINK_SAMPLE_H
#define CACHEWARDEN_SINK_SAMPLE_H

#include "unit.h"

#include "base/clock.h"
#include "base/macros.h"
#include "model/actor.h"
#include "report/sink_process.h"
#include "report/sinks.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE_WAIT_MS 20000 /* a loaded machine; every wait ends as soon as it can */

static struct sinks sample;
static char sample_dir[64];
static int sample_stderr = -1;

static inline const char *sample_path(const char *name)
{
	static char path[4][256];
	static unsigned int next;
	char *p = path[next++ % ARRAY_SIZE(path)];

	snprintf(p, sizeof(path[0]), "%s/%s", sample_dir, name);
	return p;
}

static inline void sample_sleep(unsigned int ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* The whole file, terminated; empty if there is none. Valid until the next call. */
static inline const char *sample_read(const char *path)
{
	static char text[16u << 20];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, len = 0;

	while (fd >= 0 && (n = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += n;
	if (fd >= 0)
		close(fd);
	text[len] = '\0';
	return text;
}

static inline void sample_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline struct sink_status sample_status(void)
{
	struct sink_status s[SINKS_MAX];

	sinks_status(&sample, s);
	return s[0];
}

/* cmocka's message is for the terminal. */
#define sample_fail(...)                                                                           \
	do {                                                                                       \
		dup2(sample_stderr, STDERR_FILENO);                                                \
		fail_msg(__VA_ARGS__);                                                             \
	} while (0)

/* Waits until the condition holds, while the sink's queue is written as the monitor's loop does. */
#define sample_until(condition)                                                                    \
	do {                                                                                       \
		uint64_t end_ns_ = clock_mono_ns() + SAMPLE_WAIT_MS * NS_PER_MS;                   \
		while (!(condition)) {                                                             \
			if (clock_mono_ns() > end_ns_)                                             \
				sample_fail("not in time: %s; the log says: %s", #condition,       \
					    sample_read(sample_path("stderr")));                   \
			sinks_flush(&sample, 0);                                                   \
			sample_sleep(5);                                                           \
		}                                                                                  \
	} while (0)

static inline bool sample_said(const char *text)
{
	return strstr(sample_read(sample_path("stderr")), text);
}

static inline void sample_expect_refused(const char *why)
{
	int error = 0;
	const struct sink *s = sinks_take_error(&sample, &error);

	assert_non_null(s);
	if (!strstr(sink_error(s, error), why))
		fail_msg("'%s' is not said, but: %s", why, sink_error(s, error));
}

/* --- set up --- */

static inline int sample_setup(void **state)
{
	int fd;

	strcpy(sample_dir, "/tmp/cachewarden-sink.XXXXXX");
	assert_non_null(mkdtemp(sample_dir));
	fd = open(sample_path("stderr"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	fflush(stderr);
	sample_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	return 0;
}

static inline int sample_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void sample_close(void)
{
	sinks_close(&sample);
}

static inline int sample_teardown(void **state)
{
	sample_close();
	dup2(sample_stderr, STDERR_FILENO);
	close(sample_stderr);
	nftw(sample_dir, sample_remove, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static inline void sample_open(const struct policy_sink *config)
{
	const char *failed;
	const struct sink_row row = {
		.name = "sample",
		.ops = &sink_process,
		.format = format_by_letter('j'),
		.config = config,
		.minimum = (enum severity)config->severity,
	};

	assert_int_equal(sinks_open_table(&sample, &row, 1, &failed), 0);
}

/* --- messages --- */

static struct instance sample_instance = {.id = 1,
					  .pid = 7,
					  .ports = 1,
					  .port = {6379},
					  .name = "redis-server:6379",
					  .uid = "redis-server:6379@redis.service/1"};

/* A debugger that reads a server's memory. number tells incidents apart. */
static inline void sample_incident(uint64_t number, enum incident_change change,
				   enum severity severity)
{
	static struct actor gdb = {.pid = 4711,
				   .uid = 1000,
				   .comm = "gdb",
				   .exe = "/usr/bin/gdb",
				   .cmdline = "gdb -p 7",
				   .unit = "ssh.service",
				   .container = "",
				   .instance = "",
				   .detailed = true};
	struct action action = {
		.rule = RULE_MEM_READ,
		.stage = STAGE_TAKE,
		.severity = severity,
		.verdict = VERDICT_ALERT,
		.actor = &gdb,
		.summary = "mem-read by process_vm_readv",
		.count = 1,
		.first_ns = clock_boot_ns(),
		.last_ns = clock_boot_ns(),
	};
	struct incident in = {
		.id = number,
		.instance = 1,
		.headline = " by gdb(4711)",
		.lead = &gdb,
		.lead_rule = RULE_MEM_READ,
		.lead_severity = (uint8_t)severity,
		.lead_stage = STAGE_TAKE,
		.stage = STAGE_TAKE,
		.severity = severity,
		.first_ns = clock_boot_ns(),
		.last_ns = clock_boot_ns(),
		.count = 1,
		.rule_count = {[RULE_MEM_READ] = 1},
		.action = &action,
		.actions = 1,
		.end = change == INCIDENT_CLOSED ? END_QUIET : END_NOT,
	};

	sinks_incident(&sample, &(struct incident_view){.incident = &in,
							.change = change,
							.instance = &sample_instance,
							.uid_prefix = "0123456789abcdef"});
}

static inline void sample_heartbeat(uint64_t number)
{
	sinks_heartbeat(&sample, &(struct heartbeat){.number = number,
						     .interval_s = 60,
						     .time_ms = clock_epoch_ms(clock_boot_ns()),
						     .started_ms = clock_epoch_ms(clock_boot_ns()),
						     .instances = 1,
						     .guarded = true,
						     .last_event = "",
						     .uid_prefix = "0123456789abcdef"});
}

/* The number of the incident that a line of JSON is about, 0: it is something else. */
static inline unsigned long long sample_number(const char *line)
{
	static const char uid[] = "\"uid\":\"0123456789abcdef-i";
	const char *at = strstr(line, uid);

	return at ? strtoull(at + strlen(uid), NULL, 10) : 0;
}

#endif
