// SPDX-License-Identifier: BSD-2-Clause
/* vector.c - see vector.h. */
#include "model/vector.h"

#include "base/macros.h"
#include "event.h"
#include "hooked_syscall.h"

#define BY_FILE "by file, see below"
#define BY_INODE                                                                                   \
	"the proc inode of the *resulting file*: path, mount, dirfd, `task/TID`, symlinks and "    \
	"`O_PATH` make no difference"

static const struct vector vectors[] = {
	[VECTOR_PTRACE] = {"ptrace", "`mem-trace`; PEEK* `mem-read`, POKE* `mem-write`",
			   "pid number in the caller's pid namespace; threads count"},
	[VECTOR_PROCESS_VM_READV] = {"process_vm_readv", "`mem-read`", "pid number"},
	[VECTOR_PROCESS_VM_WRITEV] = {"process_vm_writev", "`mem-write`", "pid number"},
	[VECTOR_PIDFD_GETFD] = {"pidfd_getfd", "`mem-fd`", "the struct pid behind the pidfd"},
	[VECTOR_OPEN] = {"open", BY_FILE, BY_INODE},
	[VECTOR_CREAT] = {"creat", BY_FILE, BY_INODE},
	[VECTOR_OPENAT] = {"openat", BY_FILE, BY_INODE},
	[VECTOR_OPENAT2] = {"openat2", BY_FILE, BY_INODE},
	[VECTOR_OPEN_BY_HANDLE_AT] = {"open_by_handle_at", BY_FILE, BY_INODE},
	[VECTOR_IO_URING_OPEN] = {"io_uring", BY_FILE,
				  "the same; also reads and writes of such a file, which may exist "
				  "in the ring alone"},
	[VECTOR_ACCESS] = {"access", "`mem-inspect`, in the syscall named",
			   "the task whose access is checked (access-check tier only)"},
	[VECTOR_SYSCALL] = {"syscall", "by syscall, see below", "by syscall, see below"},
	[VECTOR_SIGNAL] = {"signal", "`mem-dump`, `self-tamper`", "the task it is sent to"},
	[VECTOR_EXEC] = {"exec", "`mem-inject`, `tls-key`",
			 "the process itself: the program it executes, and its environment as "
			 "exec laid it out"},
	[VECTOR_CORE] = {"core dump", "`mem-dump`",
			 "the process itself: its exit code says that a core was written"},
	[VECTOR_UPROBE] = {"uprobe", "`mem-probe`",
			   "the inode that is probed: every instance that maps it"},
	[VECTOR_CGROUP] = {"cgroup", "`self-tamper`",
			   "the monitor or guard that is moved, or the cgroup that is frozen"},
	[VECTOR_EGRESS] = {"egress", "`tls-*`", "the socket's owner mark"},
	[VECTOR_INGRESS] = {"ingress", "`tls-*`", "the socket's owner mark"},
	[VECTOR_SWEEP] = {"sweep", "by state, see Sweeps", "by state, see Sweeps"},
	[VECTOR_COLLECTOR] = {"collector", "`self-blind`", "the monitor"},
};
_Static_assert(ARRAY_SIZE(vectors) == VECTOR_MAX, "every vector has a row");

#define SYSCALL_ROW(abbr, name, body, unseen, rules, target) {#name, rules, target},
static const struct vector syscalls[] = {HOOKED_SYSCALLS(SYSCALL_ROW)};
#undef SYSCALL_ROW

const struct vector *vector_get(unsigned int vector)
{
	return vector > VECTOR_NONE && vector < VECTOR_MAX ? &vectors[vector] : NULL;
}

const struct vector *vector_syscall(size_t i)
{
	return i < ARRAY_SIZE(syscalls) ? &syscalls[i] : NULL;
}

const char *vector_name(unsigned int vector)
{
	return vector < VECTOR_MAX ? vectors[vector].name : NULL;
}

bool vector_is_open(unsigned int vector)
{
	return vector >= VECTOR_OPEN && vector <= VECTOR_IO_URING_OPEN;
}

bool vector_is_wire(unsigned int vector)
{
	return vector == VECTOR_NONE || vector == VECTOR_EGRESS || vector == VECTOR_INGRESS;
}
