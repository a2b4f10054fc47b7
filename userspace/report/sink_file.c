// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_file.c - JSON lines appended to a file. It is opened again when its path names another file: log rotation renames
 * it. Room for a line is reserved before it is written, so that no reader meets half a line on a full disk. Where the file
 * system cannot do that, a part is cut off again; where that fails, it is said, and the next line begins on its own.
 *
 * Only one process writes: the file is locked.
 */
#include "report/transport.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	char *path;
	int fd;	   /* -1: not open */
	bool torn; /* it ends with a part of a line */
};

static bool fail(char error[TRANSPORT_ERROR_LEN], const struct file *f, const char *why)
{
	snprintf(error, TRANSPORT_ERROR_LEN, "%s: %s", f->path, why);
	return false;
}

/* What anybody else may write is no place for alerts. Returns the reason, NULL: it is fine. */
static const char *refuse(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_uid != geteuid())
		return "belongs to another user";
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others than its owner";
	return NULL;
}

static int open_file(const struct file *f, char error[TRANSPORT_ERROR_LEN])
{
	int fd = open(f->path,
		      O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		      0600);
	const char *why = fd < 0 ? strerror(errno) : refuse(fd);

	if (!why)
		return fd;
	fail(error, f, errno == ELOOP && fd < 0 ? "is a symbolic link" : why);
	if (fd >= 0)
		close(fd);
	return -1;
}

static void file_free(void *state)
{
	struct file *f = state;

	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f);
}

static bool file_open(const struct policy_sink *config, const struct policy_target *target,
		      void **ret_state, char error[TRANSPORT_ERROR_LEN])
{
	struct file *f = malloc(sizeof(*f));
	int fd;

	if (f)
		*f = (struct file){strdup(target->rest), -1, false};
	if (!f || !f->path) {
		free(f);
		snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(ENOMEM));
		return false;
	}
	fd = open_file(f, error); /* the process opens it for itself: this is to know at once */
	if (fd < 0) {
		file_free(f);
		return false;
	}
	close(fd);
	*ret_state = f;
	return true;
}

/* Does the path still name the file that is open? */
static bool is_current(const struct file *f)
{
	struct stat open, named;

	return f->fd >= 0 && !fstat(f->fd, &open) && !lstat(f->path, &named) &&
	       open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

static bool ends_in_line(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last = '\n';

	return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

static bool reopen(struct file *f, char error[TRANSPORT_ERROR_LEN])
{
	if (is_current(f))
		return true;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = open_file(f, error);
	if (f->fd < 0)
		return false;
	if (flock(f->fd, LOCK_EX | LOCK_NB)) {
		close(f->fd);
		f->fd = -1;
		return fail(error, f, "in use by another process");
	}
	f->torn = ends_in_line(f->fd);
	if (f->torn)
		log_warn("%s ends with a part of a line, from a crash or a full disk", f->path);
	return true;
}

/* Returns 0, or a negative errno with nothing written, or, if that cannot be helped, with f->torn set. */
static int append(struct file *f, const char *text, size_t len)
{
	off_t before = lseek(f->fd, 0, SEEK_END);
	ssize_t n;
	int err;

	if (fallocate(f->fd, FALLOC_FL_KEEP_SIZE, before, (off_t)len) && errno != EOPNOTSUPP &&
	    errno != ENOSYS)
		return -errno;
	n = write(f->fd, text, len);
	err = n < 0 ? -errno : -ENOSPC; /* a short write has no errno of its own */
	if (n == (ssize_t)len)
		return 0;
	if (n > 0 && ftruncate(f->fd, before)) {
		f->torn = true;
		log_error("%s: %zd of %zu bytes of a line were written and cannot be removed: %s",
			  f->path, n, len, strerror(errno));
	}
	return err;
}

static enum sent file_send(void *state, const char *json, size_t len,
			   char error[TRANSPORT_ERROR_LEN])
{
	struct file *f = state;
	int err;

	if (!reopen(f, error))
		return SENT_LATER;
	err = f->torn ? append(f, "\n", 1) : 0;
	if (!err) {
		f->torn = false;
		err = append(f, json, len);
	}
	if (!err)
		return SENT;
	fail(error, f, strerror(-err));
	return SENT_LATER;
}

const struct transport transport_file = {
	.keeps_user = true,
	.open = file_open,
	.free = file_free,
	.send = file_send,
};
