/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.c - TAP, time bounds, scratch files, and processes that end with the test that started them.
 *
 *     cachewarden-live [-ls] [-p TIMES] [SUBSTRING...]
 *
 * Runs the tests whose names contain a SUBSTRING; without one all but the slow ones, with -s the slow ones only.
 * -l lists the tests. -p sets the factor on every time limit; the default suits a busy machine, and a limit only
 * matters to a test that fails. Run as root from the repository's root. Never ends a process by name; if it is killed
 * itself, the kernel ends what it started (PR_SET_PDEATHSIG). KEEP=1 in the environment leaves the scratch directory.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN_MAX 256
#define TEST_SECONDS 60 /* no wait is longer than some seconds; this bounds a test gone wrong */
#define SUITE_SCOPE 0
#define TEST_SCOPE 1

int patience = 4;
char scratch[64] = "/tmp/cachewarden-live.XXXXXX";

static struct child {
	pid_t pid;
	int scope;
} children[CHILDREN_MAX];

static int scope;
static bool slow; /* run the slow tests and no others */
static jmp_buf test_end;
static enum { TEST_PASSED, TEST_FAILED, TEST_SKIPPED } verdict;
static char verdict_text[8192];
static const struct suite *const suites[] = {
	&memory_suite,	    &calls_suite,	 &files_suite,	   &sweep_suite,
	&wire_suite,	    &instances_suite,	 &collector_suite, &cli_suite,
	&doctor_suite,	    &tools_suite,	 &benign_suite,	   &self_suite,
	&unprevented_suite, &prevent_suite,	 &policy_suite,	   &incident_suite,
	&tls_suite,	    &tls_enforced_suite, &peers_suite,	   &peers_kernel_suite,
	&interplay_suite,   &net_suite,		 &soak_suite,
};

/* ---- small things ------------------------------------------------------------------------------- */

long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

const char *str(const char *fmt, ...)
{
	static char ring[64][1024];
	static unsigned int at;
	char *s = ring[at++ % 64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(s, sizeof(ring[0]), fmt, args);
	va_end(args);
	return s;
}

char *file_read(const char *path)
{
	return file_read_from(path, 0);
}

char *file_read_from(const char *path, long offset)
{
	size_t len = 0, room = 65536;
	char *text = malloc(room);
	FILE *f = fopen(path, "re");

	if (f)
		fseek(f, offset, SEEK_SET);
	while (f) {
		size_t n = fread(text + len, 1, room - len - 1, f);

		len += n;
		if (!n)
			break;
		if (len + 1 == room)
			text = realloc(text, room *= 2);
	}
	if (f)
		fclose(f);
	text[len] = 0;
	return text;
}

bool file_has(const char *path, const char *text)
{
	char *all = file_read(path);
	bool has = strstr(all, text);

	free(all);
	return has;
}

bool file_wait(const char *path, const char *text, int timeout_ms)
{
	long long end = now_ms() + (long long)timeout_ms * patience;

	while (!file_has(path, text)) {
		if (now_ms() > end)
			return false;
		sleep_ms(10);
	}
	return true;
}

void file_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		test_fail("write %s: %s", path, strerror(errno));
}

void file_copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	char dir[512], buf[65536];
	ssize_t n;

	snprintf(dir, sizeof(dir), "%s", to);
	*strrchr(dir, '/') = 0;
	mkdir(dir, 0755);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	require(in >= 0 && out >= 0, "copy %s to %s: %s", from, to, strerror(errno));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		require(write(out, buf, n) == n, "write %s: %s", to, strerror(errno));
	close(in);
	close(out);
}

static bool port_taken(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), taken;

	taken = bind(fd, (struct sockaddr *)&at, sizeof(at));
	close(fd);
	return taken;
}

/* Below the ephemeral range, so that no client gets it meanwhile; the cluster bus is 10000 above. */
int port_free(void)
{
	static int next;
	int port;

	if (!next)
		next = 12000 + getpid() % 8000;
	do
		port = next++;
	while (port_taken(port) || port_taken(port + 10000));
	return port;
}

/* Local address and state (0A: listening) of each line: Documentation/networking/proc_net_tcp.rst. */
static bool listens(const char *table, int port)
{
	FILE *f = fopen(table, "re");
	unsigned int local, state;
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*[0-9A-F]:%X %*[0-9A-F]:%*X %X", &local, &state) == 2 &&
			local == (unsigned int)port && state == 0x0A;
	if (f)
		fclose(f);
	return found;
}

void wait_listening(int port)
{
	long long end = now_ms() + 5000ll * patience;

	while (!listens("/proc/net/tcp", port) && !listens("/proc/net/tcp6", port)) {
		require(now_ms() < end, "no listener on port %d", port);
		sleep_ms(10);
	}
}

/* ---- processes ---------------------------------------------------------------------------------- */

static pid_t *ours;
static size_t ours_used;

void pid_ours_add(pid_t pid)
{
	ours = realloc(ours, (ours_used + 1) * sizeof(*ours));
	ours[ours_used++] = pid;
}

bool pid_ours(pid_t pid)
{
	for (size_t i = 0; i < ours_used; i++)
		if (ours[i] == pid)
			return true;
	return false;
}

void child_adopt(pid_t pid)
{
	pid_ours_add(pid);
	for (int i = 0; i < CHILDREN_MAX; i++) {
		if (children[i].pid)
			continue;
		children[i] = (struct child){pid, scope};
		return;
	}
	kill(pid, SIGKILL);
	test_fail("more than %d processes at once", CHILDREN_MAX);
}

static void child_forget(pid_t pid)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid == pid)
			children[i].pid = 0;
}

static void fd_from(int fd, const char *path, int flags)
{
	int from = open(path ?: "/dev/null", flags | O_CLOEXEC, 0644);

	if (from < 0 || dup2(from, fd) < 0)
		_exit(126);
}

static void child_become(const char *const *argv, const struct child_opts *o, int in)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	alarm(0);
	if (in >= 0)
		dup2(in, 0);
	else
		fd_from(0, NULL, O_RDONLY);
	if (o->out_fd > 0)
		dup2(o->out_fd, 1);
	else
		fd_from(1, o->out, O_WRONLY | O_CREAT | O_TRUNC);
	fd_from(2, o->err, O_WRONLY | O_CREAT | O_TRUNC);
	if (o->netns) {
		int ns = open(str("/proc/%d/ns/net", o->netns), O_RDONLY | O_CLOEXEC);

		if (ns < 0 || setns(ns, CLONE_NEWNET))
			_exit(126);
	}
	if (o->setup)
		o->setup();
	execvp(argv[0], (char *const *)argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

pid_t child_start(const char *const *argv, const struct child_opts *o)
{
	int in[2] = {-1, -1};
	pid_t pid;

	if (o->keep_stdin && pipe2(in, O_CLOEXEC))
		test_fail("pipe: %s", strerror(errno));
	fflush(stdout);
	/* raw: glibc's fork() has no place for the namespace flag */
	pid = o->pidns ? syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) : fork();
	if (pid < 0)
		test_fail("fork: %s", strerror(errno));
	if (!pid)
		child_become(argv, o, in[0]);
	if (in[0] >= 0)
		close(in[0]); /* our end stays open until we end */
	child_adopt(pid);
	return pid;
}

int child_wait(pid_t pid, int timeout_ms)
{
	long long end = now_ms() + (long long)timeout_ms * patience;
	int status;

	for (int pause_ms = 1;; pause_ms = pause_ms < 10 ? pause_ms + 1 : 10) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			child_forget(pid);
		if (got == pid)
			return status;
		if (got < 0 && kill(pid, 0)) { /* never ours, or waited for already */
			child_forget(pid);
			return 0;
		}
		if (now_ms() > end)
			return -1;
		sleep_ms(pause_ms);
	}
}

bool child_ended(pid_t pid)
{
	siginfo_t info = {};

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == pid;
}

int child_stop(pid_t pid, int sig, int timeout_ms)
{
	int status;

	kill(pid, sig);
	status = child_wait(pid, timeout_ms);
	if (status == -1) {
		kill(pid, SIGKILL);
		child_wait(pid, 2000);
	}
	return status;
}

static void children_end(int of)
{
	for (int i = 0; i < CHILDREN_MAX; i++) {
		if (children[i].pid && children[i].scope >= of) {
			kill(children[i].pid, SIGTERM);
			kill(children[i].pid, SIGCONT); /* a stopped one has to hear it */
		}
	}
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid && children[i].scope >= of)
			child_stop(children[i].pid, SIGTERM, 3000);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

struct run run_argv(int timeout_ms, const struct child_opts *o, const char *const *argv)
{
	static unsigned int nr;
	struct child_opts opts = *o;
	struct run r = {};
	int status;

	nr++;
	opts.out = str("%s/run.%u.out", scratch, nr);
	opts.err = str("%s/run.%u.err", scratch, nr);
	r.pid = child_start(argv, &opts);
	status = child_wait(r.pid, timeout_ms);
	if (status == -1)
		child_stop(r.pid, SIGKILL, 1000);
	r.status = status == -1	       ? -1
		   : WIFEXITED(status) ? WEXITSTATUS(status)
				       : 128 + WTERMSIG(status);
	r.out = file_read(opts.out);
	r.err = file_read(opts.err);
	unlink(opts.out);
	unlink(opts.err);
	return r;
}

pid_t process_child(pid_t parent)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	pid_t found = 0;

	while (proc && !found && (e = readdir(proc))) {
		char *stat, *at;

		if (!atoi(e->d_name))
			continue;
		stat = file_read(str("/proc/%d/stat", atoi(e->d_name)));
		at = strrchr(stat, ')'); /* ") S PPID ..." */
		if (at && atoi(at + 4) == parent)
			found = atoi(e->d_name);
		free(stat);
	}
	if (proc)
		closedir(proc);
	return found;
}

pid_t netns_start(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	require(!pipe2(ready, O_CLOEXEC), "pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		alarm(0);
		if (unshare(CLONE_NEWNET) || write(ready[1], "", 1) != 1)
			_exit(1);
		while (1)
			pause();
	}
	child_adopt(pid);
	close(ready[1]);
	require(read(ready[0], &byte, 1) == 1, "no network namespace");
	close(ready[0]);
	run_with(&((struct child_opts){.netns = pid}), 3000, "ip", "link", "set", "lo", "up");
	return pid;
}

bool netns_sh(pid_t ns, const char **said, const char *script)
{
	struct run r = run_with(&((struct child_opts){.netns = ns}), 5000, "sh", "-c",
				str("exec 2>&1; %s", script));

	r.out[strcspn(r.out, "\n")] = 0;
	*said = r.out;
	return !r.status;
}

void netns_must(pid_t ns, const char *script)
{
	const char *why;

	require(netns_sh(ns, &why, script), "%s: %s", script, why);
}

void netns_join(pid_t one, pid_t two, int net)
{
	const char *why;

	if (!netns_sh(one, &why,
		      str("ip link add cw%d type veth peer name cw%d netns %d", net, net, two)))
		test_skip("no veth here: %s", why);
	for (int i = 1; i <= 2; i++) {
		const char *v6 =
			access("/proc/net/if_inet6", R_OK)
				? ":"
				: str("ip addr add fd79::%d:%d/112 dev cw%d nodad", net, i, net);

		netns_must(i == 1 ? one : two,
			   str("ip addr add 10.%d.0.%d/24 dev cw%d && %s && ip link set cw%d up",
			       net, i, net, v6, net));
	}
}

long netns_counted(pid_t ns, const char *file, const char *protocol, const char *name)
{
	struct run r = run_with(&((struct child_opts){.netns = ns}), 3000, "cat",
				str("/proc/net/%s", file));
	char *names = strstr(r.out, str("%s: ", protocol)), *values, *save = NULL,
	     *save_values = NULL;

	values = names ? strstr(names + 1, str("\n%s: ", protocol)) : NULL;
	require(values, "no /proc/net/%s: %s", file, r.err);
	*values++ = 0;
	names = strtok_r(names, " ", &save);
	values = strtok_r(values, " \n", &save_values);
	while (names && values && strcmp(names, name)) {
		names = strtok_r(NULL, " ", &save);
		values = strtok_r(NULL, " \n", &save_values);
	}
	require(names && values, "no %s is counted here", name);
	return atol(values);
}

/* ---- triggers ----------------------------------------------------------------------------------- */

const char *trigger_path(const char *name)
{
	char *real = realpath(str("build/triggers/%s", name), NULL);
	const char *path = str("%s", real ?: name);

	require(real, "build/triggers/%s: %s (make tests)", name, strerror(errno));
	free(real);
	return path;
}

const char *trigger_for_all(const char *name)
{
	const char *to = str("%s/bin/%s", scratch, name);

	file_copy(trigger_path(name), to);
	return to;
}

struct trigger trigger_argv(const struct child_opts *o, const char *const *argv)
{
	const char *full[32], *line;
	struct trigger t = {};
	json_error_t error;
	struct run r;
	char *end;
	int n = 0;

	for (; argv[n] && n < 31; n++)
		full[n] = argv[n];
	full[n] = NULL;
	full[0] = strchr(argv[0], '/') ? argv[0] : trigger_path(argv[0]);
	r = run_argv(30000, o, full);
	require(!r.status, "trigger %s ended with %d: %s", argv[0], r.status, r.err);
	end = strrchr(r.out, '\n');
	require(end, "trigger %s said nothing", argv[0]);
	*end = 0;
	line = strrchr(r.out, '\n');
	line = line ? line + 1 : r.out;
	t.said = json_loads(line, 0, &error);
	require(t.said, "trigger %s said no JSON: %s", argv[0], line);
	t.pid = r.pid;
	t.tid = trigger_int(&t, "tid");
	t.uid = trigger_int(&t, "uid");
	t.start_ms = trigger_int(&t, "start_ms");
	snprintf(t.name, sizeof(t.name), "%s",
		 json_string_value(json_object_get(t.said, "trigger")));
	snprintf(t.exe, sizeof(t.exe), "%s", full[0]);
	free(r.out);
	free(r.err);
	return t;
}

struct trigger trigger_as_nobody(const char *name, const char *const *argv)
{
	struct trigger t = trigger_argv(&(struct child_opts){}, argv);

	snprintf(t.exe, sizeof(t.exe), "%s/bin/%s", scratch, name);
	require(t.uid == NOBODY, "trigger ran as %u", t.uid);
	return t;
}

/* A trigger that says what it did and then waits: its first line. */
struct trigger trigger_staying(const char *const *argv)
{
	static unsigned int nr;
	const char *out = str("%s/staying.%u", scratch, ++nr), *full[12] = {trigger_path(argv[0])};
	struct trigger t = {};
	pid_t pid;
	char *said;

	for (int i = 1; argv[i] && i < 11; i++)
		full[i] = argv[i];
	pid = child_start(full, &(struct child_opts){.out = out, .err = str("%s.err", out)});
	require(file_wait(out, "\n", 5000), "%s said nothing: %s", argv[0],
		file_read(str("%s.err", out)));
	said = file_read(out);
	t.said = json_loads(said, JSON_DISABLE_EOF_CHECK, NULL);
	require(t.said, "%s said no JSON: %s", argv[0], said);
	free(said);
	t.pid = trigger_int(&t, "pid");
	if (t.pid != pid)
		child_adopt(t.pid);
	t.tid = trigger_int(&t, "tid");
	t.start_ms = trigger_int(&t, "start_ms");
	snprintf(t.name, sizeof(t.name), "%s", argv[0]);
	snprintf(t.exe, sizeof(t.exe), "%s", full[0]);
	return t;
}

long long trigger_int(const struct trigger *t, const char *key)
{
	return json_integer_value(json_object_get(t->said, key));
}

bool trigger_true(const struct trigger *t, const char *key)
{
	return json_is_true(json_object_get(t->said, key));
}

/* ---- tests -------------------------------------------------------------------------------------- */

void test_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(verdict_text, sizeof(verdict_text), fmt, args);
	va_end(args);
	verdict = TEST_FAILED;
	longjmp(test_end, 1);
}

void test_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(verdict_text, sizeof(verdict_text), fmt, args);
	va_end(args);
	verdict = TEST_SKIPPED;
	longjmp(test_end, 1);
}

static void scratch_remove(void)
{
	pid_t pid = fork();

	if (!pid) {
		execlp("rm", "rm", "-rf", scratch, NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* Time is up, or somebody wants us to end: leave nothing behind. */
static void on_signal(int sig)
{
	static const char late[] = "Bail out! a test did not end in time\n";

	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid)
			kill(children[i].pid, SIGKILL);
	if (sig == SIGALRM && write(1, late, sizeof(late) - 1) < 0)
		_exit(1);
	if (getenv("KEEP") == NULL)
		scratch_remove();
	_exit(1);
}

static void diagnose(char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
}

static void (*step_run)(const void *);
static const void *step_arg;

/* Runs a step that may fail by test_fail(); verdict says how it went. */
static void step(void)
{
	verdict = TEST_PASSED;
	verdict_text[0] = 0;
	if (!setjmp(test_end))
		step_run(step_arg);
}

static void step_setup(const void *arg)
{
	const struct suite *s = arg;

	s->setup();
}

static void step_test(const void *arg)
{
	const struct test *t = arg;

	monitors_mark();
	t->run(t->arg);
}

static bool wanted(const struct suite *s, const struct test *t, int n, char **patterns)
{
	const char *name = str("%s: %s", s->name, t->name);

	for (int i = 0; i < n; i++)
		if (strstr(name, patterns[i]))
			return true;
	return !n && !s->apart && (s->slow || t->slow) == slow;
}

static int suite_run(const struct suite *s, int n, char **patterns, int *nr)
{
	bool up = false;
	int failed = 0, shared = 0;

	for (const struct test *t = s->tests; t->name; t++) {
		long long begin = now_ms();

		if (!wanted(s, t, n, patterns))
			continue;
		alarm(TEST_SECONDS * patience);
		verdict = TEST_PASSED;
		if (!up && s->setup) {
			scope = SUITE_SCOPE;
			step_run = step_setup;
			step_arg = s;
			step();
			shared = monitors_known();
		}
		up = verdict == TEST_PASSED;
		scope = TEST_SCOPE;
		step_run = step_test;
		step_arg = t;
		if (up)
			step();
		children_end(TEST_SCOPE);
		monitors_forget(shared);
		printf("%sok %d - %s: %s", verdict == TEST_FAILED ? "not " : "", ++*nr, s->name,
		       t->name);
		if (verdict == TEST_SKIPPED)
			printf(" # SKIP %s", verdict_text);
		else if (t->todo)
			printf(" # TODO %s", t->todo);
		printf("\n");
		if (verdict == TEST_FAILED)
			diagnose(verdict_text);
		if (now_ms() - begin > 5000)
			printf("# took %lld ms\n", now_ms() - begin);
		failed += verdict == TEST_FAILED && !t->todo;
		if (!up)
			children_end(SUITE_SCOPE);
	}
	if (up && s->teardown)
		s->teardown();
	children_end(SUITE_SCOPE);
	monitors_forget(0);
	alarm(0);
	return failed;
}

static void list(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
		for (const struct test *t = suites[i]->tests; t->name; t++)
			printf("%s: %s\n", suites[i]->name, t->name);
}

/*
 * The state that tests and servers inherit must not depend on the caller: a shell's background job ignores SIGINT and
 * SIGQUIT, and a server that ignores SIGQUIT never dumps core. Where a standard descriptor is closed, the first pipe of
 * a server takes its number, and is closed when the server goes into the background.
 */
static void inherited_state_reset(void)
{
	sigset_t none;
	int fd;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	close(fd);
}

int main(int argc, char **argv)
{
	int failed = 0, nr = 0, opt;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt(argc, argv, "lsp:")) != -1) {
		if (opt == 'p')
			patience = atoi(optarg) > 0 ? atoi(optarg) : 1;
		else if (opt == 's')
			slow = true;
		else if (opt == 'l')
			list();
		if (opt == 'l' || opt == '?')
			return opt != 'l';
	}
	if (geteuid()) {
		printf("Bail out! the live tests run as root\n");
		return 1;
	}
	if (access(MONITOR, X_OK) || !mkdtemp(scratch) || chmod(scratch, 0755)) {
		printf("Bail out! no " MONITOR " here, or no scratch directory: %s\n",
		       strerror(errno));
		return 1;
	}
	inherited_state_reset();
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* a server that went into the background stays ours */
	signal(SIGALRM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
		failed += suite_run(suites[i], argc - optind, argv + optind, &nr);
	printf("1..%d\n", nr);
	if (failed)
		printf("# %d of %d failed\n", failed, nr);
	if (getenv("KEEP"))
		printf("# kept: %s\n", scratch);
	else
		scratch_remove();
	return failed || !nr;
}
