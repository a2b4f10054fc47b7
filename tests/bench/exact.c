/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exact [-m MONITOR] [-p] SERVER PORT CA [PART] - the instructions that operations take, on a machine whose clock ticks
 * once for each.
 *
 * SERVER is the pid of a Redis that speaks TLS on PORT of 127.0.0.1, with a certificate of CA. Prints lines of fields
 * that are separated by tabs:
 *
 *   figure  NAME INSTRUCTIONS                 of one operation: the mean of the middle windows of many operations each
 *   program NAME PROGRAM RUNS INSTRUCTIONS    with -p: runs per operation, and the mean of one run by the kernel's
 *                                             statistics, which must be on
 *
 * `server: ...` is what the server spends on a request. `host: ...` is what client, server and the monitor, if one runs,
 * spend together: for a new connection the monitor does some work of its own, and when it wakes decides whether client or
 * server pays for the switches between them. `stranger: ...` is what a process spends on an operation that has nothing
 * to do with any server, its children included. PART selects names by their beginning.
 *
 * Client and server run under SCHED_BATCH, on one CPU: neither interrupts the other when it is woken, so their turns
 * are the same in every run.
 */
#include "triggers/tls.h"

#include "prog_stats.h"

#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define SYNOPSIS "[-m MONITOR] [-p] SERVER PORT CA [PART]"
#define OUTLIERS 2 /* at each end: a window in which the server also did its periodic work */
#define CLIENTS 10
#define SIZE_MAX_BYTES 10240
#define PIPELINE_MAX 16

static const char *part = "";
static const char *port, *ca;
static int server_times, monitor_times = -1; /* /proc/PID/schedstat */

/* --- clocks, in instructions --- */

static int times_open(const char *pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/schedstat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		trigger_die("%s", path);
	return fd;
}

static uint64_t times_read(int times)
{
	char text[64] = "";

	if (pread(times, text, sizeof(text) - 1, 0) <= 0)
		trigger_die("a measured process has ended");
	return strtoull(text, NULL, 10);
}

/* The server is asleep when it is asked: its time is then complete. */
static uint64_t server_clock(void)
{
	usleep(2000);
	return times_read(server_times);
}

static uint64_t own_clock(void)
{
	struct rusage children;
	struct timespec own;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return own.tv_sec * 1000000000ull + own.tv_nsec +
	       (children.ru_utime.tv_sec + children.ru_stime.tv_sec) * 1000000000ull +
	       (children.ru_utime.tv_usec + children.ru_stime.tv_usec) * 1000ull;
}

static uint64_t host_clock(void)
{
	usleep(20000); /* the monitor does its part a little later */
	return server_clock() + own_clock() + (monitor_times < 0 ? 0 : times_read(monitor_times));
}

/* --- measuring --- */

/* once() is called `times` times in each window and does `operations` operations each time. */
static void measure(const char *name, uint64_t (*clock)(void), void (*once)(void), int times,
		    int operations)
{
	double took[WINDOWS], middle = 0;

	for (int i = 0; i < times; i++)
		once();
	for (int w = 0; w < WINDOWS; w++) {
		uint64_t begin;

		progs_begin();
		begin = clock();
		for (int i = 0; i < times; i++)
			once();
		took[w] = (double)(clock() - begin) / times / operations;
		progs_end(w);
	}
	progs_print(name, times * operations);
	qsort(took, WINDOWS, sizeof(*took), by_value);
	for (int w = OUTLIERS; w < WINDOWS - OUTLIERS; w++)
		middle += took[w] / (WINDOWS - 2 * OUTLIERS);
	printf("figure\t%s\t%.1f\n", name, middle);
	fflush(stdout);
}

static bool selected(const char *name)
{
	return !strncmp(name, part, strlen(part));
}

/* --- the server --- */

static SSL_CTX *context;
static SSL *client[CLIENTS];
static char request[PIPELINE_MAX * (SIZE_MAX_BYTES + 64)], reply[sizeof(request)];
static int request_len, reply_len;

/* All clients send, then all read their replies. */
static void requests_once(void)
{
	for (int i = 0; i < CLIENTS; i++) {
		if (SSL_write(client[i], request, request_len) != request_len)
			trigger_die("request");
	}
	for (int i = 0; i < CLIENTS; i++) {
		for (int len = 0, n; len < reply_len; len += n) {
			n = SSL_read(client[i], reply, sizeof(reply));
			if (n <= 0 || reply[0] == '-')
				trigger_die("reply");
		}
	}
}

/* All use one key. Whether a second one falls into the same bucket of the server's hash table is chance, and costs each
 * lookup some 75 instructions. */
static void requests(bool set, int size, int pipeline, int times)
{
	static char value[SIZE_MAX_BYTES];
	char one[SIZE_MAX_BYTES + 64], name[64];
	int len;

	snprintf(name, sizeof(name), "server: %s %d B, P=%d", set ? "SET" : "GET", size, pipeline);
	if (!selected(name))
		return;
	memset(value, 'v', sizeof(value));
	if (set)
		len = snprintf(one, sizeof(one),
			       "*3\r\n$3\r\nSET\r\n$5\r\nvalue\r\n$%d\r\n%.*s\r\n", size, size,
			       value);
	else
		len = snprintf(one, sizeof(one), "*2\r\n$3\r\nGET\r\n$5\r\nvalue\r\n");
	for (int i = 0; i < pipeline; i++)
		memcpy(request + i * len, one, len);
	request_len = pipeline * len;
	reply_len = pipeline * (set ? (int)strlen("+OK\r\n")
				    : snprintf(NULL, 0, "$%d\r\n%.*s\r\n", size, size, value));
	measure(name, server_clock, requests_once, times, CLIENTS * pipeline);
}

static void connection_once(void)
{
	SSL *ssl = tls_connect(context, "127.0.0.1", port);

	tls_ping(ssl);
	tls_close(ssl);
}

static void measure_server(void)
{
	static const int sizes[] = {100, SIZE_MAX_BYTES};

	context = tls_context(ca, 0);
	for (int i = 0; i < CLIENTS; i++)
		client[i] = tls_connect(context, "127.0.0.1", port);
	for (int i = 0; i < 2; i++) {
		for (int set = 1; set >= 0; set--) { /* what GET reads was SET before */
			requests(set, sizes[i], 1, i ? 5 : 10);
			requests(set, sizes[i], PIPELINE_MAX, i ? 1 : 5);
		}
	}
	if (selected("host: connection"))
		measure("host: connection", host_clock, connection_once, 6, 1);
	for (int i = 0; i < CLIENTS; i++)
		tls_close(client[i]);
}

/* --- strangers --- */

static int peers[2]; /* both ends of a TCP connection */
static int listener;
static struct sockaddr_in listens_at;
static pid_t child;

static void other_syscall(void)
{
	syscall(SYS_getppid);
}

static void open_close(void)
{
	int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		trigger_die("open");
	close(fd);
}

static void fork_exec_exit(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		trigger_die("fork");
	if (!pid) {
		execl("/bin/busybox", "true", NULL);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		trigger_die("/bin/busybox true");
}

static void connect_accept(int fd[2])
{
	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd[0] < 0 || connect(fd[0], (struct sockaddr *)&listens_at, sizeof(listens_at)))
		trigger_die("connect");
	fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd[1] < 0)
		trigger_die("accept");
}

static void connect_accept_close(void)
{
	int fd[2];

	connect_accept(fd);
	close(fd[0]);
	close(fd[1]);
}

/* Both ways, so that each acknowledgement travels with data. */
static void packets(void)
{
	char data[100] = {};

	for (int i = 0; i < 2; i++) {
		if (send(peers[i], data, sizeof(data), 0) != sizeof(data) ||
		    recv(peers[!i], data, sizeof(data), MSG_WAITALL) != sizeof(data))
			trigger_die("packet");
	}
}

static void vm_read(void)
{
	char byte;
	struct iovec local = {&byte, 1}, remote = {&child, 1};

	if (process_vm_readv(child, &local, 1, &remote, 1, 0) != 1)
		trigger_die("process_vm_readv");
}

/* The child ignores it. */
static void send_signal(void)
{
	if (kill(child, SIGWINCH))
		trigger_die("kill");
}

static const struct stranger {
	const char *name;
	void (*once)(void);
	int times, operations;
} strangers[] = {
	{"stranger: another syscall", other_syscall, 20000, 1},
	{"stranger: open, close", open_close, 1000, 1},
	{"stranger: fork, exec, exit", fork_exec_exit, 20, 1},
	{"stranger: connect, accept, close", connect_accept_close, 60, 1},
	{"stranger: packet", packets, 250, 2},
	{"stranger: process_vm_readv", vm_read, 500, 1},
	{"stranger: signal", send_signal, 500, 1},
};

static void measure_strangers(void)
{
	socklen_t len = sizeof(listens_at);

	listener = net_listen(0, SOCK_CLOEXEC);
	getsockname(listener, (struct sockaddr *)&listens_at, &len);
	connect_accept(peers);
	child = fork();
	if (!child)
		trigger_stay();
	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
		const struct stranger *s = &strangers[i];

		if (selected(s->name))
			measure(s->name, own_clock, s->once, s->times, s->operations);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* --- sweeps --- */

/* The monitor sweeps once a minute while nothing else happens. An idle machine's time passes at once. */
static void await_sweep(void)
{
	sleep(60);
}

int main(int argc, char **argv)
{
	const struct sched_param none = {};
	int option;

	while ((option = getopt(argc, argv, "m:p")) > 0) {
		if (option == 'm')
			monitor_times = times_open(optarg);
		else if (option == 'p')
			progs_open();
		else
			trigger_usage(SYNOPSIS);
	}
	argc -= optind;
	argv += optind;
	if (argc < 3 || argc > 4)
		trigger_usage(SYNOPSIS);
	server_times = times_open(argv[0]);
	port = argv[1];
	ca = argv[2];
	if (argc == 4)
		part = argv[3];
	if (sched_setscheduler(0, SCHED_BATCH, &none) ||
	    sched_setscheduler(atoi(argv[0]), SCHED_BATCH, &none))
		trigger_die("SCHED_BATCH");
	measure_server();
	measure_strangers();
	if (prog_count && selected("sweep"))
		measure("sweep", own_clock, await_sweep, 1, 1);
	return 0;
}
