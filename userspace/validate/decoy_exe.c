// SPDX-License-Identifier: BSD-2-Clause
/* decoy_exe.c - see decoy_exe.h. */
#include "validate/decoy_exe.h"

#include "base/macros.h"
#include "base/proc.h"
#include "validate/look.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UIDS_TRIED 64

/* --- its user --- */

/*
 * Whoever has the user of a decoy could take it over: a hostile server, too, which then ran outside of its container or unit. So it
 * gets one from those that systemd gives away for a time (DynamicUser=), which no process and no name has now.
 */
#define UID_FIRST 61184
#define UID_LAST 65519

struct uid_search {
	uid_t uid;
	bool taken;
};

static void take_uid(void *ctx, pid_t pid)
{
	struct uid_search *s = ctx;
	struct process_status st;

	if (look_status(pid, &st))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(st.uid); i++)
		s->taken = s->taken || st.uid[i] == s->uid;
}

static uid_t free_uid(void)
{
	const unsigned int count = UID_LAST - UID_FIRST + 1;
	unsigned int begin = 0;

	RAND_bytes((unsigned char *)&begin, sizeof(begin));
	for (unsigned int i = 0; i < UIDS_TRIED; i++) {
		struct uid_search s = {.uid = UID_FIRST + (begin + i) % count};

		s.taken = getpwuid(s.uid);
		if (!s.taken)
			proc_each(take_uid, &s);
		if (!s.taken)
			return s.uid;
	}
	return 0;
}

/* --- its file --- */

static bool is_same(const char *path, const struct stat *of)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == of->st_dev && st.st_ino == of->st_ino;
}

/* Nobody but root could have put it there. */
static bool is_roots(const struct stat *exe)
{
	return !exe->st_uid && !(exe->st_mode & (S_IWGRP | S_IWOTH));
}

/* What a container brings along is not run outside of it, where it could do more. */
static bool is_contained(pid_t pid, bool mounts_too)
{
	static const char *const spaces[] = {"pid", "user", "net", "mnt"};
	char own[64], its[64];
	struct stat st;

	for (size_t i = 0; i < (mounts_too ? ARRAY_SIZE(spaces) : 2); i++) {
		snprintf(own, sizeof(own), "/proc/self/ns/%s", spaces[i]);
		snprintf(its, sizeof(its), "/proc/%d/ns/%s", (int)pid, spaces[i]);
		if (stat(its, &st) || !is_same(own, &st))
			return true;
	}
	return false;
}

/*
 * Whom to run it as. An executable of somebody's who is not root is run as the server is, which he could do himself, and only
 * where the server is.
 */
static bool choose_user(struct decoy *d, pid_t like, const struct decoy_user *u,
			const struct stat *exe, char *why, size_t size)
{
	d->gid = u->gid ?: NOBODY;
	d->uid = is_roots(exe) ? free_uid() : u->uid;
	if (is_roots(exe) && !d->uid)
		snprintf(why, size, "no user for a decoy: %d to %d have processes or names",
			 UID_FIRST, UID_LAST);
	else if (!d->uid)
		snprintf(why, size,
			 "the server runs as root, but its executable is not root's alone");
	else if (is_contained(like, !is_roots(exe)))
		snprintf(
			why, size,
			"the server runs in a container: its executable is not run outside of that");
	else
		return true;
	return false;
}

/* The name that it is called by if that is another name of it here: /usr/bin/redis-server is a link on Debian. */
static void choose_name(struct decoy_exe *e, const char *name, const struct stat *st)
{
	size_t len = strcspn(name, ":"), dir = (size_t)(strrchr(e->path, '/') - e->path) + 1;
	char called[PATH_MAX];

	snprintf(e->name, sizeof(e->name), "%.63s", e->path + dir);
	if (!len || len >= sizeof(e->name) || memchr(name, '/', len) || dir + len >= PATH_MAX)
		return;
	snprintf(called, sizeof(called), "%.*s%.*s", (int)dir, e->path, (int)len, name);
	if (is_same(called, st))
		snprintf(e->name, sizeof(e->name), "%.*s", (int)len, name);
}

static bool hold(struct decoy_exe *e, pid_t like, struct stat *ret_st, char *why, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)like);
	e->fd = open(link, O_PATH | O_CLOEXEC);
	n = readlink(link, e->path, PATH_MAX - 1);
	if (e->fd < 0 || n <= 0 || e->path[0] != '/' || fstat(e->fd, ret_st)) {
		snprintf(why, size, "the server's executable is not known: %s", look_text(errno));
		return false;
	}
	e->path[n] = '\0';
	if (is_same(e->path, ret_st))
		return true;
	snprintf(
		why, size,
		"the server's executable is in a container, or was replaced: it is not at %.160s here",
		e->path);
	return false;
}

bool decoy_exe_open(struct decoy_exe *e, struct decoy *d, const struct decoy_like *like, char *why,
		    size_t size)
{
	struct stat st;

	*e = (struct decoy_exe){.fd = -1};
	if (!hold(e, like->pid, &st, why, size) ||
	    !choose_user(d, like->pid, &like->user, &st, why, size))
		return false;
	choose_name(e, like->name, &st);
	return true;
}

void decoy_exe_close(struct decoy_exe *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}
