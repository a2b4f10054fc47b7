// SPDX-License-Identifier: BSD-2-Clause
/* look_process.c - the server's process, the processes beside it, and the code that it executes. */
#include "validate/look.h"

#include "base/proc.h"
#include "model/server_name.h"
#include "validate/check.h"
#include "validate/inside.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENVIRON_MAX (256u << 10)

/* To read memory of others: ptrace(2), perf_event_open(2), bpf(2); the last one implies them. */
#define READS_OTHERS                                                                               \
	(1ull << CAP_SYS_PTRACE | 1ull << CAP_PERFMON | 1ull << CAP_BPF | 1ull << CAP_SYS_ADMIN)

/* --- the process --- */

/* RLIMIT_CORE, which the kernel shows to everybody. */
static uint64_t core_limit(pid_t pid)
{
	char path[64], line[256], soft[32];
	uint64_t limit = UINT64_MAX;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Max core file size %31s", soft) == 1 &&
		    strcmp(soft, "unlimited") != 0)
			limit = strtoull(soft, NULL, 10);
	}
	if (f)
		fclose(f);
	return limit;
}

/* Root owns the directory of a process that is not dumpable, proc(5). Nothing can be told of root's own. */
static enum known is_dumpable(pid_t pid, uint32_t uid)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (!uid || stat(path, &st))
		return UNKNOWN;
	return st.st_uid ? YES : NO;
}

/* Kernels before 6.13 only say how many pages are merged. */
static enum known is_mergeable(pid_t pid)
{
	enum known known = UNKNOWN;
	char path[64], line[128], word[16];
	unsigned long pages;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/ksm_stat", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "ksm_mergeable: %15s", word) == 1)
			known = strcmp(word, "yes") == 0 ? YES : NO;
		else if (sscanf(line, "ksm_merging_pages %lu", &pages) == 1 && pages)
			known = YES;
	}
	if (f)
		fclose(f);
	return known;
}

/* Of the /proc of this host, where everybody looks. */
static enum known is_hidden(void)
{
	char type[64], place[256], options[512];
	enum known known = UNKNOWN;
	FILE *f = fopen("/proc/self/mounts", "re");

	while (f && fscanf(f, "%*s %255s %63s %511s %*d %*d", place, type, options) == 3) {
		if (strcmp(place, "/proc") == 0 && strcmp(type, "proc") == 0)
			known = strstr(options, "hidepid=invisible") ||
						strstr(options, "hidepid=2") ||
						strstr(options, "hidepid=ptraceable")
					? YES
					: NO;
	}
	if (f)
		fclose(f);
	return known;
}

/* Variables that make the loader or OpenSSL execute other code, or write down keys. Values are not kept. */
static bool is_loader_variable(const char *name)
{
	static const char *const names[] = {"GLIBC_TUNABLES",  "GCONV_PATH",	  "OPENSSL_CONF",
					    "OPENSSL_MODULES", "OPENSSL_ENGINES", "SSLKEYLOGFILE"};

	if (!strncmp(name, "LD_", 3))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

/* Redis writes its title over arguments and environment; what is left of it is no list of variables. */
static bool is_environment(const char *text, size_t len)
{
	return !len || strchr(text, '=');
}

static void read_loader(struct facts *f)
{
	char path[64], name[64], *text = calloc(1, ENVIRON_MAX);
	FILE *in;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)f->pid);
	in = fopen(path, "re");
	if (!in || !text) {
		snprintf(f->process.loader_why, sizeof(f->process.loader_why),
			 "its environment cannot be read: %s", look_text(errno));
	} else {
		len = fread(text, 1, ENVIRON_MAX - 1, in);
		f->process.loader_gone = !is_environment(text, len);
		for (const char *at = text; at < text + len; at += strlen(at) + 1) {
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "="), at);
			if (is_loader_variable(name))
				check_list(f->process.loader, sizeof(f->process.loader), "%s",
					   name);
		}
		explicit_bzero(text, ENVIRON_MAX);
	}
	if (in)
		fclose(in);
	free(text);
}

void look_process(struct facts *f)
{
	struct facts_process *p = &f->process;
	struct process_status st;

	p->hidden = is_hidden();
	if (look_status(f->pid, &st)) {
		snprintf(p->why, sizeof(p->why), "the server has ended");
		snprintf(p->loader_why, sizeof(p->loader_why), "the server has ended");
		return;
	}
	memcpy(p->uid, st.uid, sizeof(p->uid));
	p->gid = st.gid;
	p->capabilities = st.permitted;
	p->no_new_privs = st.no_new_privs;
	p->seccomp = st.seccomp;
	p->swapped_kb = st.swapped_kb;
	p->core_limit = core_limit(f->pid);
	p->dumpable = is_dumpable(f->pid, st.uid[1]);
	p->mergeable = is_mergeable(f->pid);
	read_loader(f);
}

/* --- the processes beside it --- */

struct people {
	struct facts *f;
	uint32_t uid;
	char name[FACTS_NAME]; /* of the server */
	ino_t user_ns;
	bool seen; /* the server itself: /proc shows others, too */
};

static ino_t user_ns(pid_t pid)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return stat(path, &st) ? 0 : st.st_ino;
}

static void add(struct facts_people *p, pid_t pid, const struct process_status *st)
{
	if (p->count++ < FACTS_PEOPLE)
		check_list(p->text, sizeof(p->text), "%s (pid %d, uid %u)", st->name, (int)pid,
			   st->uid[1]);
}

static bool has_uid(const struct process_status *st, uint32_t uid)
{
	for (size_t i = 0; i < 4; i++) {
		if (st->uid[i] == uid)
			return true;
	}
	return false;
}

/* Privileges in a user namespace of its own reach nobody outside. Unknown ones count. */
static bool reads_others(const struct people *c, pid_t pid, const struct process_status *st)
{
	ino_t ns;

	if (!((st->permitted | st->effective) & READS_OTHERS))
		return false;
	ns = user_ns(pid);
	return !ns || !c->user_ns || ns == c->user_ns;
}

static void look_at(void *ctx, pid_t pid)
{
	struct people *c = ctx;
	struct facts_access *a = &c->f->access;
	struct process_status st, parent;
	bool shares, is_server;

	if (pid == c->f->pid || pid == getpid() || look_status(pid, &st) || st.kernel)
		return;
	if (st.parent == c->f->pid && !strcmp(st.name, c->name))
		return; /* a child that saves */
	is_server = server_name_in_title(st.name) &&
		    (look_status(st.parent, &parent) || strcmp(parent.name, st.name) != 0);
	shares = c->uid && has_uid(&st, c->uid);
	if (is_server)
		add(&a->servers, pid, &st);
	if (is_server && (shares || st.uid[1] == c->uid))
		add(&a->servers_same_user, pid, &st);
	else if (shares)
		add(&a->same_user, pid, &st);
	if (!st.uid[1])
		a->root++;
	else if (reads_others(c, pid, &st))
		add(&a->capable, pid, &st);
}

/* Of a container's own processes nothing follows for the host. The number is the kernel's own, PROC_PID_INIT_INO. */
static bool sees_whole_host(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == 0xEFFFFFFCu;
}

void look_people(struct facts *f)
{
	struct people c = {.f = f, .user_ns = user_ns(f->pid)};
	struct process_status st;

	if (look_status(f->pid, &st)) {
		snprintf(f->access.why, sizeof(f->access.why), "the server has ended");
		return;
	}
	if (f->process.hidden == YES && !f->root) {
		snprintf(f->access.why, sizeof(f->access.why),
			 "/proc hides processes of other users; run as root");
		return;
	}
	if (!sees_whole_host()) {
		snprintf(f->access.why, sizeof(f->access.why),
			 "cachewarden runs in a PID namespace of a container; run it on the host");
		return;
	}
	c.uid = st.uid[1];
	snprintf(c.name, sizeof(c.name), "%s", st.name);
	proc_each(look_at, &c);
}

/* --- the code that it executes --- */

/* Root owns it and nobody else may write. In a sticky directory nobody replaces what is root's. */
static bool is_roots(const struct stat *st)
{
	bool sticky = S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX;

	return !st->st_uid && (!(st->st_mode & S_IWOTH) || sticky) &&
	       (!(st->st_mode & S_IWGRP) || !st->st_gid || sticky);
}

/*
 * The first part of the path that others can change: the file, or a directory above. Returns 1 if there is one, 0 if not, a
 * negative errno if that could not be seen.
 */
static int find_exposed(int root, const char *path, char *ret, size_t size)
{
	char where[PATH_LEN + 16];
	struct stat st;
	char *slash;
	int fd, err;

	snprintf(where, sizeof(where), "%s", path);
	do {
		fd = inside_find(root, where[0] ? where : "/");
		if (fd < 0)
			return fd;
		err = fstat(fd, &st) ? -errno : 0;
		close(fd);
		if (err)
			return err;
		if (!is_roots(&st)) {
			snprintf(ret, size, "%.400s (uid %u, mode %04o)", where[0] ? where : "/",
				 st.st_uid, st.st_mode & 07777);
			return 1;
		}
		slash = strrchr(where, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
	return 0;
}

static bool is_system_library(const char *path)
{
	static const char *const places[] = {"/lib/",		"/lib32/",     "/lib64/",
					     "/usr/lib/",	"/usr/lib32/", "/usr/lib64/",
					     "/usr/local/lib/", "/nix/store/"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!strncmp(path, places[i], strlen(places[i])))
			return true;
	}
	return false;
}

static void look_at_module(struct facts *f, int root, char *path)
{
	char *deleted = strstr(path, " (deleted)");
	char word[512];
	int exposed;

	f->code.modules++;
	if (strcmp(path, f->exe) != 0 && !is_system_library(path))
		check_list(f->code.foreign, sizeof(f->code.foreign), "%s", path);
	if (deleted) {
		*deleted = '\0';
		check_list(f->code.replaced, sizeof(f->code.replaced), "%s", path);
		return;
	}
	exposed = find_exposed(root, path, word, sizeof(word));
	if (exposed < 0)
		snprintf(f->code.why, sizeof(f->code.why), "%.100s: %s", path, look_text(-exposed));
	else if (exposed && !strstr(f->code.exposed, word))
		check_list(f->code.exposed, sizeof(f->code.exposed), "%s", word);
}

void look_code(struct facts *f)
{
	char path[64], line[2 * PATH_LEN], file[PATH_LEN + 16], last[PATH_LEN + 16] = "", rights[8];
	int root = inside_root(f->pid);
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)f->pid);
	in = root >= 0 ? fopen(path, "re") : NULL;
	if (!in)
		snprintf(f->code.why, sizeof(f->code.why),
			 "the files it executes cannot be seen: %s",
			 look_text(root < 0 ? -root : errno));
	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%*x-%*x %7s %*x %*s %*u %1039[^\n]", rights, file) != 2 ||
		    rights[2] != 'x' || file[0] != '/' || !strcmp(file, last))
			continue;
		snprintf(last, sizeof(last), "%s", file);
		look_at_module(f, root, file);
	}
	if (in)
		fclose(in);
	if (root >= 0)
		close(root);
	if (in && !f->code.modules)
		snprintf(f->code.why, sizeof(f->code.why), "the server has ended");
}
