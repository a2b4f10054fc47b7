/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trigger.h - what the triggers share: who I am, where the victim may be touched, and one JSON line
 * that says what was really done. A trigger never prints a byte it read.
 */
#ifndef TRIGGER_H
#define TRIGGER_H

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STAT_PPID 4
#define STAT_START_TIME 22
#define STAT_START_CODE 26
#define STAT_START_STACK 28

static inline long long trigger_clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Field n (counted from 1, as proc(5) does) of /proc/PID/stat; 0 where the kernel hides it. */
static inline unsigned long trigger_stat(long pid, int n)
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
	at = strrchr(line, ')');
	for (n -= 2; at && n > 0; n--)
		at = strchr(at + 1, ' ');
	return at ? strtoul(at, NULL, 10) : 0;
}

static inline long long trigger_start_ms(long pid)
{
	long long boot = trigger_clock_ms(CLOCK_REALTIME) - trigger_clock_ms(CLOCK_BOOTTIME);

	return boot + (long long)trigger_stat(pid, STAT_START_TIME) * 1000 / sysconf(_SC_CLK_TCK);
}

/* A page of the victim's text, or where argc and the argv pointers lie: constant, so writable back.
 */
static inline void *trigger_address(long pid, int field)
{
	unsigned long at = trigger_stat(pid, field);

	return (void *)(at > 1 ? at : 0x10000);
}

/* Where in a file its code begins (an instruction: of _init, by the linker's custom); 0 if there is none. */
static inline unsigned long trigger_code_offset(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned long offset = 0;
	Elf64_Phdr segment;
	Elf64_Ehdr head;

	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head))
		head.e_phnum = 0;
	for (int i = 0; i < head.e_phnum && !offset; i++) {
		if (pread(fd, &segment, sizeof(segment), head.e_phoff + i * sizeof(segment)) ==
			    sizeof(segment) &&
		    segment.p_type == PT_LOAD && segment.p_flags & PF_X)
			offset = segment.p_offset;
	}
	if (fd >= 0)
		close(fd);
	return offset;
}

__attribute__((format(printf, 1, 2))) static inline void trigger_report(const char *fields, ...)
{
	va_list args;

	printf("{\"trigger\":\"%s\",\"pid\":%d,\"uid\":%d,\"start_ms\":%lld,",
	       program_invocation_short_name, getpid(), getuid(), trigger_start_ms(getpid()));
	va_start(args, fields);
	vprintf(fields, args);
	va_end(args);
	printf(",\"done\":true}\n");
	fflush(stdout);
}

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

/* perf_event_attr.type of a uprobe. */
static inline int trigger_uprobe_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int type = -1;

	if (!f || fscanf(f, "%d", &type) != 1)
		trigger_die("no uprobes here");
	fclose(f);
	return type;
}

#endif
