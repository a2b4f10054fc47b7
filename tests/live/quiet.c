/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quiet.c - the quiet tier: what it sees, how, and what it does not. docs/coverage.md has both lists; a row that moves from
 * one to the other has to move there as well.
 *
 * Kernels that offer a better tier are treated as if they did not, so that the suite runs in every lane.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define SWEEP_S "1"
#define SWEEPS_MS 3000 /* two sweeps, and the half second that a state must last */

static struct server *a;
static struct monitor *mon;
static bool outcomes; /* this kernel runs programs on the way back to user mode */

static void setup(void)
{
	char *symbols = file_read("/proc/kallsyms");

	outcomes = strstr(symbols, "bpf_task_work_schedule_resume_impl") != NULL;
	free(symbols);
	setenv("CACHEWARDEN_REFUSE", "fentry,kprobe", 1);
	a = server_start(&(struct server_opts){.plain = true, .extra = "appendonly yes"});
	mon = monitor_start("--tier", "quiet", "--sweep", SWEEP_S, NULL);
	sleep_ms(SWEEPS_MS); /* what is raised at its start is no test's, whichever is the first */
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
	unsetenv("CACHEWARDEN_REFUSE");
}

/* ---- seen when it happens ------------------------------------------------------------------------ */

struct seen {
	const char *argv[8]; /* of the trigger; PID and EXE stand for the server's */
	struct want want[3];
	bool ended;  /* the outcome is waited for, where the kernel can */
	bool copies; /* fails, but only after bytes were copied */
};

#define PID "@pid"
#define EXE "@exe"
#define SEEN(...) &((const struct seen){__VA_ARGS__})
#define DOES(...) .argv = {__VA_ARGS__}
#define RAISES(...) .want = {__VA_ARGS__}

static struct trigger run(const char *const *argv)
{
	static char exe[PATH_MAX];
	const char *full[8] = {};

	for (int i = 0; argv[i]; i++)
		full[i] = !strcmp(argv[i], PID)	  ? pid_of(a)
			  : !strcmp(argv[i], EXE) ? realpath(REDIS_SERVER, exe)
						  : argv[i];
	return trigger_argv(&(struct child_opts){}, full);
}

static void seen(const void *arg)
{
	const struct seen *s = arg;
	struct trigger t = run(s->argv);
	struct want want[ARRAY_SIZE(s->want)];
	size_t n = 0;

	if (trigger_true(&t, "missing") || trigger_int(&t, "errno") == ENOSYS ||
	    (!strcmp(s->argv[0], "bpf_load") && trigger_int(&t, "errno") == EINVAL))
		test_skip("this kernel has no such call");
	require(!s->copies || trigger_true(&t, "copied"), "nothing was read: %s",
		json_dumps(t.said, 0));
	for (; n < ARRAY_SIZE(want) && s->want[n].rule; n++) {
		want[n] = s->want[n];
		want[n].server = a;
		want[n].by = &t;
		if (want[n].outcome)
			continue;
		want[n].outcome = s->ended && outcomes ? NULL : "unknown";
		if (!outcomes)
			want[n].err = want[n].moved = 0;
	}
	expect_alerts(mon, want, n);
}

/* ---- found by a sweep, while it lasts ------------------------------------------------------------ */

static void found(const void *arg)
{
	const struct seen *s = arg;
	struct trigger t = trigger_stay(s->argv[0], pid_of(a), s->argv[2], s->argv[3]);
	struct want want = s->want[0];

	want.vector = "sweep";
	want.server = a;
	want.by = &t;
	want.outcome = "unknown";
	want.found_by = "sweep";
	expect_alerts(mon, &want, 1);
}

static void found_tracer(const void *arg)
{
	pid_t tracer = strace_start(a, a->pid);
	long long end = now_ms() + SWEEPS_MS * patience;

	while (!alert_find(mon, "mem-trace", tracer))
		require(now_ms() < end, "no mem-trace by strace");
	child_stop(tracer, SIGTERM, 3000);
}

static void found_connection(const void *arg)
{
	struct client *c = client_open(a, "127.0.0.1", true);
	struct trigger t = trigger_stay("hold", pid_of(a), str("fd/%d", client_fd(c)));

	expect(mon, {.rule = "mem-fd",
		     .vector = "sweep",
		     .detail = "connection held",
		     .server = a,
		     .by = &t,
		     .outcome = "unknown",
		     .found_by = "sweep"});
	client_close(c);
}

static void found_program(const void *arg)
{
	long long end = now_ms() + SWEEPS_MS * patience;
	bool known = false;

	trigger_stay("bpf_load", "user", "hold");
	while (!known) {
		require(now_ms() < end, "no mem-kernel by a sweep");
		sleep_ms(50);
		monitor_poll(mon);
		for (size_t i = mon->mark; i < mon->count; i++)
			known |= !strcmp(alert_str(mon->lines[i], "rule"), "mem-kernel") &&
				 !strcmp(alert_str(mon->lines[i], "found_by"), "sweep") &&
				 strstr(alert_str(mon->lines[i], "detail"), " trigger, ");
	}
}

/* ---- not seen ------------------------------------------------------------------------------------ */

static void unseen(const void *arg)
{
	const struct seen *s = arg;

	run(s->argv);
	expect_nothing(mon);
}

static void unseen_key(const void *arg)
{
	trigger("file_open", a->key, "-m", "r");
	expect_nothing(mon);
}

static void unseen_refused(const void *arg)
{
	const struct seen *s = arg;

	trigger_nobody(s->argv[0], pid_of(a), s->argv[1], s->argv[2]);
	expect_nothing(mon);
}

/* ---- what it says of itself ---------------------------------------------------------------------- */

static void says_so(const void *arg)
{
	struct run r = run_command(15000, MONITOR, "doctor", "--tier", "quiet");

	require(r.status == 0, "exit code %d: %s", r.status, r.err);
	require(strstr(r.out, "coverage      quiet"), "doctor: %s", r.out);
	require(strstr(r.out, "refused attempts"), "doctor does not say what is unseen: %s", r.out);
	require(!strstr(r.out, " NO "), "a program is not attached: %s", r.out);
	require(monitor_said(mon, "coverage quiet"), "run: %s", file_read(mon->err));
}

static void blind_spot(const void *arg)
{
	struct monitor *m = monitor_start("--tier", "quiet", NULL);
	json_t *alert = NULL;
	long long end = now_ms() + ALERT_MS * patience;

	while (!alert && now_ms() < end) {
		monitor_poll(m);
		for (size_t i = 0; i < m->count; i++)
			if (!strcmp(alert_str(m->lines[i], "rule"), "self-blind") &&
			    strstr(alert_str(m->lines[i], "detail"), "quiet tier"))
				alert = m->lines[i];
	}
	require(alert, "no self-blind of the quiet tier");
	monitor_stop(m, SIGTERM);
}

/* The reason for the tier: any program at a syscall's tracepoint makes every syscall of the host dearer. */
static void attaches_no_syscall(const void *arg)
{
	struct run r = run_command(15000, MONITOR, "doctor", "--tier", "quiet", "--output", "json");
	json_t *programs = json_object_get(json_loads(r.out, 0, NULL), "programs"), *p;
	size_t i;

	require(json_array_size(programs) > 10, "too few programs: %s", r.out);
	json_array_foreach (programs, i, p) {
		const char *name = json_string_value(json_object_get(p, "program"));

		require(strncmp(name, "sc_", 3) && strncmp(name, "en_", 3), "%s is in use", name);
	}
}

static void by_policy(const void *arg)
{
	struct monitor *m = monitor_with_policy("tier: quiet\n");

	require(monitor_said(m, "coverage quiet"), "run: %s", file_read(m->err));
	monitor_stop(m, SIGTERM);
	m = monitor_start("--policy", policy_file("tier: quiet\n"), "--tier", "full", NULL);
	require(monitor_said(m, "coverage full"), "run: %s", file_read(m->err));
	monitor_stop(m, SIGTERM);
}

/* Its lock comes before the first page is looked up. */
static void prevents(const void *arg)
{
	const struct seen *s = arg;
	struct monitor *m = monitor_start("--tier", "quiet", "--prevent", NULL);
	struct trigger t;
	char *said;

	monitors_mark(); /* its start finds what other tests left, and is a blind spot */
	t = trigger("prevented", pid_of(a), s->argv[0]);
	said = json_dumps(t.said, 0);

	require(trigger_int(&t, "signal") == SIGKILL, "not killed: %s", said);
	require(!trigger_int(&t, "bytes_read") && !trigger_true(&t, "written"),
		"memory was accessed: %s", said);
	free(said);
	expect(m, {.rule = s->want[0].rule,
		   .vector = s->want[0].vector,
		   .server = a,
		   .verdict = "prevented",
		   .outcome = "killed"});
	monitor_stop(m, SIGTERM);
}

static void benign(const void *arg)
{
	trigger("benign", pid_of(a), arg);
	expect_nothing(mon);
}

/* The same accesses of a process that is no instance. */
static void stranger(const void *arg)
{
	const char *pid = str("%d", idle_start());

	trigger("vm_readv", pid);
	trigger("vm_writev", pid);
	trigger("mem_read", pid, "64");
	trigger("ptrace", pid, "attach", "peekdata");
	trigger("proc_open", pid, "smaps", "-r");
	trigger("remote", pid, "move_pages");
	trigger("remote", pid, "madvise");
	trigger("perf", "uprobe", "/bin/true", "-1");
	expect_nothing(mon);
}

#define VM_READ(...)                                                                               \
	{                                                                                          \
		.rule = "mem-read", .vector = "process_vm_readv", .count = 1, ##__VA_ARGS__        \
	}
#define PTRACE(r, d, ...)                                                                          \
	{                                                                                          \
		.rule = r, .vector = "ptrace", .detail = d, ##__VA_ARGS__                          \
	}
#define LOOK(way, ...)                                                                             \
	{                                                                                          \
		.rule = "mem-inspect", .vector = way, ##__VA_ARGS__                                \
	}
#define FILE_READ(f, way, ...)                                                                     \
	SEEN(DOES("proc_open", PID, f, "-r"), RAISES(LOOK(way, .detail = f, ##__VA_ARGS__)))

static const struct test tests[] = {
	TEST("process_vm_readv", seen,
	     SEEN(DOES("vm_readv", PID), RAISES(VM_READ(.moved = 4096)), .ended = true)),
	TEST("process_vm_readv behind an empty iovec", seen,
	     SEEN(DOES("vm_readv", PID, "-d"), RAISES(VM_READ()), .ended = true)),
	TEST("process_vm_readv that faults", seen,
	     SEEN(DOES("vm_readv", PID, "-b"), RAISES(VM_READ(.err = EFAULT)), .ended = true)),
	TEST("process_vm_readv from a second thread", seen,
	     SEEN(DOES("vm_readv", PID, "-t"), RAISES(VM_READ()), .ended = true)),
	TEST("process_vm_writev", seen,
	     SEEN(DOES("vm_writev", PID),
		  RAISES(VM_READ(), {.rule = "mem-write", .vector = "process_vm_writev"}),
		  .ended = true)),
	TEST("ptrace attach", seen,
	     SEEN(DOES("ptrace", PID, "attach"),
		  RAISES(PTRACE("mem-trace", "PTRACE_ATTACH", .outcome = "succeeded")))),
	TEST("ptrace PEEKDATA and POKEDATA", seen,
	     SEEN(DOES("ptrace", PID, "attach", "peekdata", "pokedata"),
		  RAISES(PTRACE("mem-trace", "PTRACE_ATTACH", .outcome = "succeeded"),
			 PTRACE("mem-read", "PTRACE_PEEKDATA"),
			 PTRACE("mem-write", "PTRACE_POKEDATA")),
		  .ended = true)),
	TEST("/proc/PID/mem is read", seen,
	     SEEN(DOES("mem_read", PID, "9000"),
		  RAISES({.rule = "mem-read", .vector = "pread64", .moved = 9000}), .ended = true)),
	TEST("/proc/PID/mem is read up to a page that the reader has not", seen,
	     SEEN(DOES("mem_read", PID, "8192", "-f"),
		  RAISES({.rule = "mem-read", .vector = "pread64", .err = EFAULT}), .ended = true,
		  .copies = true)),
	TEST("/proc/PID/mem is read through a descriptor received over a socket", seen,
	     SEEN(DOES("mem_read", PID, "64", "-s"),
		  RAISES({.rule = "mem-read", .vector = "pread64"}), .ended = true)),
	TEST("/proc/PID/mem is opened through io_uring", seen,
	     SEEN(DOES("uring_open", PID, "mem"),
		  RAISES({.rule = "mem-read", .detail = "mem", .outcome = "succeeded"}))),
	TEST("/proc/PID/smaps is read", seen, FILE_READ("smaps", "read")),
	TEST("/proc/PID/smaps_rollup is read", seen,
	     SEEN(DOES("proc_open", PID, "smaps_rollup", "-r"),
		  RAISES(LOOK("read", .detail = "smaps_rollup", .verdict = "observed")))),
	TEST("/proc/PID/numa_maps is read", seen, FILE_READ("numa_maps", "read")),
	TEST("/proc/PID/pagemap is read", seen, FILE_READ("pagemap", "read")),
	TEST("/proc/PID/environ is read", seen, FILE_READ("environ", "read")),
	TEST("/proc/PID/map_files is listed", seen, FILE_READ("map_files", "getdents64")),
	TEST("/proc/PID/clear_refs is written", seen,
	     SEEN(DOES("proc_open", PID, "clear_refs", "-m", "w", "-1"),
		  RAISES(LOOK("write", .detail = "clear_refs")))),
	TEST("process_madvise", seen,
	     SEEN(DOES("remote", PID, "madvise"),
		  RAISES({.rule = "mem-remote",
			  .vector = "process_madvise",
			  .detail = "MADV_COLD"}),
		  .ended = true)),
	TEST("move_pages", seen,
	     SEEN(DOES("remote", PID, "move_pages"),
		  RAISES({.rule = "mem-remote", .vector = "move_pages"}), .ended = true)),
	TEST("migrate_pages", seen,
	     SEEN(DOES("remote", PID, "migrate_pages"),
		  RAISES({.rule = "mem-remote", .vector = "migrate_pages", .optional = true}),
		  .ended = true)), /* Linux 6.6 and later lock nothing where there is one node */
	TEST("a uprobe on the server's executable, for everybody", seen,
	     SEEN(DOES("perf", "uprobe", EXE, "-1"),
		  RAISES({.rule = "mem-probe", .vector = "perf_event_open", .detail = "uprobe"}))),
	TEST("a uprobe on the server's executable, for this process", seen,
	     SEEN(DOES("perf", "uprobe", EXE, PID),
		  RAISES({.rule = "mem-probe", .vector = "perf_event_open", .detail = "uprobe"}))),

	TEST("a uprobe by a link", seen,
	     SEEN(DOES("bpf_load", "link", EXE), RAISES({.rule = "mem-probe", .vector = "bpf"}))),
	TEST("a uprobe through tracefs", seen,
	     SEEN(DOES("perf", "trace", EXE), RAISES({.rule = "mem-probe", .vector = "uprobe"}))),

	TEST("/proc/PID/mem is held open", found,
	     SEEN(DOES("hold", PID, "mem"),
		  RAISES({.rule = "mem-read", .detail = "mem held open"}))),
	TEST("/proc/PID/maps is held open", found,
	     SEEN(DOES("hold", PID, "maps"),
		  RAISES({.rule = "mem-inspect", .detail = "maps held open"}))),
	TEST("strace attaches", found_tracer),
	TEST("a connection taken by pidfd_getfd is held", found_connection),
	TEST("a BPF program that can read user memory stays loaded", found_program),

	TEST("unseen: process_vm_readv that is refused", unseen_refused, SEEN(DOES("vm_readv"))),
	TEST("unseen: ptrace attach that is refused", unseen_refused,
	     SEEN(DOES("ptrace", "attach"))),
	TEST("unseen: /proc/PID/mem that is refused", unseen_refused,
	     SEEN(DOES("proc_open", "mem"))),
	TEST("unseen: pidfd_getfd that is refused", unseen_refused, SEEN(DOES("pidfd_getfd", "3"))),
	TEST("unseen: ptrace seize and interrupt, at once over", unseen,
	     SEEN(DOES("ptrace", PID, "seize", "interrupt"))),
	TEST("unseen: a server's private key opened", unseen_key),
	TEST("unseen: /proc/PID/mem opened and not read", unseen,
	     SEEN(DOES("proc_open", PID, "mem"))),
	TEST("unseen: /proc/PID/auxv read", unseen, SEEN(DOES("proc_open", PID, "auxv", "-r"))),
	TEST("unseen: /proc/PID/stack read", unseen, SEEN(DOES("proc_open", PID, "stack", "-r"))),
	TEST("unseen: /proc/PID/syscall read", unseen,
	     SEEN(DOES("proc_open", PID, "syscall", "-r"))),
	TEST("unseen: /proc/PID/fd listed", unseen, SEEN(DOES("proc_open", PID, "fd", "-r"))),
	TEST("unseen: /proc/PID/fd/N opened again", unseen, SEEN(DOES("proc_open", PID, "fd/0"))),
	TEST("unseen: pidfd_getfd, at once closed", unseen, SEEN(DOES("pidfd_getfd", PID, "3"))),
	TEST("unseen: kcmp", unseen, SEEN(DOES("remote", PID, "kcmp"))),
	TEST("unseen: prlimit that sets a limit", unseen, SEEN(DOES("remote", PID, "limit", "8"))),
	TEST("unseen: process_mrelease that fails", unseen, SEEN(DOES("remote", PID, "mrelease"))),
	TEST("unseen: perf_event_open that counts, at once closed", unseen,
	     SEEN(DOES("perf", "count", PID))),
	TEST("unseen: a module that is refused", unseen, SEEN(DOES("open_kernel", "init_module"))),

	TEST("doctor and run name the tier, and what it does not see", says_so),
	TEST("its start is a blind spot", blind_spot),
	TEST("it attaches to no syscall", attaches_no_syscall),
	TEST("a policy chooses it, the command line overrides", by_policy),
	TEST("process_vm_readv is prevented", prevents,
	     SEEN(DOES("vm_readv"), RAISES({.rule = "mem-read", .vector = "process_vm_readv"}))),
	TEST("process_vm_writev is prevented", prevents,
	     SEEN(DOES("vm_writev"), RAISES({.rule = "mem-write", .vector = "process_vm_writev"}))),
	TEST("a read of /proc/PID/mem is prevented", prevents,
	     SEEN(DOES("mem"), RAISES({.rule = "mem-read"}))),
	TEST("reading stat, status, cmdline and the like raises nothing", benign, "read"),
	TEST("a process that reads its own memory raises nothing", benign, "self"),
	TEST("a process that reads and traces its own child raises nothing", benign, "child"),
	TEST("the same accesses of a process that is no instance raise nothing", stranger),
	{},
};

const struct suite quiet_suite = {"quiet", setup, teardown, tests};
