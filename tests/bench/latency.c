/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency MONITOR PID SAMPLES [idle|busy|noise [ARGUMENT...]] - measure the time from a process_vm_readv on PID to
 * the alert's line in the monitor's output pipe. idle: nothing else runs. busy: one process for each
 * CPU computes meanwhile. noise: user nobody tries the same 100,000 times a second, and is refused.
 *
 * Starts `MONITOR run --output json --events ARGUMENT...`. One new child per sample reads PID's memory and
 * exits: a new actor each time, so that no alert is merged into an earlier one. The clock starts in
 * the child right before the system call and stops when read(2) on the pipe has returned the line.
 * relay_us is the median of the same path through a process that only copies a byte, under the same
 * load. Prints "samples=N lost=N median_us=... p99_us=... p999_us=... max_us=... relay_us=...
 * relay_p99_us=... noise_per_s=N", the last for noise only; exits with 1 if fewer than half of the
 * alerts arrived.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#define READY "cachewarden: watching"
#define READY_MS 15000
#define ALERT_MS 2000
#define GAP_US 5000 /* between samples, so that the monitor is asleep again */
#define RELAY_SAMPLES 300
#define ARGUMENTS_MAX 16
#define NOBODY 65534
#define NOISE_BURST 100 /* attempts of one process, a process each millisecond */
#define NOISE_GAP_NS 1000000
#define LOADS_MAX 1024
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

/* What runs beside, and what it counts. */
struct load {
	pid_t pid[LOADS_MAX];
	int count;
	volatile uint64_t *attempts; /* of the noise; shared with it */
};

static void noise_burst(pid_t target, void *address)
{
	char bytes[64];
	struct iovec local = {bytes, sizeof(bytes)}, remote = {address, sizeof(bytes)};

	for (int i = 0; i < NOISE_BURST; i++) {
		if (process_vm_readv(target, &local, 1, &remote, 1, 0) >= 0 || errno != EPERM)
			_exit(1); /* nobody can read it: no noise, but a success */
	}
	_exit(0);
}

/* Behind its time, it does not sleep. */
static void noise_run(pid_t target, void *address, volatile uint64_t *attempts)
{
	uint64_t next = now_ns();
	int status;

	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (1) {
		pid_t child = fork();

		if (!child)
			noise_burst(target, address);
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			_exit(1);
		*attempts += NOISE_BURST;
		next += NOISE_GAP_NS;
		if (now_ns() < next)
			usleep((next - now_ns()) / 1000);
	}
}

static void load_add(struct load *l, void (*run)(pid_t target, void *address, volatile uint64_t *n),
		     pid_t target, void *address)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		run(target, address, l->attempts);
	l->pid[l->count++] = pid;
}

static void compute(pid_t target, void *address, volatile uint64_t *n)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (1)
		;
}

static struct load load_start(const char *kind, pid_t target, void *address)
{
	struct load l = {.attempts = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
	cpu_set_t cpus;

	if (l.attempts == MAP_FAILED || sched_getaffinity(0, sizeof(cpus), &cpus))
		die("load");
	if (!strcmp(kind, "noise"))
		load_add(&l, noise_run, target, address);
	else if (!strcmp(kind, "busy"))
		while (l.count < CPU_COUNT(&cpus) && l.count < LOADS_MAX)
			load_add(&l, compute, target, address);
	return l;
}

static void load_stop(struct load *l)
{
	for (int i = 0; i < l->count; i++) {
		if (waitpid(l->pid[i], NULL, WNOHANG))
			fprintf(stderr, "latency: the load ended early\n");
		kill(l->pid[i], SIGKILL);
		waitpid(l->pid[i], NULL, 0);
	}
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

/* Sets took, sorted. */
static void relay_measure(volatile uint64_t *began, uint64_t took[RELAY_SAMPLES])
{
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

static void print_result(uint64_t *took, int got, int lost, const uint64_t relay[RELAY_SAMPLES])
{
	if (!got) {
		printf("samples=0 lost=%d", lost);
		return;
	}
	qsort(took, got, sizeof(*took), by_value);
	printf("samples=%d lost=%d median_us=%.1f p99_us=%.1f p999_us=%.1f max_us=%.1f relay_us=%.1f "
	       "relay_p99_us=%.1f",
	       got, lost, took[got / 2] / 1e3, took[got * 99l / 100] / 1e3,
	       took[got * 999l / 1000] / 1e3, took[got - 1] / 1e3, relay[RELAY_SAMPLES / 2] / 1e3,
	       relay[RELAY_SAMPLES * 99 / 100] / 1e3);
}

int main(int argc, char **argv)
{
	volatile uint64_t *began;
	uint64_t relay[RELAY_SAMPLES], *took, from, noise;
	const char *kind = argc > 4 ? argv[4] : "idle";
	int samples, got = 0;
	struct monitor m;
	struct load l;
	pid_t target;
	void *address;

	if (argc < 4) {
		fprintf(stderr,
			"usage: latency MONITOR PID SAMPLES [idle|busy|noise [ARGUMENT...]]\n");
		return 2;
	}
	target = atoi(argv[2]);
	samples = atoi(argv[3]);
	took = calloc(samples, sizeof(*took));
	began = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!took || began == MAP_FAILED)
		die("memory");
	address = first_mapping(target);
	m = monitor_start(argv[1], argv + (argc > 4 ? 5 : 4));
	monitor_await_ready(&m);
	l = load_start(kind, target, address);
	relay_measure(began, relay);
	from = now_ns();
	noise = *l.attempts;
	for (int i = 0; i < samples; i++) {
		took[got] = sample_ns(&m, target, address, began);
		got += took[got] != 0;
	}
	noise = (*l.attempts - noise) * 1000000000 / (now_ns() - from);
	load_stop(&l);
	monitor_stop(&m);
	print_result(took, got, samples - got, relay);
	if (noise)
		printf(" noise_per_s=%llu", (unsigned long long)noise);
	printf("\n");
	return got * 2 < samples;
}
