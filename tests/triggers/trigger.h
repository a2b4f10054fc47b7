/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trigger.h - shared by the triggers, small programs that each perform one behaviour and print the
 * ground truth about it as one JSON line. A test compares the monitor's alerts with that line. A trigger
 * never prints a byte it read.
 *
 * Each line has "trigger", "pid", "uid", "start_ms" (real time), "tid" (the thread that acted), the
 * fields the trigger's header names, and "done". Exit status: 0, 1 if the trigger could not act, 2 for
 * wrong arguments.
 */
#ifndef TRIGGER_H
#define TRIGGER_H

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Fields of /proc/PID/stat, numbered as in proc(5). */
#define STAT_PPID 4
#define STAT_START_TIME 22
#define STAT_START_CODE 26
#define STAT_START_STACK 28
#define STAT_ARG_START 48

/* ---- ending ------------------------------------------------------------------------------------- */

__attribute__((noreturn, format(printf, 1, 2))) static inline void trigger_die(const char *fmt, ...)
{
	int err = errno;
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, fmt, args);
	fprintf(stderr, ": %s\n", strerror(err));
	va_end(args);
	exit(1);
}

__attribute__((noreturn)) static inline void trigger_usage(const char *synopsis)
{
	fprintf(stderr, "usage: %s %s\n", program_invocation_short_name, synopsis);
	exit(2);
}

/* Keeps what the trigger holds until somebody kills it. */
__attribute__((noreturn)) static inline void trigger_stay(void)
{
	while (1)
		pause();
}

/* ---- processes ---------------------------------------------------------------------------------- */

static inline long long trigger_clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* 0 where the kernel hides the field. */
static inline unsigned long trigger_stat(long pid, int field)
{
	char path[64], line[1024], *at;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	len = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[len] = 0;
	at = strrchr(line, ')'); /* the end of field 2, which may contain spaces */
	for (field -= 2; at && field > 0; field--)
		at = strchr(at + 1, ' ');
	return at ? strtoul(at, NULL, 10) : 0;
}

static inline long long trigger_start_ms(long pid)
{
	long long boot = trigger_clock_ms(CLOCK_REALTIME) - trigger_clock_ms(CLOCK_BOOTTIME);

	return boot + (long long)trigger_stat(pid, STAT_START_TIME) * 1000 / sysconf(_SC_CLK_TCK);
}

/*
 * An address in the target: STAT_START_CODE, its code; STAT_START_STACK, its argc and argv pointers,
 * which do not change and can be written back. A made-up address where the kernel hides the field: the
 * access is refused before the address matters.
 */
static inline void *trigger_address(long pid, int field)
{
	unsigned long at = trigger_stat(pid, field);

	return (void *)(at > 1 ? at : 0x10000);
}

/* Another trigger, in the same directory as this one. */
static inline void trigger_sibling(const char *name, char *path, size_t size)
{
	char self[4096], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		trigger_die("readlink");
	self[n] = 0;
	slash = strrchr(self, '/');
	snprintf(path, size, "%.*s/%s", (int)(slash - self), self, name);
}

/* Mounts a procfs that only this process and its children see. */
static inline void trigger_mount_proc(const char *where)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", where, "proc", 0, NULL))
		trigger_die("private procfs");
}

/* ---- uprobes ------------------------------------------------------------------------------------ */

/* Offset of the first executable segment of an ELF file: that of an instruction. 0 if there is none. */
static inline unsigned long trigger_code_offset(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned long offset = 0;
	Elf64_Phdr segment;
	Elf64_Ehdr header;

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header))
		header.e_phnum = 0;
	for (int i = 0; i < header.e_phnum && !offset; i++) {
		if (pread(fd, &segment, sizeof(segment), header.e_phoff + i * sizeof(segment)) ==
			    sizeof(segment) &&
		    segment.p_type == PT_LOAD && segment.p_flags & PF_X)
			offset = segment.p_offset;
	}
	if (fd >= 0)
		close(fd);
	return offset;
}

/* perf_event_attr.type of a uprobe. */
static inline int trigger_uprobe_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int type = -1;

	if (!f || fscanf(f, "%d", &type) != 1)
		trigger_die("this kernel has no uprobes");
	fclose(f);
	return type;
}

/* ---- the report --------------------------------------------------------------------------------- */

static inline const char *trigger_bool(int value)
{
	return value ? "true" : "false";
}

/* fields: JSON members without braces. */
__attribute__((format(printf, 2, 3))) static inline void trigger_report_by(int tid,
									   const char *fields, ...)
{
	va_list args;

	printf("{\"trigger\":\"%s\",\"pid\":%d,\"uid\":%d,\"start_ms\":%lld,\"tid\":%d,",
	       program_invocation_short_name, getpid(), getuid(), trigger_start_ms(getpid()), tid);
	va_start(args, fields);
	vprintf(fields, args);
	va_end(args);
	printf(",\"done\":true}\n");
	fflush(stdout);
}

#define trigger_report(...) trigger_report_by(getpid(), __VA_ARGS__)

/* The result of one call and, if it failed, its errno. */
static inline void trigger_report_result(long result, int err)
{
	trigger_report("\"result\":%ld,\"errno\":%d", result, result < 0 ? err : 0);
}

#endif
