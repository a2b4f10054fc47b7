/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.c - main(): runs suites and tests, prints TAP, bounds the time of a test, and removes scratch files.
 *
 *     cachewarden-live [-ls] [-o PART] [-p TIMES] [SUBSTRING...]
 *
 * Runs the tests whose names contain a SUBSTRING; without one all but the slow ones, with -s the slow ones only. -o runs
 * one part: left, right, floods, monitors or alone. -l lists the tests. -p sets the factor on every time limit; the
 * default suits a busy machine, and a limit only matters to a test that fails. Run as root from the repository's root.
 * KEEP=1 in the environment leaves the scratch directory.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_SECONDS 60 /* bounds a test that hangs */

int patience = 4;
char scratch[64] = "/tmp/cachewarden-live.XXXXXX";

static bool slow; /* run the slow tests and no others */
static jmp_buf test_end;
static enum { TEST_PASSED, TEST_FAILED, TEST_SKIPPED } verdict;
static char verdict_text[8192];
/*
 * The part of a run that a suite belongs to. Those of a pair take about the same time and may run side by side, as their
 * tests evaluate what happens to their own servers and processes: LEFT and RIGHT; then FLOODS, which fills tables, buffers
 * and the shares of users, and MONITORS, which is about monitors and what one leaves for the next, and in which no user
 * makes much noise. ALONE is what concerns every server of the host: probes in files that servers share, prevention, counts
 * of blind spots, incidents of anybody. EVERY part ends with the last suite.
 */
enum part { WHOLE, LEFT, RIGHT, FLOODS, MONITORS, ALONE, EVERY };

static enum part part; /* the one to run */

/* clang-format off: one row a suite */
static const struct {
	const struct suite *suite;
	enum part part;
} suites[] = {
	{&memory_suite, LEFT},
	{&quiet_suite, ALONE},
	{&calls_suite, ALONE},
	{&files_suite, LEFT},
	{&files_search_suite, ALONE},
	{&files_search_before_suite, ALONE},
	{&files_search_excess_suite, ALONE},
	{&ask_suite, MONITORS},
	{&ask_alone_suite, MONITORS},
	{&files_learnt_suite, ALONE}, /* all monitors keep it in one file */
	{&evidence_suite, MONITORS},
	{&evidence_actors_suite, RIGHT},
	{&evidence_faults_suite, ALONE},
	{&evidence_witness_suite, LEFT},
	{&sweep_suite, LEFT},
	{&sweep_alone_suite, ALONE},
	{&wire_suite, RIGHT},
	{&instances_suite, LEFT},
	{&collector_suite, FLOODS},
	{&policy_suite, FLOODS},
	{&noise_suite, FLOODS},
	{&noise_bulk_suite, FLOODS},
	{&cli_suite, RIGHT},
	{&doctor_suite, ALONE},
	{&tools_suite, ALONE},
	{&benign_suite, ALONE},
	{&self_suite, MONITORS},
	{&handover_suite, MONITORS},
	{&silence_suite, MONITORS},
	{&silence_alone_suite, ALONE},
	{&validate_suite, ALONE},
	{&validate_report_suite, ALONE},
	{&validate_watch_suite, ALONE},
	{&validate_drill_suite, ALONE},
	{&unprevented_suite, ALONE},
	{&prevent_suite, ALONE},
	{&incident_suite, RIGHT},
	{&actors_suite, RIGHT},
	{&operate_suite, ALONE},
	{&sinks_suite, ALONE},
	{&status_suite, RIGHT},
	{&watch_suite, RIGHT},
	{&metrics_suite, ALONE},
	{&service_suite, RIGHT},
	{&tls_suite, RIGHT},
	{&tls_enforced_suite, ALONE},
	{&peers_suite, RIGHT},
	{&peers_kernel_suite, RIGHT},
	{&interplay_suite, RIGHT},
	{&net_suite, RIGHT},
	{&code_suite, LEFT},
	{&plain_suite, RIGHT},
	{&namesake_suite, LEFT},
	{&soak_suite, ALONE},
	{&ocsf_suite, EVERY},
};
/* clang-format on */

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

static pid_t own_pid;

/* Timeout or termination: leave no process and no file behind. A child has this handler, too, until it executes a program. */
static void on_signal(int sig)
{
	static const char late[] = "Bail out! a test did not end in time\n";

	if (getpid() != own_pid)
		_exit(1);
	children_kill();
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

/* Runs a step, which may call test_fail(). The result is in verdict. */
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
	long long began = now_ms();
	bool up = false;
	int failed = 0, shared = 0, first = *nr;

	for (const struct test *t = s->tests; t->name; t++) {
		long long begin = now_ms();

		if (!wanted(s, t, n, patterns))
			continue;
		alarm(TEST_SECONDS * patience);
		verdict = TEST_PASSED;
		if (!up && s->setup) {
			child_scope = SUITE_SCOPE;
			step_run = step_setup;
			step_arg = s;
			step();
			shared = monitors_known();
		}
		up = verdict == TEST_PASSED;
		child_scope = TEST_SCOPE;
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
		printf("# %.2f s\n", (now_ms() - begin) / 1000.0);
		failed += verdict == TEST_FAILED && !t->todo;
		strs_free(TEST_SCOPE);
		if (!up)
			children_end(SUITE_SCOPE);
	}
	if (up && s->teardown)
		s->teardown();
	children_end(SUITE_SCOPE);
	if (*nr > first)
		printf("# %s took %lld s\n", s->name, (now_ms() - began) / 1000);
	monitors_forget(0);
	strs_free(SUITE_SCOPE);
	alarm(0);
	return failed;
}

bool part_beside_another(void)
{
	return part != WHOLE && part != ALONE;
}

static enum part part_of(const char *name)
{
	static const char *const names[] = {[LEFT] = "left",
					    [RIGHT] = "right",
					    [FLOODS] = "floods",
					    [MONITORS] = "monitors",
					    [ALONE] = "alone"};

	for (enum part p = LEFT; p <= ALONE; p++)
		if (!strcmp(name, names[p]))
			return p;
	fprintf(stderr, "-o is left, right, floods, monitors or alone, not %s\n", name);
	exit(2);
}

static void list(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
		for (const struct test *t = suites[i].suite->tests; t->name; t++)
			printf("%s: %s\n", suites[i].suite->name, t->name);
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

/* What monitors leave for the next is for those of this run only. */
static void run_dir_make(void)
{
	if (mkdir(run_path(""), 0700) || setenv("RUNTIME_DIRECTORY", run_path(""), 1)) {
		printf("Bail out! %s: %s\n", run_path(""), strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	int failed = 0, nr = 0, opt;

	inherited_state_reset();
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt(argc, argv, "lso:p:")) != -1) {
		if (opt == 'p')
			patience = atoi(optarg) > 0 ? atoi(optarg) : 1;
		else if (opt == 'o')
			part = part_of(optarg);
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
	run_dir_make();
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* a server that went into the background stays ours */
	own_pid = getpid();
	signal(SIGALRM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
		if (part == WHOLE || suites[i].part == EVERY || suites[i].part == part)
			failed += suite_run(suites[i].suite, argc - optind, argv + optind, &nr);
	printf("1..%d\n", nr);
	if (failed)
		printf("# %d of %d failed\n", failed, nr);
	if (getenv("KEEP"))
		printf("# kept: %s\n", scratch);
	else
		scratch_remove();
	return failed || !nr;
}
