// SPDX-License-Identifier: BSD-2-Clause
/* proc.c - see proc.h. */
#include "base/proc.h"

#include "base/clock.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TCP_LISTEN 10
#define UNIX_LISTENING 0x10000 /* __SO_ACCEPTCON, linux/net.h */
#define PF_KTHREAD 0x00200000  /* linux/sched.h, in field 9 of /proc/PID/stat */

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

/* Field n of /proc/PID/stat (proc(5)), n > 2. Counted from the last ')', because comm may contain any character. */
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

/* Did the process with this pid start then? Returns 0, -ESRCH if not, or another negative errno. */
static int check_start(pid_t pid, uint64_t start_ns)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	char ticks[32];
	int err = stat_field(pid, 22, ticks, sizeof(ticks));

	if (err)
		return err;
	return strtoull(ticks, NULL, 10) == start_ns / (NS_PER_SEC / hz) ? 0 : -ESRCH;
}

bool proc_runs(pid_t pid, uint64_t start_ns)
{
	int err = check_start(pid, start_ns);

	return err != -ESRCH && err != -ENOENT;
}

char proc_state(pid_t pid)
{
	char text[2];

	return stat_field(pid, 3, text, sizeof(text)) ? '\0' : text[0];
}

/* 0 if there is no such process. */
static unsigned long stat_number(pid_t pid, int n)
{
	char text[32];

	return stat_field(pid, n, text, sizeof(text)) ? 0 : strtoul(text, NULL, 10);
}

pid_t proc_parent(pid_t pid)
{
	return (pid_t)stat_number(pid, 4);
}

uint32_t proc_session(pid_t pid, uint64_t start_ns, unsigned int ancestors_max)
{
	unsigned long session, parent;

	if (check_start(pid, start_ns))
		return 0;
	session = stat_number(pid, 6);
	for (unsigned int i = 1; i < ancestors_max && !session; i++) {
		parent = stat_number(pid, 4);
		if (parent <= 1 || stat_number((pid_t)parent, 9) & PF_KTHREAD)
			break;
		pid = (pid_t)parent;
		session = stat_number(pid, 6);
	}
	return session ? (uint32_t)session : (uint32_t)pid;
}

uint32_t proc_args(pid_t pid, uint64_t start_ns, char *buf, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	n = read_file(path, buf, size);
	if (n < 0 || check_start(pid, start_ns))
		return 0;
	return (uint32_t)((size_t)n < size - 1 ? (size_t)n : size);
}

uint32_t proc_mnt_ns(const char *process)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", process);
	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
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
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	/* checked after readlink(): it shows if the pid was reused before */
	return check_start(pid, start_ns);
}

/* Does the block device have this attribute in sysfs, and does its value begin with prefix? */
static bool attribute_begins(const struct stat *st, const char *name, const char *prefix)
{
	char path[96], buf[128];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(st->st_rdev),
		 minor(st->st_rdev), name);
	return read_file(path, buf, sizeof(buf)) > 0 && !strncmp(buf, prefix, strlen(prefix));
}

bool proc_dm_encrypts(const char *uuid)
{
	/* of cryptsetup and systemd-cryptsetup */
	static const char *const types[] = {"LUKS1-",  "LUKS2-", "PLAIN-",  "LOOPAES-",
					    "TCRYPT-", "BITLK-", "FVAULT2-"};

	if (strncmp(uuid, "CRYPT-", 6) != 0)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strncmp(uuid + 6, types[i], strlen(types[i])))
			return true;
	}
	return false;
}

static bool is_encrypted(const struct stat *st)
{
	char path[96], uuid[160];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dm/uuid", major(st->st_rdev),
		 minor(st->st_rdev));
	return read_file(path, uuid, sizeof(uuid)) > 0 && proc_dm_encrypts(uuid);
}

/* zram (it alone has comp_algorithm) without a disk to write back to */
static bool is_in_ram(const struct stat *st)
{
	return attribute_begins(st, "comp_algorithm", "") &&
	       (!attribute_begins(st, "backing_dev", "") ||
		attribute_begins(st, "backing_dev", "none"));
}

static uint32_t read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	uint32_t n = 0;

	if (f && fscanf(f, "%" SCNu32, &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

uint32_t proc_processes_max(void)
{
	uint32_t pids = read_number("/proc/sys/kernel/pid_max"),
		 threads = read_number("/proc/sys/kernel/threads-max");

	return threads < pids ? threads : pids;
}

bool proc_swap_sealed(void)
{
	FILE *f = fopen("/proc/swaps", "re");
	size_t spaces = 0, sealed = 0;
	char where[512];
	struct stat st;

	if (!f)
		return false;
	if (fscanf(f, "%*[^\n]") == 0) { /* the header line */
		for (; fscanf(f, "%511s%*[^\n]", where) == 1; spaces++) {
			if (stat(where, &st) || !S_ISBLK(st.st_mode))
				continue;
			sealed += is_encrypted(&st) || is_in_ram(&st);
		}
	}
	fclose(f);
	return spaces && sealed == spaces;
}

size_t proc_title(pid_t pid, char *buf, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	return read_file(path, buf, size) > 0 ? strlen(buf) : 0;
}

int proc_each(void (*fn)(void *ctx, pid_t pid), void *ctx)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	if (!dir)
		return -errno;
	while ((d = readdir(dir))) {
		if (isdigit((unsigned char)d->d_name[0]))
			fn(ctx, (pid_t)atoi(d->d_name));
	}
	closedir(dir);
	return 0;
}

/* Inode numbers of sockets, a growing list. */
struct inodes {
	uint64_t *all;
	size_t count, room;
};

static void add_inode(struct inodes *list, uint64_t ino)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		uint64_t *all = reallocarray(list->all, room, sizeof(*all));

		if (!all)
			return;
		list->all = all;
		list->room = room;
	}
	list->all[list->count++] = ino;
}

/* Those of the listening sockets in a table of /proc/PID/net, whose lines format reads a state and an inode from. */
static void add_listeners(struct inodes *list, pid_t pid, const char *table, const char *format,
			  unsigned int listening)
{
	char path[64], line[512];
	unsigned int state;
	uint64_t ino;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, table);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, format, &state, &ino) == 2 && state == listening)
			add_inode(list, ino);
	}
	if (f)
		fclose(f);
}

/* Has the process a descriptor, by its number and what it leads to, for which fn returns true? */
static bool any_fd(pid_t pid, bool (*fn)(void *ctx, const char *fd, const char *to), void *ctx)
{
	char path[64], to[64];
	bool found = false;
	struct dirent *d;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		n = readlinkat(dirfd(dir), d->d_name, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		found = fn(ctx, d->d_name, to);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool is_listener(void *ctx, const char *fd, const char *to)
{
	const struct inodes *list = ctx;
	uint64_t ino;

	if (sscanf(to, "socket:[%" SCNu64, &ino) != 1)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (list->all[i] == ino)
			return true;
	return false;
}

bool proc_listens(pid_t pid)
{
	static const char tcp[] = "%*s %*s %*s %x %*s %*s %*s %*s %*s %" SCNu64;
	static const char unix_[] = "%*s %*s %*s %x %*s %*s %" SCNu64;
	struct inodes list = {};
	bool listens;

	add_listeners(&list, pid, "tcp", tcp, TCP_LISTEN);
	add_listeners(&list, pid, "tcp6", tcp, TCP_LISTEN);
	add_listeners(&list, pid, "unix", unix_, UNIX_LISTENING);
	listens = any_fd(pid, is_listener, &list);
	free(list.all);
	return listens;
}

/* Does that descriptor's line "name: number" have the number? */
static bool fdinfo_has(pid_t pid, const char *fd, const char *name, uint32_t number)
{
	char path[300], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid, fd);
	if (!number || read_file(path, text, sizeof(text)) <= 0)
		return false;
	at = strstr(text, name);
	return at && strtoul(at + strlen(name), NULL, 10) == number;
}

struct holder {
	uint32_t program, map;
	bool (*skip)(void *ctx, pid_t pid);
	void *ctx;
	uint64_t until_ns;
	pid_t looked_at, found;
};

static bool is_bpf(void *ctx, const char *fd, const char *to)
{
	const struct holder *h = ctx;

	if (!strcmp(to, "anon_inode:bpf-map"))
		return fdinfo_has(h->looked_at, fd, "map_id:", h->map);
	return (!strcmp(to, "anon_inode:bpf-prog") || !strcmp(to, "anon_inode:bpf_link")) &&
	       fdinfo_has(h->looked_at, fd, "prog_id:", h->program);
}

static void look_for_holder(void *ctx, pid_t pid)
{
	struct holder *h = ctx;

	if (h->found || pid == getpid() || h->skip(h->ctx, pid) || clock_boot_ns() >= h->until_ns)
		return;
	h->looked_at = pid;
	if (any_fd(pid, is_bpf, h))
		h->found = pid;
}

pid_t proc_bpf_holder(uint32_t program, uint32_t map, bool (*skip)(void *ctx, pid_t pid), void *ctx)
{
	struct holder h = {program, map, skip, ctx, clock_boot_ns() + PROC_HOLDER_NS, 0, 0};

	proc_each(look_for_holder, &h);
	return h.found;
}

uint64_t proc_resident_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long resident = 0;

	if (f && fscanf(f, "%*u %lu", &resident) != 1)
		resident = 0;
	if (f)
		fclose(f);
	return resident;
}
