// SPDX-License-Identifier: BSD-2-Clause
/* other_monitors.c - see other_monitors.h. */
#include "monitor/other_monitors.h"

#include "base/macros.h"
#include "base/proc.h"
#include "sensor/sensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CODE_FILES_MAX 64 /* a monitor maps some ten executable files */

struct code_file {
	unsigned int major, minor;
	uint64_t ino;
};

/* The code of a process: its executable mappings. */
struct code {
	struct code_file files[CODE_FILES_MAX];
	size_t count;
	bool original; /* each is a file, or the kernel's own, and no page was changed */
};

struct search {
	struct sensors *sensors;
	struct code own;
};

static bool has_file(const struct code *c, const struct code_file *f)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->files[i].major == f->major && c->files[i].minor == f->minor &&
		    c->files[i].ino == f->ino)
			return true;
	return false;
}

static void add_mapping(struct code *c, const struct code_file *f, const char *name)
{
	if (!strncmp(name, "[vdso]", 6) || !strncmp(name, "[vsyscall]", 10))
		return;
	if (!f->ino || c->count == CODE_FILES_MAX)
		c->original = false;
	else if (!has_file(c, f))
		c->files[c->count++] = *f;
}

/* Returns 0, or -1 if the process is gone. */
static int read_code(const char *process, struct code *ret)
{
	char path[64], line[512], permissions[8];
	struct code_file file;
	bool executable = false;
	unsigned long anonymous;
	FILE *f;
	int at;

	*ret = (struct code){.original = true};
	snprintf(path, sizeof(path), "/proc/%s/smaps", process);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*x-%*x %7s %*x %x:%x %" SCNu64 " %n", permissions, &file.major,
			   &file.minor, &file.ino, &at) == 4) {
			executable = permissions[2] == 'x';
			if (executable)
				add_mapping(ret, &file, line + at);
		} else if (executable && sscanf(line, "Anonymous: %lu", &anonymous) == 1 &&
			   anonymous) {
			ret->original = false;
		}
	}
	fclose(f);
	return ret->count ? 0 : -1;
}

/* Does it execute the same file as this process? Only then is more of it read. */
static bool same_exe(pid_t pid)
{
	struct stat own, other;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return !stat("/proc/self/exe", &own) && !stat(path, &other) && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

/* Is it a monitor, or another command that reads files of its caller's choice? */
static bool runs_monitor(pid_t pid)
{
	char path[32], args[256], *verb;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "re");
	n = f ? fread(args, 1, sizeof(args) - 1, f) : 0;
	if (f)
		fclose(f);
	args[n] = '\0';
	verb = args + strnlen(args, n) + 1;
	return verb < args + n && (!strcmp(verb, "run") || !strcmp(verb, "doctor"));
}

static bool same_code(const struct code *own, pid_t pid)
{
	struct code other;
	char process[16];

	snprintf(process, sizeof(process), "%d", (int)pid);
	if (read_code(process, &other) || !other.original)
		return false;
	for (size_t i = 0; i < other.count; i++)
		if (!has_file(own, &other.files[i]))
			return false;
	return true;
}

static void adopt(void *ctx, pid_t pid)
{
	const struct search *s = ctx;

	if (pid != getpid() && same_exe(pid) && runs_monitor(pid) && same_code(&s->own, pid))
		sensors_add_monitor(s->sensors, pid);
}

void other_monitors_adopt(struct sensors *sensors)
{
	struct search s = {.sensors = sensors};

	if (!read_code("self", &s.own))
		proc_each(adopt, &s);
}
