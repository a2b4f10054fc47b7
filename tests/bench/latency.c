/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency MONITOR PID SAMPLES [ARGUMENT...] - measure the time from a process_vm_readv on PID to the alert's line
 * in the monitor's output pipe.
 *
 * Starts `MONITOR run --output json --events ARGUMENT...`. One new child per sample reads PID's memory and
 * exits: a new actor each time, so that no alert is merged into an earlier one. The clock starts in
 * the child right before the system call and stops when read(2) on the pipe has returned the line.
 * relay_us is the median of the same path through a process that only copies a byte. Prints
 * "samples=N lost=N median_us=... p90_us=... p99_us=... max_us=... relay_us=..."; exits with 1 if
 * fewer than half of the alerts arrived.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#define READY "cachewarden: watching"
#define READY_MS 15000
#define ALERT_MS 2000
#define GAP_US 5000 /* between samples, so that the monitor is asleep again */
#define RELAY_SAMPLES 200
#define ARGUMENTS_MAX 16
#define LINE_ROOM 1048576 /* an alert is a few KiB */

struct monitor {
	pid_t pid;
	int out;
	int err;
	char *buf;
	size_t len;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void die(const char *action)
{
	fprintf(stderr, "latency: %s: %s\n", action, strerror(errno));
	exit(3);
}

/* Start of the first readable mapping of pid. Read before the monitor starts, which would report it. */
static void *first_mapping(pid_t pid)
{
	char path[64], line[512];
	unsigned long start = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (!maps)
		die(path);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%*x r", &start) == 1)
			break;
	}
	fclose(maps);
	return (void *)start;
}

static struct monitor monitor_start(const char *path, char **more)
{
	const char *argv[ARGUMENTS_MAX] = {path, "run", "--output", "json", "--events"};
	struct monitor m = {.buf = malloc(LINE_ROOM)};
	int out[2], err[2];

	if (!m.buf || pipe(out) || pipe(err))
		die("pipe");
	m.pid = fork();
	if (m.pid < 0)
		die("fork");
	if (!m.pid) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		for (int i = 0; i < 2; i++) {
			close(out[i]);
			close(err[i]);
		}
		for (int i = 5; *more && i + 1 < ARGUMENTS_MAX; i++)
			argv[i] = *more++;
		execv(path, (char *const *)argv);
		die(path);
	}
	close(out[1]);
	close(err[1]);
	m.out = out[0];
	m.err = err[0];
	return m;
}

static void monitor_await_ready(struct monitor *m)
{
	uint64_t end = now_ns() + READY_MS * 1000000ull;
	char text[8192] = "";
	size_t len = 0;

	while (now_ns() < end && len < sizeof(text) - 1) {
		struct pollfd p = {.fd = m->err, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, 100) <= 0)
			continue;
		n = read(m->err, text + len, sizeof(text) - 1 - len);
		if (n <= 0)
			break;
		len += n;
		text[len] = 0;
		if (strstr(text, READY))
			return;
	}
	fprintf(stderr, "latency: the monitor did not print '%s':\n%s", READY, text);
	kill(m->pid, SIGKILL);
	exit(3);
}

static void monitor_stop(struct monitor *m)
{
	kill(m->pid, SIGTERM);
	for (int i = 0; i < 500; i++) {
		if (waitpid(m->pid, NULL, WNOHANG) == m->pid)
			return;
		usleep(10000);
	}
	kill(m->pid, SIGKILL);
	waitpid(m->pid, NULL, 0);
}

static int is_alert_of(const char *line, size_t len, pid_t actor)
{
	json_t *alert = json_loadb(line, len, 0, NULL), *ours, *rule, *pid;
	int matches;

	ours = json_object_get(json_object_get(alert, "unmapped"), "cachewarden");
	rule = json_object_get(ours, "rule");
	pid = json_object_get(json_object_get(ours, "actor"), "pid");
	if (!pid) { /* its place in OCSF */
		json_t *evidence = json_array_get(json_object_get(alert, "evidences"), 0);

		pid = json_object_get(
			json_object_get(json_object_get(evidence, "actor"), "process"), "pid");
	}
	matches = json_is_string(rule) && !strcmp(json_string_value(rule), "mem-read") &&
		  json_integer_value(pid) == actor;
	json_decref(alert);
	return matches;
}

/* Arrival time of the line of actor's alert; 0 if it did not arrive in ALERT_MS. */
static uint64_t monitor_await_alert(struct monitor *m, pid_t actor)
{
	uint64_t end = now_ns() + ALERT_MS * 1000000ull;

	while (now_ns() < end) {
		struct pollfd p = {.fd = m->out, .events = POLLIN};
		uint64_t arrived;
		char *line, *stop;
		ssize_t n;
		int found = 0;

		if (poll(&p, 1, 100) <= 0)
			continue;
		n = read(m->out, m->buf + m->len, LINE_ROOM - m->len);
		arrived = now_ns();
		if (n <= 0)
			return 0;
		m->len += n;
		line = m->buf;
		while ((stop = memchr(line, '\n', m->buf + m->len - line))) {
			found |= is_alert_of(line, stop - line, actor);
			line = stop + 1;
		}
		m->len -= line - m->buf;
		memmove(m->buf, line, m->len);
		if (found)
			return arrived;
	}
	return 0;
}

/* A process in the monitor's place that copies each byte. Ends with its input. */
static struct monitor relay_start(int *in)
{
	struct monitor m = {0};
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		die("pipe");
	m.pid = fork();
	if (m.pid < 0)
		die("fork");
	if (!m.pid) {
		char byte;

		close(to[1]);
		while (read(to[0], &byte, 1) == 1 && write(from[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	*in = to[1];
	m.out = from[0];
	return m;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double relay_median_us(volatile uint64_t *began)
{
	uint64_t took[RELAY_SAMPLES];
	int in;
	struct monitor m = relay_start(&in);

	for (int i = 0; i < RELAY_SAMPLES; i++) {
		char byte = 0;
		pid_t child;

		usleep(GAP_US);
		child = fork();
		if (child < 0)
			die("fork");
		if (!child) {
			*began = now_ns();
			_exit(write(in, &byte, 1) != 1);
		}
		if (read(m.out, &byte, 1) != 1)
			die("relay");
		took[i] = now_ns() - *began;
		waitpid(child, NULL, 0);
	}
	close(in);
	waitpid(m.pid, NULL, 0);
	close(m.out);
	qsort(took, RELAY_SAMPLES, sizeof(*took), by_value);
	return took[RELAY_SAMPLES / 2] / 1e3;
}

/* One sample: the time until the alert of a new child, 0 if it did not arrive. */
static uint64_t sample_ns(struct monitor *m, pid_t target, void *address, volatile uint64_t *began)
{
	uint64_t arrived;
	pid_t child;

	usleep(GAP_US);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		char bytes[64];
		struct iovec local = {bytes, sizeof(bytes)}, remote = {address, sizeof(bytes)};

		*began = now_ns();
		_exit(process_vm_readv(target, &local, 1, &remote, 1, 0) != sizeof(bytes));
	}
	arrived = monitor_await_alert(m, child);
	waitpid(child, NULL, 0);
	return arrived ? arrived - *began : 0;
}

static void print_result(uint64_t *took, int got, int lost, double relay_us)
{
	if (!got) {
		printf("samples=0 lost=%d\n", lost);
		return;
	}
	qsort(took, got, sizeof(*took), by_value);
	printf("samples=%d lost=%d median_us=%.1f p90_us=%.1f p99_us=%.1f max_us=%.1f "
	       "relay_us=%.1f\n",
	       got, lost, took[got / 2] / 1e3, took[got * 9 / 10] / 1e3, took[got * 99 / 100] / 1e3,
	       took[got - 1] / 1e3, relay_us);
}

int main(int argc, char **argv)
{
	volatile uint64_t *began;
	int samples, got = 0;
	struct monitor m;
	double relay_us;
	uint64_t *took;
	pid_t target;
	void *address;

	if (argc < 4) {
		fprintf(stderr, "usage: latency MONITOR PID SAMPLES [ARGUMENT...]\n");
		return 2;
	}
	target = atoi(argv[2]);
	samples = atoi(argv[3]);
	took = calloc(samples, sizeof(*took));
	began = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!took || began == MAP_FAILED)
		die("memory");
	address = first_mapping(target);
	relay_us = relay_median_us(began);
	m = monitor_start(argv[1], argv + 4);
	monitor_await_ready(&m);
	for (int i = 0; i < samples; i++) {
		took[got] = sample_ns(&m, target, address, began);
		got += took[got] != 0;
	}
	monitor_stop(&m);
	print_result(took, got, samples - got, relay_us);
	return got * 2 < samples;
}
