// SPDX-License-Identifier: BSD-2-Clause
/* dpkg.c - see dpkg.h. */
#include "base/dpkg.h"

#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64u << 20) /* a status file of 100,000 packages */
#define SUFFIX ".list"

/* --- formats --- */

/* The next line; false: there is none. */
static bool next_line(const char **at, const char *end, const char **line, size_t *len)
{
	const char *eol;

	if (*at >= end)
		return false;
	eol = memchr(*at, '\n', (size_t)(end - *at)) ?: end;
	*line = *at;
	*len = (size_t)(eol - *at);
	*at = eol + 1;
	return true;
}

bool dpkg_list_has(const char *text, size_t len, const char *path)
{
	size_t n = strlen(path);
	const char *at = text, *end = text + len;

	while (n && (at = memmem(at, (size_t)(end - at), path, n))) {
		if ((at == text || at[-1] == '\n') && (at + n == end || at[n] == '\n'))
			return true;
		at++;
	}
	return false;
}

/* The value of "Name: value", if that is the line's; it must fit. */
static bool field(const char *line, size_t len, const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);

	if (len < n + 2 || memcmp(line, name, n) != 0 || line[n] != ':' || line[n + 1] != ' ' ||
	    len - n - 2 >= size || memchr(line, '\0', len))
		return false;
	memcpy(buf, line + n + 2, len - n - 2);
	buf[len - n - 2] = '\0';
	return true;
}

struct paragraph {
	struct dpkg_package p;
	char status[64];
};

static bool fits(const struct paragraph *g, const char *name, const char *architecture)
{
	return !strcmp(g->p.name, name) && g->p.version[0] &&
	       str_ends_with(g->status, " installed") &&
	       (!architecture[0] || !strcmp(g->p.architecture, architecture));
}

bool dpkg_status(const char *text, size_t len, const char *name, const char *architecture,
		 struct dpkg_package *ret)
{
	const char *at = text, *end = text + len, *line;
	struct paragraph g = {};
	bool more = true;
	size_t n = 0;

	while (more) {
		more = next_line(&at, end, &line, &n);
		if (more && n) {
			if (field(line, n, "Package", g.p.name, sizeof(g.p.name)) ||
			    field(line, n, "Version", g.p.version, sizeof(g.p.version)) ||
			    field(line, n, "Status", g.status, sizeof(g.status)))
				continue;
			field(line, n, "Architecture", g.p.architecture, sizeof(g.p.architecture));
			continue;
		}
		if (fits(&g, name, architecture)) {
			*ret = g.p;
			return true;
		}
		g = (struct paragraph){};
	}
	return false;
}

bool dpkg_md5sum(const char *text, size_t len, const char *path, char ret[DPKG_MD5_LEN])
{
	const char *at = text, *end = text + len, *line;
	size_t n, skip = DPKG_MD5_LEN - 1;

	path += *path == '/';
	while (next_line(&at, end, &line, &n)) {
		if (n != skip + 2 + strlen(path) || memcmp(line + skip, "  ", 2) != 0 ||
		    memcmp(line + skip + 2, path, n - skip - 2) != 0 ||
		    strspn(line, "0123456789abcdef") < skip)
			continue;
		memcpy(ret, line, skip);
		ret[skip] = '\0';
		return true;
	}
	return false;
}

/* --- the database --- */

/* A regular file, with a NUL behind it; to be freed. Returns 0 or a negative errno. */
static int slurp(int dir, const char *name, char **ret, size_t *ret_len)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW), err = 0;
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;
	char *text;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX) {
		close(fd);
		return -EFBIG;
	}
	text = malloc((size_t)st.st_size + 1);
	while (text && len < (size_t)st.st_size &&
	       (n = read(fd, text + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	err = !text ? -ENOMEM : n < 0 ? -errno : 0;
	close(fd);
	if (err) {
		free(text);
		return err;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}

/* Where /bin is a link to /usr/bin, packages still list /bin. NULL: there is no other name. */
static const char *other_name(const char *path)
{
	static const char *const merged[] = {"/bin/", "/sbin/", "/lib"};
	const char *rest = path + strlen("/usr");

	if (strncmp(path, "/usr/", 5) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(merged) / sizeof(merged[0]); i++) {
		if (!strncmp(rest, merged[i], strlen(merged[i])))
			return rest;
	}
	return NULL;
}

/* Name, or name:architecture, of the package that lists it, and under which name. Returns 0 or a negative errno. */
static int find_owner(int info, const char *path, char *owner, size_t size, const char **ret_listed)
{
	const char *other = other_name(path);
	int copy = dup(info), err = -ENOENT;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	size_t len = 0;
	char *text = NULL;

	if (!d) {
		if (copy >= 0)
			close(copy);
		return -ENOMEM;
	}
	while (err && (e = readdir(d))) {
		if (!str_ends_with(e->d_name, SUFFIX) || slurp(info, e->d_name, &text, &len) ||
		    !text)
			continue;
		*ret_listed = dpkg_list_has(text, len, path)		 ? path
			      : other && dpkg_list_has(text, len, other) ? other
									 : NULL;
		free(text);
		if (!*ret_listed || strlen(e->d_name) - strlen(SUFFIX) >= size)
			continue;
		snprintf(owner, size, "%.*s", (int)(strlen(e->d_name) - strlen(SUFFIX)), e->d_name);
		err = 0;
	}
	closedir(d);
	return err;
}

static void read_md5(int info, const char *owner, const char *listed, struct dpkg_package *ret)
{
	char name[160];
	size_t len = 0;
	char *text;

	ret->md5[0] = '\0';
	snprintf(name, sizeof(name), "%s.md5sums", owner);
	if (slurp(info, name, &text, &len))
		return;
	dpkg_md5sum(text, len, listed, ret->md5);
	free(text);
}

static int find_in(int top, int info, const char *path, struct dpkg_package *ret)
{
	char owner[128], name[128], *text;
	const char *listed = NULL, *colon;
	size_t len = 0;
	bool known;
	int err = find_owner(info, path, owner, sizeof(owner), &listed);

	err = err ?: slurp(top, "status", &text, &len);
	if (err)
		return err;
	colon = strchr(owner, ':'); /* where a package is installed for several architectures */
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(owner, ":"), owner);
	known = dpkg_status(text, len, name, colon ? colon + 1 : "", ret);
	free(text);
	if (!known)
		return -ENOENT;
	read_md5(info, owner, listed, ret);
	return 0;
}

int dpkg_find(const char *dir, const char *path, struct dpkg_package *ret)
{
	int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), info, err;

	*ret = (struct dpkg_package){};
	if (top < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	info = openat(top, "info", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (info < 0)
		err = errno == ENOENT ? -ENODATA : -errno;
	else
		err = find_in(top, info, path, ret);
	if (info >= 0)
		close(info);
	close(top);
	return err;
}
