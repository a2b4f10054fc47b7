// SPDX-License-Identifier: BSD-2-Clause
/* program.c - see program.h. */
#include "sensor/program.h"

#include "base/macros.h"

#include "hooked_syscall.h"

/* Of a row of hooked_syscall.h; bpf/lib/syscall.bpf.h defines them. Skipped where the syscall does not exist. */
#define SYSCALL_PROGRAMS(abbr, name, body, unseen, ...)                                            \
	{"calls", "access", "ac_" #abbr, unseen, .optional = true},                                \
		{"calls", "access", "ac32_" #abbr, unseen " by 32-bit callers", .optional = true}, \
		{"calls", "syscalls", "sc_" #abbr, unseen, .optional = true},

/*
 * All programs, in the order they are attached. Where a sensor has the rungs "choke" and "syscalls", one of
 * them is loaded; `optional` programs look at what a kernel may not have at all.
 */
static const struct sensor_program programs[] = {
	{"processes", "hooks", "proc_exec", "instances that start while the monitor runs"},
	{"processes", "hooks", "proc_fork",
	 "children and threads of an instance: its BGSAVE would be a stranger"},
	{"processes", "hooks", "proc_exit", "the end of an instance"},
	{"processes", "sweep", "find_instances", "instances that ran before the monitor"},
	{"memory", "access", "ac_may_access",
	 "accesses by syscalls that have no hook of their own"},
	{"memory", "access", "ac_open",
	 "opens of files below /proc/PID, and of what instances keep on disk"},
	{"memory", "access", "ac_handle", "opens by file handle"},
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
	{"memory", "syscalls", "remote_mm", "memory read or written by 32-bit callers",
	 .optional = true},
	{"memory", "syscalls", "uring_complete",
	 "files below /proc/PID and on disk through io_uring"},
	/* clang-format off: the rows bring their commas */
	HOOKED_SYSCALLS(SYSCALL_PROGRAMS)
	/* clang-format on */
	{"calls", "access", "ac_uprobe", "uprobes planted through tracefs and by links"},
	{"calls", "hooks", "signal_sent", "signals that make an instance dump core"},
	{"calls", "sweep", "sweep_progs", "BPF programs of others from before the monitor"},
	{"wire", "packets", "sock_create", "connections an instance dials"},
	{"wire", "packets", "sock_state",
	 "listeners opened while the monitor runs, and what they accept"},
	{"wire", "sweep", "mark_sockets",
	 "sockets from before the monitor, or handed down by a supervisor"},
	{"wire", "packets", "wire_egress", "bytes an instance sends"},
	{"wire", "packets", "wire_ingress", "bytes an instance receives"},
	{"sweep", "sweep", "sweep_tasks",
	 "who traces an instance, probes in it, pages swapped out"},
	{"sweep", "sweep", "sweep_files", "who holds an instance's files, sockets and events"},
	{"sweep", "sweep", "sweep_maps", "code and shared memory mapped by an instance"},
};

const struct sensor_program *sensor_program_table(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(programs);
	return programs;
}
