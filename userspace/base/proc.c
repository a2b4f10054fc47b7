// SPDX-License-Identifier: BSD-2-Clause
/* proc.c - see proc.h. */
#include "base/proc.h"

#include "event.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PF_KTHREAD 0x00200000 /* linux/sched.h, in field 9 of /proc/PID/stat */

static ssize_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	else
		buf[n] = '\0';
	close(fd);
	return n;
}

/* Field n of /proc/PID/stat, counted behind the last ')': comm may hold anything. */
static int stat_field(pid_t pid, int n, char *buf, size_t size)
{
	char path[64], line[1024], *p;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	len = read_file(path, line, sizeof(line));
	if (len < 0)
		return (int)len;
	p = strrchr(line, ')');
	for (int field = 2; p && field < n; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -EPROTO;
	snprintf(buf, size, "%s", p + 1);
	return 0;
}

static int start_ticks(pid_t pid, uint64_t *ret)
{
	char text[32];
	int err = stat_field(pid, 22, text, sizeof(text));

	if (!err)
		*ret = strtoull(text, NULL, 10);
	return err;
}

char proc_state(pid_t pid)
{
	char text[2];

	return stat_field(pid, 3, text, sizeof(text)) ? '\0' : text[0];
}

static unsigned long stat_number(pid_t pid, int n)
{
	char text[32];

	return stat_field(pid, n, text, sizeof(text)) ? 0 : strtoul(text, NULL, 10);
}

uint32_t proc_session(pid_t pid, uint64_t start_ns)
{
	uint64_t ticks, hz = (uint64_t)sysconf(_SC_CLK_TCK);
	unsigned long session, up;

	if (start_ticks(pid, &ticks) || ticks != start_ns / (1000000000ull / hz))
		return 0;
	session = stat_number(pid, 6);
	for (int i = 1; i < LINEAGE_MAX && !session; i++) {
		up = stat_number(pid, 4);
		if (up <= 1 || stat_number((pid_t)up, 9) & PF_KTHREAD)
			break;
		pid = (pid_t)up;
		session = stat_number(pid, 6);
	}
	return session ? (uint32_t)session : (uint32_t)pid;
}

void proc_comm(pid_t pid, char *buf, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	n = read_file(path, buf, size);
	buf[n > 0 ? strcspn(buf, "\n") : 0] = '\0';
}

int proc_exe(pid_t pid, uint64_t start_ns, char *buf, size_t size)
{
	uint64_t ticks, hz = (uint64_t)sysconf(_SC_CLK_TCK);
	char path[64];
	ssize_t n;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	err = start_ticks(pid,
			  &ticks); /* after readlink: had the pid changed hands before, it shows */
	if (err)
		return err;
	return ticks == start_ns / (1000000000ull / hz) ? 0 : -ESRCH;
}

/* Does a device have that attribute, and does it begin with that word? */
static bool attribute_is(const struct stat *st, const char *name, const char *word)
{
	char path[96], buf[128];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(st->st_rdev),
		 minor(st->st_rdev), name);
	return read_file(path, buf, sizeof(buf)) > 0 && !strncmp(buf, word, strlen(word));
}

/* zram that writes nothing back to a disk. */
static bool in_ram(const struct stat *st)
{
	return attribute_is(st, "comp_algorithm", "") &&
	       (!attribute_is(st, "backing_dev", "") || attribute_is(st, "backing_dev", "none"));
}

bool proc_swap_sealed(void)
{
	FILE *f = fopen("/proc/swaps", "re");
	size_t spaces = 0, sealed = 0;
	char where[512];
	struct stat st;

	if (!f)
		return false;
	if (fscanf(f, "%*[^\n]") == 0) { /* the heading */
		for (; fscanf(f, "%511s%*[^\n]", where) == 1; spaces++) {
			if (stat(where, &st) || !S_ISBLK(st.st_mode))
				continue;
			sealed += attribute_is(&st, "dm/uuid", "CRYPT-") || in_ram(&st);
		}
	}
	fclose(f);
	return spaces && sealed == spaces;
}

int proc_each_title(void (*fn)(void *ctx, pid_t pid, const char *argv0), void *ctx)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	if (!dir)
		return -errno;
	while ((d = readdir(dir))) {
		char path[300], title[256];

		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/cmdline", d->d_name);
		if (read_file(path, title, sizeof(title)) > 0)
			fn(ctx, (pid_t)atoi(d->d_name), title);
	}
	closedir(dir);
	return 0;
}
