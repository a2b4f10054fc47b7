/* SPDX-License-Identifier: BSD-2-Clause */
/* service.c - the monitor under a service manager, in whose place a socket stands: what it says, and when. */
#include "harness.h"
#include "steps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHDOG_S 3

static struct server *a;
static int manager, passed;
static char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

static void setup(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	a = server_start(&(struct server_opts){});
	snprintf(path, sizeof(path), "%s/manager", scratch);
	memcpy(at.sun_path, path, sizeof(path));
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	require(!bind(manager, (struct sockaddr *)&at, sizeof(at)), "%s: %s", path,
		strerror(errno));
}

static void teardown(void)
{
	close(manager);
	unlink(path);
}

/* In the monitor, before exec. */
static void be_managed(void)
{
	char text[16];

	setenv("NOTIFY_SOCKET", path, 1);
	snprintf(text, sizeof(text), "%d000000", WATCHDOG_S);
	setenv("WATCHDOG_USEC", text, 1);
	snprintf(text, sizeof(text), "%d", getpid());
	setenv("WATCHDOG_PID", text, 1);
	if (!passed)
		return;
	dup2(passed, 3);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", text, 1);
}

/* The next message of those that begin so; others are skipped. "" if none comes in that time. */
static const char *heard(const char *prefix, int timeout_ms)
{
	static char text[2048];
	long long until = now_ms() + timeout_ms;

	for (;;) {
		ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

		text[n > 0 ? n : 0] = '\0';
		if (n > 0 && !strncmp(text, prefix, strlen(prefix)))
			return text;
		if (n <= 0 && now_ms() > until)
			return "";
		if (n <= 0)
			sleep_ms(10);
	}
}

static void must_hear(const char *prefix, int timeout_ms)
{
	require(heard(prefix, timeout_ms)[0], "not heard: %s", prefix);
}

/* Nothing that was said before. */
static void forget(void)
{
	heard("no message begins so", 0);
}

static struct monitor *managed(const char *const *argv)
{
	forget();
	return monitor_start_with(&(struct child_opts){.setup = be_managed}, argv);
}

static struct monitor *managed_plainly(void)
{
	return managed((const char *const[]){MONITOR, "run", "--output", "json", "--events", NULL});
}

static void ready(const void *arg)
{
	struct monitor *m = managed_plainly();
	struct trigger t;

	must_hear("READY=1", 20000 * patience);
	/* what happens from now on is seen */
	t = trigger("vm_readv", pid_of(a));
	expect(m, {.rule = "mem-read", .server = a, .by = &t},
	       {.rule = "self-blind", .optional = true, .many = true});
	must_hear("STATUS=watching ", 8000 * patience);
}

static void never_ready(const void *arg)
{
	struct run r;

	forget();
	r = run_with(&(struct child_opts){.setup = be_managed}, 8000, MONITOR, "run", "--policy",
		     "/nonexistent");
	require(r.status == 2, "exit code %d: %s", r.status, r.err);
	require(!heard("READY=1", 200)[0], "it says that it is ready");
}

static void watchdog(const void *arg)
{
	struct monitor *m = managed_plainly();

	must_hear("READY=1", 20000 * patience);
	for (int i = 0; i < 3; i++)
		must_hear("WATCHDOG=1", WATCHDOG_S * 1000);
	kill(m->pid, SIGSTOP);
	sleep_ms(200);
	forget();
	require(!heard("WATCHDOG=1", WATCHDOG_S * 1000)[0], "a stopped monitor says it is alive");
	kill(m->pid, SIGCONT);
	must_hear("WATCHDOG=1", WATCHDOG_S * 1000);
}

static void reload(const void *arg)
{
	const char *policy = policy_file("incidents:\n  quiet: 60\n");
	struct monitor *m = managed((const char *const[]){MONITOR, "run", "--output", "json",
							  "--events", "--policy", policy, NULL});

	must_hear("READY=1", 20000 * patience);
	kill(m->pid, SIGHUP);
	must_hear("RELOADING=1\nMONOTONIC_USEC=", 5000 * patience);
	must_hear("READY=1", 5000 * patience);
	file_write(policy, "nonsense: 1\n");
	kill(m->pid, SIGHUP); /* the old one stays: it is ready, too */
	must_hear("RELOADING=1\n", 5000 * patience);
	must_hear("READY=1", 5000 * patience);
	require(file_has(m->err, "the old one stays in force"), "it does not say so");
}

static void stopping(const void *arg)
{
	struct monitor *m = managed_plainly();

	must_hear("READY=1", 20000 * patience);
	kill(m->pid, SIGTERM);
	must_hear("STOPPING=1", 5000 * patience);
	child_wait(m->pid, 10000 * patience);
}

/* The manager is to follow the next one, which is ready, and alive, in its turn. */
static void handed_over(const void *arg)
{
	struct monitor *m = managed_plainly();
	int next = 0, said = 0;
	struct run r;

	must_hear("READY=1", 20000 * patience);
	r = run_command(30000, MONITOR, "upgrade", "--pid", str("%d", m->pid));
	require(!r.status && sscanf(r.out, "pid %d has taken over", &next) == 1, "upgrade: %s%s",
		r.out, r.err);
	child_adopt(next);
	require(sscanf(heard("MAINPID=", 5000 * patience), "MAINPID=%d", &said) == 1 &&
			said == next,
		"MAINPID=%d is said, not %d", said, next);
	must_hear("READY=1", 5000 * patience);
	child_wait(m->pid, 10000);
	m->pid = next;
	for (int i = 0; i < 2; i++)
		must_hear("WATCHDOG=1", WATCHDOG_S * 1000 * patience);
	kill(next, SIGTERM);
	must_hear("STOPPING=1", 5000 * patience);
	child_wait(next, 10000);
}

/* Metrics on a socket that the manager listens on: the service itself needs no network. */
static void socket_passed(const void *arg)
{
	static const char get[] = "GET /metrics HTTP/1.0\r\n\r\n";
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port_free()),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char said[32] = "";

	passed = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(!bind(passed, (struct sockaddr *)&at, sizeof(at)) && !listen(passed, 8),
		"listen: %s", strerror(errno));
	managed_plainly();
	close(passed);
	passed = 0;
	for (int i = 0; i < 30 && strncmp(said, "HTTP/1.1 200 ", 13); i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		require(!connect(fd, (struct sockaddr *)&at, sizeof(at)), "connect: %s",
			strerror(errno));
		send(fd, get, sizeof(get) - 1, MSG_NOSIGNAL);
		said[0] = '\0';
		if (recv(fd, said, sizeof(said) - 1, MSG_WAITALL) < 0)
			said[0] = '\0';
		close(fd);
		sleep_ms(100 * patience);
	}
	require(!strncmp(said, "HTTP/1.1 200 ", 13), "says: %s", said);
}

/* As in the unit: no right to the kernel's log, and the symbols opened by somebody who has it. */
static void be_sandboxed(void)
{
	int fd = open("/proc/kallsyms", O_RDONLY);

	dup2(fd, STDIN_FILENO);
	close(fd);
	prctl(PR_CAPBSET_DROP, CAP_SYSLOG, 0, 0, 0);
}

static void symbols_passed(const void *arg)
{
	const char *const argv[] = {MONITOR, "run", "--output", "json", "--events", NULL};
	struct monitor *m = monitor_start_with(&(struct child_opts){.setup = be_sandboxed}, argv);
	struct trigger harmless, reading;

	monitor_ready(m);
	harmless = trigger("bpf_load", "kernel");
	reading = trigger("bpf_load", "user");
	monitor_sync(m);
	require(!alert_find(m, "mem-kernel", harmless.pid), "a harmless program is reported");
	require(alert_find(m, "mem-kernel", reading.pid), "one that reads user memory is not");
}

static const struct test tests[] = {
	TEST("it is ready once what happens is seen", ready),
	TEST("a monitor that cannot start is never ready", never_ready),
	TEST("the watchdog is fed by the main loop, and by nothing else", watchdog),
	TEST("a reload is announced, and over, also if the policy is invalid", reload),
	TEST("an end is announced", stopping),
	TEST("after a handover the manager follows the next monitor", handed_over),
	TEST("metrics are served on a socket of the manager's", socket_passed),
	TEST("without CAP_SYSLOG harmless BPF programs are told from others", symbols_passed),
	{},
};

const struct suite service_suite = {"service", setup, teardown, tests};
