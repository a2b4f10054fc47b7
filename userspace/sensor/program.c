// SPDX-License-Identifier: BSD-2-Clause
/* program.c - see program.h. */
#include "sensor/program.h"

#include "base/macros.h"

#include "hooked_syscall.h"

#include <string.h>

/*
 * The programs of a row of hooked_syscall.h (bpf/lib/syscall.bpf.h defines them): on the access tier fexit on its
 * two entry functions, else its tracepoint. Skipped where the syscall does not exist.
 */
#define SYSCALL_PROGRAMS(abbr, name, body, unseen, ...)                                            \
	{"calls", "access", "ac_" #abbr, unseen, .optional = true},                                \
		{"calls", "access", "ac32_" #abbr, unseen " by 32-bit callers", .optional = true}, \
		{"calls", "syscalls", "sc_" #abbr, unseen, .optional = true},

/* Of the tiers "access", "syscalls" and "quiet" the loader picks one, see loader.c. */
static const struct sensor_program programs[] = {
	{"processes", "hooks", "proc_exec", "instances that start while the monitor runs"},
	{"processes", "hooks", "proc_fork",
	 "children and threads of an instance: its BGSAVE counts as a foreign process"},
	{"processes", "hooks", "proc_exit", "the end of an instance"},
	{"processes", "sweep", "find_instances", "instances that ran before the monitor"},
	{"processes", "sweep", "find_unreported",
	 "instances of a user who starts too many at once"},
	{"memory", "access", "ac_may_access",
	 "accesses by syscalls that have no hook of their own"},
	{"memory", "access", "ac_open",
	 "opens of files below /proc/PID, and of instances' files on disk"},
	{"memory", "access", "ac_handle", "opens by file handle"},
	{"memory", "access", "ac_handed_out",
	 "files that the kernel opens for NFS clients, or for fanotify", .optional = true},
	{"memory", "access", "ac_handed_out2", "files that fanotify hands out", .optional = true},
	{"memory", "access", "ac_mem_rw",
	 "how many bytes were read or written through /proc/PID/mem", .optional = true},
	{"memory", "access", "ac_ptrace", "ptrace"},
	{"memory", "access", "ac_vm_readv", "process_vm_readv"},
	{"memory", "access", "ac_vm_writev", "process_vm_writev"},
	{"memory", "access", "ac_getfd", "pidfd_getfd"},
	{"memory", "access", "ac32_ptrace", "ptrace by 32-bit callers", .optional = true},
	{"memory", "access", "ac32_vm_readv", "process_vm_readv by 32-bit callers",
	 .optional = true},
	{"memory", "access", "ac32_vm_writev", "process_vm_writev by 32-bit callers",
	 .optional = true},
	{"memory", "access", "ac32_getfd", "pidfd_getfd by 32-bit callers", .optional = true},
	{"memory", "access", "uring_complete", "reads and writes below /proc/PID through io_uring"},
	{"memory", "syscalls", "sc_ptrace", "ptrace"},
	{"memory", "syscalls", "sc_vm_readv", "process_vm_readv"},
	{"memory", "syscalls", "sc_vm_writev", "process_vm_writev"},
	{"memory", "syscalls", "sc_pidfd_getfd", "pidfd_getfd"},
	{"memory", "syscalls", "sc_open", "open of files below /proc/PID and on disk"},
	{"memory", "syscalls", "sc_creat", "creat of files below /proc/PID and on disk"},
	{"memory", "syscalls", "sc_openat", "openat of files below /proc/PID and on disk"},
	{"memory", "syscalls", "sc_openat2", "openat2 of files below /proc/PID and on disk"},
	{"memory", "syscalls", "sc_open_handle",
	 "open_by_handle_at of files below /proc/PID and on disk"},
	{"memory", "syscalls", "remote_mm",
	 "memory read or written by 32-bit callers, or through a descriptor of another process (before Linux 6.13)"},
	{"memory", "syscalls", "uring_complete",
	 "files below /proc/PID and on disk through io_uring"},
	{"memory", "syscalls", "uring_submit", "files used through io_uring without a completion",
	 .optional = true},
	{"memory", "syscalls", "uring_submit6", "files used through io_uring without a completion",
	 .optional = true},
	{"memory", "syscalls", "uring_file_get",
	 "files opened and used in one chain of io_uring without a completion", .optional = true},
	{"memory", "quiet", "remote_mm", "accesses that reach memory: whoever does takes its lock"},
	{"memory", "quiet", "uring_complete", "files below /proc/PID and on disk through io_uring"},
	{"memory", "quiet", "uring_submit", "files used through io_uring without a completion",
	 .optional = true},
	{"memory", "quiet", "uring_submit6", "files used through io_uring without a completion",
	 .optional = true},
	{"memory", "quiet", "uring_file_get",
	 "files opened and used in one chain of io_uring without a completion", .optional = true},
	/* clang-format off: the rows bring their commas */
	HOOKED_SYSCALLS(SYSCALL_PROGRAMS)
	/* clang-format on */
	{"calls", "access", "ac_uprobe", "uprobes planted through tracefs and by links"},
	{"calls", "hooks", "signal_sent", "signals that make an instance dump core"},
	{"calls", "hooks", "cgroup_moved", "the monitor moved to another cgroup"},
	{"calls", "hooks", "cgroup_frozen", "the monitor's cgroup frozen"},
	{"calls", "sweep", "sweep_progs", "BPF programs that others loaded before the monitor"},
	{"wire", "packets", "sock_create", "connections an instance opens"},
	{"wire", "packets", "sock_state",
	 "listeners opened while the monitor runs, and connections they accept"},
	{"wire", "sweep", "mark_sockets",
	 "sockets from before the monitor, or inherited from a supervisor"},
	{"wire", "packets", "wire_egress", "bytes an instance sends"},
	{"wire", "packets", "wire_ingress", "bytes an instance receives"},
	{"sweep", "sweep", "sweep_tasks",
	 "tracers of an instance, probes in it, pages swapped out"},
	{"sweep", "sweep", "sweep_files",
	 "holders of an instance's files, sockets and perf events"},
	{"sweep", "sweep", "sweep_rings",
	 "holders of an instance's files in rings of io_uring (direct descriptors)"},
	{"sweep", "sweep", "sweep_own_rings", "the same in rings without a descriptor"},
	{"sweep", "sweep", "sweep_maps", "code and shared memory mapped by an instance"},
};

static const struct sensor_limit limits[] = {
	{"memory", "syscalls",
	 "refused opens through io_uring (no file, and no path at completion)"},
	{"memory", "syscalls",
	 "32-bit callers: what they open, take or steer (since Linux 6.13 reads, writes and PTRACE_ATTACH are seen)"},
	{"memory", "syscalls", "readlink, stat and path walks through /proc/PID/{root,cwd,exe,fd}"},
	{"memory", "syscalls",
	 "refused opens, and fd/N reopened, where the path in user memory hides them"},
	{"memory", "syscalls",
	 "files on disk that fanotify or NFS hands out, unless a sweep finds them held"},
	{"memory", "syscalls",
	 "files on disk that one chain of io_uring opens and reads as direct descriptors, without "
	 "completions (such opens are counted)"},
	{"memory", "quiet", "refused attempts, of whatever kind"},
	{"memory", "quiet",
	 "opens that no lock of memory follows: /proc/PID/maps (since Linux 6.17), auxv, stack, "
	 "syscall, fd and the like, fd/N, files on disk, unless a sweep finds them held"},
	{"memory", "quiet",
	 "PTRACE_SEIZE, requests for registers, and pidfd_getfd, until a sweep finds the state"},
	{"memory", "quiet", "mem read through a descriptor that another thread replaces meanwhile"},
	{"memory", "quiet", "readlink, stat and path walks through /proc/PID/{root,cwd,exe,fd}"},
	{"memory", "quiet",
	 "files on disk that one chain of io_uring opens and reads as direct descriptors, without "
	 "completions (such opens are counted)"},
	{"calls", "quiet",
	 "kcmp, prlimit64, modules, kexec, scheduling of the monitor, bpf() on its objects; code "
	 "made executable, perf events and BPF programs of others until a sweep finds them"},
	{"memory", "access",
	 "refused opens of files on disk; files renamed, truncated or removed without an open"},
	{"memory", "syscalls",
	 "refused opens of files on disk; files renamed, truncated or removed without an open"},
	{"processes", "hooks",
	 "LD_PRELOAD and similar variables of servers from before the monitor, which overwrite "
	 "their environment"},
	{"wire", "packets",
	 "bytes of a connection that a BPF sockmap moves without a packet (that it is in one is seen)"},
	{"wire", "packets", "UNIX and netlink sockets: they do not leave the host"},
	{"wire", "packets",
	 "record boundaries of connections from before the monitor, until it finds one"},
};

const struct sensor_program *sensor_program_table(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(programs);
	return programs;
}

const struct sensor_limit *sensor_limits(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(limits);
	return limits;
}

bool sensor_limit_applies(const struct sensor_limit *limit,
			  const struct sensor_program *programs_in_use, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(programs_in_use[i].tier, limit->tier))
			return true;
	}
	return false;
}
