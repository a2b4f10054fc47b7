/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat: attacks through 32-bit system calls (int 0x80), which syscall tracepoints do not report.
 *
 *     mem      opens /proc/PID/mem and reads a byte of the target's code
 *     ptrace   attaches to the target and detaches
 *
 * Ground truth: "missing", whether the machine or the kernel has no such system calls; "result" and
 * "errno" of the read or the attach.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "trigger.h"

#define IA32_GETPID 20
#define IA32_PTRACE 26
#define IA32_OPENAT 295
#define IA32_PREAD64 180

/* On x86 a 32-bit system call; returns the result or a negative errno. */
static long syscall32(long nr, long a, long b, long c, long d, long e)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
#else
	raise(SIGSEGV);
	return nr + a + b + c + d + e;
#endif
}

static int syscalls_missing(void)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		syscall32(IA32_GETPID, 0, 0, 0, 0, 0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !WIFEXITED(status);
}

int main(int argc, char **argv)
{
	int missing = syscalls_missing(), status;
	char *low;
	long r = -1;

	if (argc < 3)
		trigger_usage("PID mem|ptrace");
	low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	if (low == MAP_FAILED || (unsigned long)low > 0x7fffffff)
		trigger_die("memory below 2 GiB");
	snprintf(low, 64, "/proc/%s/mem", argv[1]);
	if (!missing && !strcmp(argv[2], "mem")) {
		r = syscall32(IA32_OPENAT, AT_FDCWD, (long)low, O_RDONLY, 0, 0);
		if (r >= 0) { /* a byte of its code */
			unsigned long at = trigger_stat(atol(argv[1]), STAT_START_CODE);

			r = syscall32(IA32_PREAD64, r, (long)low + 128, 1, (int)at, at >> 32);
		}
	} else if (!missing) {
		r = syscall32(IA32_PTRACE, PTRACE_ATTACH, atol(argv[1]), 0, 0, 0);
		if (!r && waitpid(atoi(argv[1]), &status, 0) > 0)
			syscall32(IA32_PTRACE, PTRACE_DETACH, atol(argv[1]), 0, 0, 0);
	}
	trigger_report("\"missing\":%s,\"result\":%ld,\"errno\":%ld", trigger_bool(missing), r,
		       r < 0 ? -r : 0);
	return 0;
}
