/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - access to an instance's memory, layout or descriptors is reported with actor, vector and outcome; access
 * to anything else is not reported.
 *
 * This file has the suite's table, and tests process_vm_*, pidfd_getfd, denied access, and counts. The other tests are in
 * memory_ptrace.c, memory_proc.c, memory_identity.c and memory_benign.c.
 */
#include "memory.h"

#include <errno.h>

struct server *memory_target, *memory_other;
struct monitor *memory_mon;
bool memory_syscalls_only;

static void setup(void)
{
	struct run doctor = run_command(10000, MONITOR, "doctor", "--output", "json");

	memory_syscalls_only = strstr(doctor.out, "\"rung\":\"syscalls\"") != NULL;
	memory_target =
		server_start(&(struct server_opts){.plain = true, .extra = "appendonly yes"});
	memory_other = server_start(&(struct server_opts){});
	memory_mon = monitor_start(NULL);
}

/* ---- process_vm_* -------------------------------------------------------------------------------- */

static void vm_readv(const void *arg)
{
	struct trigger t = trigger("vm_readv", pid_of(memory_target));

	require(trigger_int(&t, "result") == 4096, "trigger read nothing");
	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .by = &t,
			    .count = 1});
}

static void vm_readv_right_instance(const void *arg)
{
	struct trigger first = trigger("vm_readv", pid_of(memory_other));
	struct trigger second = trigger("vm_readv", pid_of(memory_target));

	expect(memory_mon,
	       {.rule = "mem-read",
		.vector = "process_vm_readv",
		.server = memory_other,
		.by = &first},
	       {.rule = "mem-read",
		.vector = "process_vm_readv",
		.server = memory_target,
		.by = &second});
}

static void vm_readv_thread(const void *arg)
{
	pid_t tid = server_thread(memory_target);
	struct trigger t = trigger("vm_readv", str("%d", tid));

	require(trigger_int(&t, "result") == 4096, "trigger read nothing");
	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .by = &t,
			    .result = "read 4096 bytes",
			    .moved = 4096,
			    .target_tid = tid});
}

static void vm_readv_by_thread(const void *arg)
{
	struct trigger t = trigger("vm_readv", pid_of(memory_target), "-t");

	require(t.tid != t.pid, "trigger used no second thread");
	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .by = &t});
}

static void vm_readv_decoy(const void *arg)
{
	struct trigger t = trigger("vm_readv", pid_of(memory_target), "-d");

	require(trigger_int(&t, "result") == 4096, "trigger read nothing");
	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .by = &t,
			    .count = 1});
}

static void vm_readv_fault(const void *arg)
{
	struct trigger t = trigger("vm_readv", pid_of(memory_target), "-b");

	require(trigger_int(&t, "errno") == EFAULT, "trigger did not fail");
	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .by = &t,
			    .err = EFAULT});
}

static void vm_writev(const void *arg)
{
	const char *decoy = arg;
	struct trigger t = trigger("vm_writev", pid_of(memory_target), decoy);

	require(trigger_int(&t, "result") == 64, "trigger wrote nothing");
	expect(memory_mon,
	       {.rule = "mem-read",
		.vector = "process_vm_readv",
		.server = memory_target,
		.by = &t,
		.count = 1},
	       {.rule = "mem-write",
		.vector = "process_vm_writev",
		.server = memory_target,
		.by = &t,
		.count = 1});
}

static void vm_writev_thread(const void *arg)
{
	pid_t tid = server_thread(memory_other);
	struct trigger t = trigger("vm_writev", str("%d", tid), "-w");

	expect(memory_mon, {.rule = "mem-write",
			    .vector = "process_vm_writev",
			    .server = memory_other,
			    .by = &t,
			    .err = EFAULT,
			    .target_tid = tid});
}

/* ---- descriptors --------------------------------------------------------------------------------- */

static void getfd(const void *arg)
{
	struct trigger t = trigger("pidfd_getfd", pid_of(memory_target), "3");

	require(trigger_int(&t, "result") >= 0, "trigger took nothing");
	expect(memory_mon, {.rule = "mem-fd",
			    .vector = "pidfd_getfd",
			    .server = memory_target,
			    .by = &t,
			    .count = 1});
}

static void getfd_bad(const void *arg)
{
	struct trigger t = trigger("pidfd_getfd", pid_of(memory_target), "999");

	expect(memory_mon, {.rule = "mem-fd",
			    .vector = "pidfd_getfd",
			    .server = memory_target,
			    .by = &t,
			    .err = EBADF});
}

/* ---- denied -------------------------------------------------------------------------------------- */

struct denial {
	const char *trigger, *arg, *more;
	struct want want;
};

#define DENIED(name, ...) &((const struct denial){.trigger = name, __VA_ARGS__})

static void denied(const void *arg)
{
	const struct denial *d = arg;
	struct want want = d->want;
	struct trigger t = trigger_nobody(d->trigger, pid_of(memory_target), d->arg, d->more);

	want.server = memory_target;
	want.by = &t;
	expect_alerts(memory_mon, &want, 1);
}

/* ---- floods -------------------------------------------------------------------------------------- */

static void flood_loop(const void *arg)
{
	struct trigger t = trigger("flood", pid_of(memory_target), "loop", "20000");

	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .by = &t,
			    .count = trigger_int(&t, "result")});
}

static void flood_actors(const void *arg)
{
	const char *how = arg;
	struct trigger t = trigger("flood", pid_of(memory_target), how, "100");
	long total;

	require(trigger_int(&t, "result") == 100, "trigger did not do it");
	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .many = true,
			    .count = 1});
	total = alerts_total_wait(memory_mon, "mem-read", memory_target, 100);
	require(total == 100, "counted %ld of 100", total);
}

static const struct test tests[] = {
	TEST("process_vm_readv names who did it, to whom, and that it worked", vm_readv),
	TEST("process_vm_readv of each of two instances names the right one",
	     vm_readv_right_instance),
	TEST("process_vm_readv by the id of a server's thread names thread and instance",
	     vm_readv_thread),
	TEST("process_vm_readv from an attacker's second thread names that thread",
	     vm_readv_by_thread),
	TEST("process_vm_readv behind an empty iovec is seen", vm_readv_decoy),
	TEST("process_vm_readv that faults is reported as failed with EFAULT", vm_readv_fault),
	TEST("process_vm_writev is a write, and the read before it a read", vm_writev),
	TEST("process_vm_writev behind an empty iovec is seen", vm_writev, .arg = "-d"),
	TEST("process_vm_writev by a thread's id, that faults, is reported as failed",
	     vm_writev_thread),
	TEST("a process that lives a millisecond is fully named", memory_shortlived),

	TEST("ptrace attach and detach", memory_ptrace, .arg = TRACE("attach")),
	TEST("ptrace of the second of two instances names the second",
	     memory_ptrace_right_instance),
	TEST("ptrace seize and interrupt", memory_ptrace, .arg = TRACE("seize", "interrupt")),
	TEST("ptrace PEEKDATA is a read", memory_ptrace, .arg = TRACE("attach", "peekdata")),
	TEST("ptrace PEEKTEXT is a read", memory_ptrace, .arg = TRACE("attach", "peektext")),
	TEST("ptrace POKEDATA is a write", memory_ptrace,
	     .arg = TRACE("attach", "peekdata", "pokedata")),
	TEST("ptrace POKETEXT is a write", memory_ptrace,
	     .arg = TRACE("attach", "peektext", "poketext")),
	TEST("ptrace PEEKUSER and POKEUSER are a read and a write", memory_ptrace,
	     .arg = TRACE("attach", "peekuser", "pokeuser")),
	TEST("ptrace GETREGS and SETREGS", memory_ptrace,
	     .arg = TRACE("attach", "getregs", "setregs")),
	TEST("ptrace GETREGSET and SETOPTIONS", memory_ptrace,
	     .arg = TRACE("attach", "getregset", "setoptions")),
	TEST("ptrace SYSCALL, SINGLESTEP and CONT", memory_ptrace,
	     .arg = TRACE("attach", "syscall", "singlestep", "cont")),
	TEST("ptrace of a server's thread names the thread", memory_ptrace_thread),
	TEST("a server started under its parent's trace (PTRACE_TRACEME) names the parent",
	     memory_traceme),
	TEST("a tracer older than the monitor is found by the sweep", memory_traced_before),

	TEST("/proc/PID/mem opened for reading is a read", memory_proc_open,
	     .arg = OPEN("mem", .rule = "mem-read")),
	TEST("/proc/PID/mem opened for writing is a write", memory_proc_open,
	     .arg = OPEN("mem", .mode = "w", .rule = "mem-write")),
	TEST("/proc/PID/mem opened for both is a write", memory_proc_open,
	     .arg = OPEN("mem", .mode = "rw", .rule = "mem-write")),
	TEST("/proc/PID/mem by open", memory_proc_open,
	     .arg = OPEN("mem", .way = "open", .rule = "mem-read", .vector = "open")),
	TEST("/proc/PID/mem by openat2", memory_proc_open,
	     .arg = OPEN("mem", .way = "openat2", .rule = "mem-read", .vector = "openat2")),
	TEST("/proc/PID/mem by creat is a write", memory_proc_open,
	     .arg = OPEN("mem", .mode = "w", .way = "creat", .rule = "mem-write",
			 .vector = "creat")),
	TEST("/proc/PID/mem relative to an opened directory", memory_proc_open,
	     .arg = OPEN("mem", .way = "dirfd", .rule = "mem-read")),
	TEST("/proc/PID/mem relative to the working directory", memory_proc_open,
	     .arg = OPEN("mem", .way = "cwd", .rule = "mem-read")),
	TEST("/proc/PID/mem on another mount of procfs", memory_proc_open,
	     .arg = OPEN("mem", .way = "mount", .rule = "mem-read")),
	TEST("/proc/PID/mem by O_PATH and reopening", memory_proc_open,
	     .arg = OPEN("mem", .way = "opath", .rule = "mem-read")),
	TEST("/proc/PID/mem behind a symbolic link", memory_proc_open,
	     .arg = OPEN("mem", .way = "symlink", .rule = "mem-read")),
	TEST("/proc/PID/mem by a name that userfaultfd swaps for another",
	     memory_proc_open_swapped),
	TEST("/proc/PID/mem by file handle", memory_proc_open_handle),
	TEST("/proc/PID/task/TID/mem names the thread", memory_proc_open_thread,
	     .arg = OPEN("mem", .way = "task", .rule = "mem-read")),
	TEST("/proc/TID/mem of a thread names the thread", memory_proc_open_thread,
	     .arg = OPEN("mem", .rule = "mem-read")),
	TEST("/proc/PID/task/TID/maps names the thread", memory_proc_open_thread,
	     .arg = OPEN("maps", .way = "task", .rule = "mem-inspect")),
	TEST("/proc/PID/mem through io_uring", memory_uring, .arg = NULL),
	TEST("/proc/PID/mem through io_uring's own worker", memory_uring, .arg = "async"),
	TEST("/proc/PID/mem through io_uring's polling thread", memory_uring, .arg = "sqpoll"),
	TEST("process_vm_readv by what runs from a memfd", memory_disguised,
	     .arg = DISGUISE("memfd", "memfd:disguise", true)),
	TEST("process_vm_readv by what runs from a deleted file", memory_disguised,
	     .arg = DISGUISE("deleted", "cachewarden-disguise.", true)),
	TEST("process_vm_readv by what calls itself redis-server", memory_disguised,
	     .arg = DISGUISE("title", "vm_readv")),
	TEST("/proc/PID/mem opened and one byte read", memory_proc_read, READ("1")),
	TEST("/proc/PID/mem opened and pages read", memory_proc_read, READ("9000")),
	TEST("/proc/PID/mem opened, and a read that fails", memory_proc_read, READ("bad")),
	TEST("/proc/PID/mem received over a socket and read", memory_proc_read,
	     READ("64", .received = "-s")),
	TEST("/proc/PID/mem received, and read up to a page that the reader has not",
	     memory_received_faulting),
	TEST("/proc/PID/mem received, and read up to such a page through io_uring",
	     memory_received_faulting, .arg = "-u"),
	TEST("/proc/PID/mem as a direct descriptor of io_uring", memory_uring_direct),
	TEST("/proc/PID/mem as a direct descriptor by a worker", memory_uring_direct, "async"),
	TEST("/proc/PID/mem as a direct descriptor by a polling thread", memory_uring_direct,
	     "sqpoll"),
	TEST("/proc/PID/mem as a direct descriptor, read by a process that shares the ring",
	     memory_uring_direct, "parent"),
	TEST("/proc/PID/mem as a direct descriptor, without completions", memory_uring_quiet),
	TEST("/proc/PID/mem by a 32-bit system call", memory_compat, .arg = "mem"),
	TEST("ptrace by a 32-bit system call", memory_compat, .arg = "ptrace"),
	TEST("a stranger's mem by a 32-bit system call raises nothing", memory_compat_stranger,
	     .arg = "mem"),
	TEST("ptrace of a stranger by a 32-bit system call raises nothing", memory_compat_stranger,
	     .arg = "ptrace"),
	TEST("/proc/PID/maps", memory_proc_open, .arg = OPEN("maps", .rule = "mem-inspect")),
	TEST("/proc/PID/smaps", memory_proc_open, .arg = OPEN("smaps", .rule = "mem-inspect")),
	TEST("/proc/PID/smaps_rollup", memory_proc_open,
	     .arg = OPEN("smaps_rollup", .rule = "mem-inspect", .verdict = "observed")),
	TEST("/proc/PID/numa_maps", memory_proc_open,
	     .arg = OPEN("numa_maps", .rule = "mem-inspect")),
	TEST("/proc/PID/pagemap", memory_proc_open, .arg = OPEN("pagemap", .rule = "mem-inspect")),
	TEST("/proc/PID/clear_refs", memory_proc_open,
	     .arg = OPEN("clear_refs", .mode = "w", .rule = "mem-inspect")),
	TEST("/proc/PID/environ", memory_proc_open, .arg = OPEN("environ", .rule = "mem-inspect")),
	TEST("/proc/PID/auxv", memory_proc_open, .arg = OPEN("auxv", .rule = "mem-inspect")),
	TEST("/proc/PID/stack", memory_proc_open, .arg = OPEN("stack", .rule = "mem-inspect")),
	TEST("/proc/PID/syscall", memory_proc_open, .arg = OPEN("syscall", .rule = "mem-inspect")),
	TEST("/proc/PID/personality", memory_proc_open,
	     .arg = OPEN("personality", .rule = "mem-inspect")),
	TEST("/proc/PID/io", memory_proc_open,
	     .arg = OPEN("io", .rule = "mem-inspect", .verdict = "observed")),
	TEST("/proc/PID/map_files", memory_proc_open,
	     .arg = OPEN("map_files", .rule = "mem-inspect")),
	TEST("/proc/PID/fd", memory_proc_open, .arg = OPEN("fd", .rule = "mem-inspect")),
	TEST("/proc/PID/fdinfo", memory_proc_open, .arg = OPEN("fdinfo", .rule = "mem-inspect")),
	TEST("/proc/PID/fdinfo/0", memory_proc_open,
	     .arg = OPEN("fdinfo/0", .rule = "mem-inspect", .detail = "fdinfo")),
	TEST("/proc/PID/fd/N opened again takes a descriptor", memory_proc_open,
	     .arg = OPEN("fd/N", .rule = "mem-fd")),
	TEST("a file below /proc/PID that does not exist raises nothing", memory_proc_open_missing),

	TEST("pidfd_getfd takes a descriptor", getfd),
	TEST("pidfd_getfd of a descriptor that is not there is reported as failed", getfd_bad),

	TEST("process_vm_readv by nobody is reported as denied", denied,
	     .arg = DENIED(
		     "vm_readv",
		     .want = {.rule = "mem-read", .vector = "process_vm_readv", .err = EPERM})),
	TEST("process_vm_writev by nobody is reported as denied", denied,
	     .arg = DENIED(
		     "vm_writev", .arg = "-w",
		     .want = {.rule = "mem-write", .vector = "process_vm_writev", .err = EPERM})),
	TEST("ptrace attach by nobody is reported as denied", denied,
	     .arg = DENIED("ptrace", .arg = "attach",
			   .want = {.rule = "mem-trace",
				    .vector = "ptrace",
				    .detail = "PTRACE_ATTACH",
				    .err = EPERM})),
	TEST("ptrace seize by nobody is reported as denied", denied,
	     .arg = DENIED("ptrace", .arg = "seize",
			   .want = {.rule = "mem-trace",
				    .vector = "ptrace",
				    .detail = "PTRACE_SEIZE",
				    .err = EPERM})),
	TEST("/proc/PID/mem by nobody is reported as denied", denied,
	     .arg = DENIED("proc_open", .arg = "mem",
			   .want = {.rule = "mem-read",
				    .vector = "openat",
				    .detail = "mem",
				    .err = EACCES})),
	TEST("/proc/PID/environ by nobody is reported as denied", denied,
	     .arg = DENIED("proc_open", .arg = "environ",
			   .want = {.rule = "mem-inspect",
				    .vector = "openat",
				    .detail = "environ",
				    .err = EACCES})),
	TEST("/proc/PID/maps by nobody is reported as denied", denied,
	     .arg = DENIED("proc_open", .arg = "maps",
			   .want = {.rule = "mem-inspect",
				    .vector = "openat",
				    .detail = "maps",
				    .err = EACCES})),
	TEST("pidfd_getfd by nobody is reported as denied", denied,
	     .arg = DENIED("pidfd_getfd", .arg = "3",
			   .want = {.rule = "mem-fd", .vector = "pidfd_getfd", .err = EPERM})),

	TEST("20000 reads by one actor are one alert with the exact count", flood_loop),
	TEST("100 forked actors are 100 alerts", flood_actors, .arg = "actors"),
	TEST("100 actors that execute something first are 100 alerts", flood_actors,
	     .arg = "execs"),

	TEST("an attack inside a nested pid namespace, by the number in there, is seen",
	     memory_nested),
	TEST("/proc/PID/mem inside a nested pid namespace, by the number in there, is seen",
	     memory_nested_open),
	TEST("the instance's number in a nested namespace is somebody else: process_vm_readv",
	     memory_nested_number, .arg = "vm_readv"),
	TEST("the instance's number in a nested namespace is somebody else: ptrace",
	     memory_nested_number, .arg = "ptrace"),
	TEST("the instance's number in a nested namespace is somebody else: /proc/PID/mem",
	     memory_nested_number, .arg = "proc_open"),
	TEST("the instance's number in a nested namespace is somebody else: pidfd_getfd",
	     memory_nested_number, .arg = "pidfd_getfd"),
	TEST("an attack on the forked child that saves the database is one on the instance",
	     memory_child),

	TEST("reading stat, status, cmdline and the like of an instance raises nothing",
	     memory_benign, .arg = "read"),
	TEST("the same by nobody raises nothing", memory_benign_unprivileged, .arg = "read"),
	TEST("a process that reads its own memory raises nothing", memory_benign, .arg = "self"),
	TEST("a process that reads and traces its own child raises nothing", memory_benign,
	     .arg = "child"),
	TEST("kill 0, getpgid, prlimit and the like upon an instance raise nothing", memory_benign,
	     .arg = "signal"),
	TEST("the same attacks upon a process that is no instance raise nothing",
	     memory_benign_stranger),
	TEST("ps that asks for no names raises nothing", memory_benign_ps),
	TEST("BGSAVE and BGREWRITEAOF under load raise nothing", memory_background_save),
	{},
};

const struct suite memory_suite = {"memory", setup, NULL, tests};
