/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.c - rare syscalls: an instance is controlled, probed or made to dump core from outside, or the kernel is
 * opened up. Reading limits, probing other programs and loading harmless BPF raise nothing.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static struct server *a;
static struct monitor *mon;

static void setup(void)
{
	a = server_start(&(struct server_opts){});
	mon = monitor_start(NULL);
}

/* The errno of the trigger's call. Skips the test if the kernel lacks the syscall. */
static int call_errno(const struct trigger *t)
{
	int err = trigger_int(t, "errno");

	if (err == ENOSYS)
		test_skip("this kernel has no such syscall");
	return err;
}

/* ---- controlled from outside --------------------------------------------------------------------- */

struct remote {
	const char *what, *more; /* arguments of the trigger */
	const char *rule;	 /* default: mem-remote */
	const char *vector, *detail;
};

#define REMOTE(action, ...) &((const struct remote){.what = action, __VA_ARGS__})

static void expect_remote(const struct remote *r, struct trigger *t)
{
	expect(mon, {.rule = r->rule ?: "mem-remote",
		     .vector = r->vector,
		     .detail = r->detail,
		     .server = a,
		     .by = t,
		     .err = call_errno(t)});
}

static void remote(const void *arg)
{
	const struct remote *r = arg;
	struct trigger t = trigger("remote", pid_of(a), r->what, r->more);

	expect_remote(r, &t);
}

static void remote_denied(const void *arg)
{
	const struct remote *r = arg;
	struct trigger t = trigger_nobody("remote", pid_of(a), r->what, r->more);

	require(call_errno(&t) == EPERM || call_errno(&t) == EACCES, "not denied: errno %d",
		call_errno(&t));
	expect_remote(r, &t);
}

static void remote_thread(const void *arg)
{
	pid_t tid = server_thread(a);
	struct trigger t = trigger("remote", str("%d", tid), "kcmp");

	expect(mon, {.rule = "mem-remote",
		     .vector = "kcmp",
		     .detail = "KCMP_VM",
		     .server = a,
		     .by = &t,
		     .err = call_errno(&t),
		     .target_tid = tid});
}

static void remote_limit_read(const void *arg)
{
	trigger("remote", pid_of(a), "get_limit");
	expect_nothing(mon);
}

/* The same actions on a process that is not an instance. */
static void remote_stranger(const void *arg)
{
	static const char *const actions[] = {"madvise", "mrelease",	  "move_pages",
					      "kcmp",	 "migrate_pages", "kcmp-other"};
	pid_t pid = idle_start();

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		trigger("remote", str("%d", pid), actions[i]);
	trigger("remote", str("%d", pid), "limit", "4");
	trigger("send", str("%d", pid), str("%d", SIGQUIT));
	expect_nothing(mon);
}

/* ---- probed --------------------------------------------------------------------------------------- */

struct perf {
	const char *what, *detail;
};

#define PERF(...) &((const struct perf){__VA_ARGS__})

static void perf(const void *arg)
{
	const struct perf *p = arg;
	struct trigger t = trigger("perf", p->what, pid_of(a));
	int err = call_errno(&t);

	expect(mon, {.rule = "mem-probe",
		     .vector = "perf_event_open",
		     .detail = err ? "" : p->detail,
		     .server = a,
		     .by = &t,
		     .err = err});
}

static void perf_denied(const void *arg)
{
	struct trigger t = trigger_nobody("perf", "stack", pid_of(a));
	int err = call_errno(&t);

	require(err == EACCES || err == EPERM, "not denied: errno %d", err);
	expect(mon, {.rule = "mem-probe",
		     .vector = "perf_event_open",
		     .server = a,
		     .by = &t,
		     .err = err});
}

static void perf_all_processes(const void *arg)
{
	struct trigger t = trigger("perf", "stack", "-1");

	if (call_errno(&t))
		test_skip("stack samples are not available here: errno %d", call_errno(&t));
	expect(mon, {.rule = "mem-probe",
		     .vector = "perf_event_open",
		     .detail = "samples with user registers or stack",
		     .by = &t});
}

/* The hierarchy that has the perf_event controller: cgroup2, unless cgroup1 has taken it. */
static struct trigger perf_cgroup(const char *what)
{
	static const char *const dirs[] = {"/sys/fs/cgroup/perf_event", "/sys/fs/cgroup/unified",
					   "/sys/fs/cgroup"};
	struct trigger t;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (access(dirs[i], F_OK))
			continue;
		t = trigger("perf", what, dirs[i]);
		if (!call_errno(&t))
			return t;
	}
	test_skip("no events of a cgroup here");
}

static void perf_cgroup_stacks(const void *arg)
{
	struct trigger t = perf_cgroup("cgroup-stack");

	expect(mon, {.rule = "mem-probe",
		     .vector = "perf_event_open",
		     .detail = "samples with user registers or stack",
		     .by = &t,
		     .many = true});
}

static void perf_cgroup_without_stack(const void *arg)
{
	perf_cgroup("cgroup");
	expect_nothing(mon);
}

/* perf stat names what to sample, but sets no period. */
static void perf_stat(const void *arg)
{
	struct trigger t = trigger("perf", "stat", pid_of(a));

	require(!call_errno(&t), "perf_event_open: errno %d", call_errno(&t));
	expect(mon, {.rule = "mem-probe",
		     .vector = "perf_event_open",
		     .detail = "counter",
		     .server = a,
		     .by = &t});
	require(!strcmp(alert_str(alert_find(mon, "mem-probe", t.pid), "severity"), "medium"),
		"counting is %s", alert_str(alert_find(mon, "mem-probe", t.pid), "severity"));
}

static void perf_all_without_stack(const void *arg)
{
	trigger("perf", "count", "-1");
	trigger("perf", "samples", "-1");
	expect_nothing(mon);
}

static const char *server_exe(void)
{
	static char path[PATH_MAX];

	return realpath(REDIS_SERVER, path) ? path : REDIS_SERVER;
}

static void uprobe(const void *pid)
{
	struct trigger t = trigger("perf", "uprobe", server_exe(), pid ?: pid_of(a));

	require(!call_errno(&t), "the uprobe was not placed: errno %d", call_errno(&t));
	expect(mon, {.rule = "mem-probe",
		     .vector = "perf_event_open",
		     .detail = "uprobe",
		     .server = a,
		     .by = &t});
}

/* The process that was executed is gone, its child serves. */
static void uprobe_daemonized(const void *arg)
{
	struct server *b = server_start(&(struct server_opts){.daemonize = true});
	struct trigger t;

	sleep_ms(SETTLE_MS);
	t = trigger("perf", "uprobe", server_exe(), "-1");
	require(!call_errno(&t), "the uprobe was not placed: errno %d", call_errno(&t));
	expect(mon,
	       {.rule = "mem-probe",
		.vector = "perf_event_open",
		.detail = "uprobe",
		.server = a,
		.by = &t},
	       {.rule = "mem-probe",
		.vector = "perf_event_open",
		.detail = "uprobe",
		.server = b,
		.by = &t});
	server_stop(b, SIGTERM);
}

/* A hard link to the same file: files are compared by inode, not by name. */
static void uprobe_other_name(const void *arg)
{
	const char *name = str("%s/another-name", scratch);
	struct trigger t;

	if (link(server_exe(), name))
		test_skip("no hard link from %s to %s: errno %d", server_exe(), name, errno);
	t = trigger("perf", "uprobe", name, "-1");
	unlink(name);
	expect(mon, {.rule = "mem-probe",
		     .vector = "perf_event_open",
		     .detail = "uprobe",
		     .server = a,
		     .by = &t});
}

static void uprobe_other_program(const void *arg)
{
	trigger("perf", "uprobe", "/bin/true", "-1");
	expect_nothing(mon);
}

static void uprobe_link(const void *arg)
{
	struct trigger t = trigger("bpf_load", "link", server_exe());

	if (call_errno(&t) == EINVAL)
		test_skip("this kernel has no uprobe links (they came with 6.6)");
	require(!call_errno(&t), "the uprobe was not placed: errno %d", call_errno(&t));
	expect(mon, {.rule = "mem-probe", .server = a, .by = &t});
}

/* ---- the kernel ----------------------------------------------------------------------------------- */

static void bpf_user(const void *arg)
{
	struct trigger t = trigger("bpf_load", "user");

	require(!call_errno(&t), "the program was not loaded: errno %d", call_errno(&t));
	expect(mon, {.rule = "mem-kernel", .vector = "bpf", .by = &t});
}

static void bpf_without_user_access(const void *arg)
{
	trigger("bpf_load", "kernel");
	expect_nothing(mon);
}

/* Kernel memory holds every page of user memory; a format may print a string from there. */
static void bpf_indirect(const void *program)
{
	struct trigger t = trigger("bpf_load", program);
	const char *detail;
	json_t *alert;

	require(!call_errno(&t), "the program was not loaded: errno %d", call_errno(&t));
	expect(mon, {.rule = "mem-kernel", .vector = "bpf", .by = &t});
	alert = alert_find(mon, "mem-kernel", t.pid);
	detail = alert_str(alert, "detail");
	require(strstr(detail, " trigger, type 2, tag ") &&
			strstr(detail, ", by kernel memory or a format") &&
			!strcmp(alert_str(alert, "severity"), "medium"),
		"detail is %s, severity %s", detail, alert_str(alert, "severity"));
}

static void open_kernel(const void *call)
{
	struct trigger t = trigger("open_kernel", call);
	int err = call_errno(&t);

	require(err, "the call succeeded");
	expect(mon, {.rule = "mem-kernel", .vector = call, .by = &t, .err = err});
}

/* ---- core dumps ----------------------------------------------------------------------------------- */

static void core_allowed(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
}

static void core_forbidden(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static void core_dump(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){.child.setup = core_allowed});
	char *pattern = file_read("/proc/sys/kernel/core_pattern");
	struct trigger t;

	monitor_poll(mon);
	if (pattern[0] == '|')
		test_skip("this machine hands core dumps to a program");
	t = trigger("send", pid_of(s), str("%d", SIGQUIT), arg);
	expect(mon,
	       {.rule = "mem-dump", .vector = "signal", .detail = "SIGQUIT", .server = s, .by = &t},
	       {.rule = "mem-dump", .vector = "core dump", .server = s});
}

static void core_disabled(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){.child.setup = core_forbidden});
	struct trigger t = trigger("send", pid_of(s), str("%d", SIGQUIT));

	expect(mon, {.rule = "mem-dump",
		     .vector = "signal",
		     .detail = "SIGQUIT",
		     .server = s,
		     .by = &t});
}

static void sigterm(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){.child.setup = core_allowed});

	trigger("send", pid_of(s), str("%d", SIGTERM));
	child_wait(s->pid, 3000);
	expect_nothing(mon);
}

static const struct test tests[] = {
	TEST("process_madvise on an instance", remote,
	     .arg = REMOTE("madvise", .vector = "process_madvise", .detail = "MADV_COLD")),
	TEST("process_mrelease of an instance is reported as failed", remote,
	     .arg = REMOTE("mrelease", .vector = "process_mrelease")),
	TEST("move_pages that asks where an instance's pages lie", remote,
	     .arg = REMOTE("move_pages", .vector = "move_pages")),
	TEST("migrate_pages of an instance", remote,
	     .arg = REMOTE("migrate_pages", .vector = "migrate_pages")),
	TEST("kcmp with an instance as its first process", remote,
	     .arg = REMOTE("kcmp", .vector = "kcmp", .detail = "KCMP_VM")),
	TEST("kcmp with an instance as its second process", remote,
	     .arg = REMOTE("kcmp-other", .vector = "kcmp", .detail = "KCMP_VM")),
	TEST("kcmp by the id of a server's thread names the thread", remote_thread),
	TEST("prlimit that sets how much an instance may lock", remote,
	     .arg = REMOTE("limit", .more = "8", .vector = "prlimit64",
			   .detail = "RLIMIT_MEMLOCK")),
	TEST("prlimit that sets an instance's core dumps", remote,
	     .arg = REMOTE("limit", .more = "4", .rule = "mem-dump", .vector = "prlimit64",
			   .detail = "RLIMIT_CORE")),
	TEST("process_madvise by nobody is reported as denied", remote_denied,
	     .arg = REMOTE("madvise", .vector = "process_madvise", .detail = "MADV_COLD")),
	TEST("move_pages by nobody is reported as denied", remote_denied,
	     .arg = REMOTE("move_pages", .vector = "move_pages")),
	TEST("kcmp by nobody is reported as denied", remote_denied,
	     .arg = REMOTE("kcmp", .vector = "kcmp", .detail = "KCMP_VM")),
	TEST("prlimit by nobody is reported as denied", remote_denied,
	     .arg = REMOTE("limit", .more = "8", .vector = "prlimit64",
			   .detail = "RLIMIT_MEMLOCK")),
	TEST("prlimit that only reads a limit raises nothing", remote_limit_read),
	TEST("the same upon a process that is no instance raises nothing", remote_stranger),

	TEST("perf_event_open that counts what an instance does", perf,
	     .arg = PERF("count", "counter")),
	TEST("perf_event_open that samples where an instance is", perf,
	     .arg = PERF("samples", "samples")),
	TEST("perf_event_open that samples an instance's stack", perf,
	     .arg = PERF("stack", "samples with user registers or stack")),
	TEST("perf_event_open by nobody is reported as denied", perf_denied),
	TEST("perf_event_open that samples everybody's stack is one on the host",
	     perf_all_processes),
	TEST("perf_event_open as perf stat calls it counts: medium", perf_stat),
	TEST("perf_event_open that samples the stacks of a cgroup is one on the host",
	     perf_cgroup_stacks),
	TEST("perf_event_open that samples a cgroup without stacks raises nothing",
	     perf_cgroup_without_stack),
	TEST("perf_event_open that counts or samples the machine raises nothing",
	     perf_all_without_stack),
	TEST("a uprobe on the server's executable, for this process", uprobe),
	TEST("a uprobe on the server's executable, for everybody", uprobe, .arg = "-1"),
	TEST("a uprobe on the executable of a server that daemonized", uprobe_daemonized),
	TEST("a uprobe on the server's executable by another name", uprobe_other_name),
	TEST("a uprobe by a link, without perf_event_open", uprobe_link),
	TEST("a uprobe on another program raises nothing", uprobe_other_program),

	TEST("a BPF program that can read user memory", bpf_user),
	TEST("a BPF program that reads kernel memory alone", bpf_indirect, "direct"),
	TEST("a BPF program that may print user memory", bpf_indirect, "format"),
	TEST("a BPF program that cannot raises nothing", bpf_without_user_access),
	TEST("init_module", open_kernel, .arg = "init_module"),
	TEST("finit_module", open_kernel, .arg = "finit_module"),
	TEST("kexec_load", open_kernel, .arg = "kexec_load"),
	TEST("kexec_file_load", open_kernel, .arg = "kexec_file_load"),

	TEST("a signal that makes an instance dump core, and the dump", core_dump),
	TEST("the same by sigqueue", core_dump, .arg = "-q"),
	TEST("the same by tgkill", core_dump, .arg = "-t"),
	TEST("the same where no core may be written is no dump", core_disabled),
	TEST("SIGTERM raises nothing", sigterm),
	{},
};

const struct suite calls_suite = {"calls", setup, NULL, tests};
