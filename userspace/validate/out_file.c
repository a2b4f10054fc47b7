// SPDX-License-Identifier: BSD-2-Clause
/* out_file.c - see out_file.h. */
#include "validate/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What reads it never sees half of one. */
static int open_beside(struct out_file *o)
{
	int n = snprintf(o->beside, sizeof(o->beside), "%s.XXXXXX", o->path);
	int fd;

	if (n >= (int)sizeof(o->beside)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkstemp(o->beside);
	if (fd >= 0)
		fchmod(fd, 0644);
	return fd;
}

/* What lies behind a symbolic link is known only when it is open. */
static int open_directly(const char *path)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || (!fstat(fd, &st) && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

int out_file_open(struct out_file *o, const char *path, char *why, size_t size)
{
	struct stat st;
	bool exists = !lstat(path, &st);
	int fd, err;

	*o = (struct out_file){.path = path};
	fd = !exists || S_ISREG(st.st_mode) ? open_beside(o) : open_directly(path);
	o->stream = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (o->stream)
		return 0;
	err = fd >= 0 ? -ENOMEM : -errno;
	if (fd >= 0)
		close(fd);
	if (err == -EINVAL)
		snprintf(why, size, "%s: not a regular file, and no device or pipe to write to",
			 path);
	else
		snprintf(why, size, "%s: %s", path, strerror(-err));
	return err;
}

bool out_file_close(struct out_file *o)
{
	bool ok = !fflush(o->stream) && !ferror(o->stream);
	int err = errno;

	ok = !fclose(o->stream) && ok;
	if (o->beside[0] && ok) {
		ok = !rename(o->beside, o->path);
		err = errno;
	}
	if (o->beside[0] && !ok)
		unlink(o->beside);
	errno = err;
	return ok;
}
