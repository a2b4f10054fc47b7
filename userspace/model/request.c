// SPDX-License-Identifier: BSD-2-Clause
/* request.c - see request.h. Numbers and names are the kernel's; each block names its header. */
#include "model/request.h"

#include "base/macros.h"
#include "syscall_nr.h"

#include <stddef.h>

struct request {
	unsigned int number;
	const char *name;
};

/* include/uapi/linux/ptrace.h and arch/x86/include/uapi/asm/ptrace-abi.h */
static const struct request ptrace_requests[] = {
	{0, "PTRACE_TRACEME"},
	{1, "PTRACE_PEEKTEXT"},
	{2, "PTRACE_PEEKDATA"},
	{3, "PTRACE_PEEKUSR"},
	{4, "PTRACE_POKETEXT"},
	{5, "PTRACE_POKEDATA"},
	{6, "PTRACE_POKEUSR"},
	{7, "PTRACE_CONT"},
	{8, "PTRACE_KILL"},
	{9, "PTRACE_SINGLESTEP"},
	{12, "PTRACE_GETREGS"},
	{13, "PTRACE_SETREGS"},
	{14, "PTRACE_GETFPREGS"},
	{15, "PTRACE_SETFPREGS"},
	{16, "PTRACE_ATTACH"},
	{17, "PTRACE_DETACH"},
	{18, "PTRACE_GETFPXREGS"},
	{19, "PTRACE_SETFPXREGS"},
	{24, "PTRACE_SYSCALL"},
	{25, "PTRACE_GET_THREAD_AREA"},
	{26, "PTRACE_SET_THREAD_AREA"},
	{30, "PTRACE_ARCH_PRCTL"},
	{31, "PTRACE_SYSEMU"},
	{32, "PTRACE_SYSEMU_SINGLESTEP"},
	{33, "PTRACE_SINGLEBLOCK"},
	{0x4200, "PTRACE_SETOPTIONS"},
	{0x4201, "PTRACE_GETEVENTMSG"},
	{0x4202, "PTRACE_GETSIGINFO"},
	{0x4203, "PTRACE_SETSIGINFO"},
	{0x4204, "PTRACE_GETREGSET"},
	{0x4205, "PTRACE_SETREGSET"},
	{0x4206, "PTRACE_SEIZE"},
	{0x4207, "PTRACE_INTERRUPT"},
	{0x4208, "PTRACE_LISTEN"},
	{0x4209, "PTRACE_PEEKSIGINFO"},
	{0x420a, "PTRACE_GETSIGMASK"},
	{0x420b, "PTRACE_SETSIGMASK"},
	{0x420c, "PTRACE_SECCOMP_GET_FILTER"},
	{0x420d, "PTRACE_SECCOMP_GET_METADATA"},
	{0x420e, "PTRACE_GET_SYSCALL_INFO"},
	{0x420f, "PTRACE_GET_RSEQ_CONFIGURATION"},
	{0x4210, "PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG"},
	{0x4211, "PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG"},
	{0x4212, "PTRACE_SET_SYSCALL_INFO"},
};

static const struct {
	unsigned int nr, op;
	const char *name;
} requests[] = {
	/* include/uapi/asm-generic/mman-common.h */
	{NR_process_madvise, 3, "MADV_WILLNEED"},
	{NR_process_madvise, 4, "MADV_DONTNEED"},
	{NR_process_madvise, 12, "MADV_MERGEABLE"},
	{NR_process_madvise, 20, "MADV_COLD"},
	{NR_process_madvise, 21, "MADV_PAGEOUT"},
	{NR_process_madvise, 25, "MADV_COLLAPSE"},
	/* include/uapi/asm-generic/resource.h */
	{NR_prlimit64, 0, "RLIMIT_CPU"},
	{NR_prlimit64, 1, "RLIMIT_FSIZE"},
	{NR_prlimit64, 2, "RLIMIT_DATA"},
	{NR_prlimit64, 3, "RLIMIT_STACK"},
	{NR_prlimit64, 4, "RLIMIT_CORE"},
	{NR_prlimit64, 5, "RLIMIT_RSS"},
	{NR_prlimit64, 6, "RLIMIT_NPROC"},
	{NR_prlimit64, 7, "RLIMIT_NOFILE"},
	{NR_prlimit64, 8, "RLIMIT_MEMLOCK"},
	{NR_prlimit64, 9, "RLIMIT_AS"},
	{NR_prlimit64, 11, "RLIMIT_SIGPENDING"},
	{NR_prlimit64, 12, "RLIMIT_MSGQUEUE"},
	{NR_prlimit64, 13, "RLIMIT_NICE"},
	{NR_prlimit64, 14, "RLIMIT_RTPRIO"},
	{NR_prlimit64, 15, "RLIMIT_RTTIME"},
	/* enum finding_kind */
	{NR_mmap, FINDING_CODE_FILE, "file"},
	{NR_mmap, FINDING_CODE_ANONYMOUS, "anonymous memory"},
	{NR_mmap, FINDING_CODE_WRITABLE, "writable memory"},
	{NR_mprotect, FINDING_CODE_ANONYMOUS, "memory"},
	{NR_mprotect, FINDING_CODE_WRITABLE, "writable memory"},
	{NR_pkey_mprotect, FINDING_CODE_ANONYMOUS, "memory"},
	{NR_pkey_mprotect, FINDING_CODE_WRITABLE, "writable memory"},
	/* include/uapi/linux/kcmp.h */
	{NR_kcmp, 0, "KCMP_FILE"},
	{NR_kcmp, 1, "KCMP_VM"},
	{NR_kcmp, 2, "KCMP_FILES"},
	{NR_kcmp, 3, "KCMP_FS"},
	{NR_kcmp, 4, "KCMP_SIGHAND"},
	{NR_kcmp, 5, "KCMP_IO"},
	{NR_kcmp, 6, "KCMP_SYSVSEM"},
	{NR_kcmp, 7, "KCMP_EPOLL_TFD"},
	/* enum perf_op */
	{NR_perf_event_open, PERF_OP_COUNT, "counter"},
	{NR_perf_event_open, PERF_OP_SAMPLE, "samples"},
	{NR_perf_event_open, PERF_OP_SAMPLE_USER, "samples with user registers or stack"},
	{NR_perf_event_open, PERF_OP_UPROBE, "uprobe"},
	/* enum bpf_cmd */
	{NR_bpf, 1, "BPF_MAP_LOOKUP_ELEM"},
	{NR_bpf, 2, "BPF_MAP_UPDATE_ELEM"},
	{NR_bpf, 3, "BPF_MAP_DELETE_ELEM"},
	{NR_bpf, 4, "BPF_MAP_GET_NEXT_KEY"},
	{NR_bpf, 5, "BPF_PROG_LOAD"},
	{NR_bpf, 6, "BPF_OBJ_PIN"},
	{NR_bpf, 7, "BPF_OBJ_GET"},
	{NR_bpf, 8, "BPF_PROG_ATTACH"},
	{NR_bpf, 9, "BPF_PROG_DETACH"},
	{NR_bpf, 10, "BPF_PROG_TEST_RUN"},
	{NR_bpf, 13, "BPF_PROG_GET_FD_BY_ID"},
	{NR_bpf, 14, "BPF_MAP_GET_FD_BY_ID"},
	{NR_bpf, 15, "BPF_OBJ_GET_INFO_BY_FD"},
	{NR_bpf, 21, "BPF_MAP_LOOKUP_AND_DELETE_ELEM"},
	{NR_bpf, 22, "BPF_MAP_FREEZE"},
	{NR_bpf, 24, "BPF_MAP_LOOKUP_BATCH"},
	{NR_bpf, 25, "BPF_MAP_LOOKUP_AND_DELETE_BATCH"},
	{NR_bpf, 26, "BPF_MAP_UPDATE_BATCH"},
	{NR_bpf, 27, "BPF_MAP_DELETE_BATCH"},
	{NR_bpf, 28, "BPF_LINK_CREATE"},
	{NR_bpf, 29, "BPF_LINK_UPDATE"},
	{NR_bpf, 30, "BPF_LINK_GET_FD_BY_ID"},
	{NR_bpf, 33, "BPF_ITER_CREATE"},
	{NR_bpf, 34, "BPF_LINK_DETACH"},
	{NR_bpf, 35, "BPF_PROG_BIND_MAP"},
};

const char *request_ptrace(unsigned int request)
{
	for (size_t i = 0; i < ARRAY_SIZE(ptrace_requests); i++) {
		if (ptrace_requests[i].number == request)
			return ptrace_requests[i].name;
	}
	return NULL;
}

const char *request_name(unsigned int nr, unsigned int op)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (requests[i].nr == nr && requests[i].op == op)
			return requests[i].name;
	}
	return NULL;
}
