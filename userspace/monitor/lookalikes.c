// SPDX-License-Identifier: BSD-2-Clause
/* lookalikes.c - see lookalikes.h. */
#include "monitor/lookalikes.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/proc.h"
#include "sensor/sensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUCKETS 1024
#define CHUNK (256 << 10)
#define FILE_LEN_MAX (256 << 20) /* of an executable that is read */

/* The format of a line of INFO, in two parts so that this program does not contain it as a whole. */
static const char info_key[] = "redis_version:", info_value[] = "%s\r\n";

#define TEXT_LEN (sizeof(info_key) + sizeof(info_value) - 2)

struct file {
	struct hash_link link;
	dev_t dev;
	ino_t ino;
	struct timespec changed;
	bool server; /* has the text in it */
	bool reported;
};

int lookalikes_init(struct lookalikes *l)
{
	return hashtable_init(&l->files, BUCKETS);
}

void lookalikes_free(struct lookalikes *l)
{
	struct hash_link *link = hashtable_walk(&l->files, NULL), *next;

	for (; link; link = next) {
		next = hashtable_walk(&l->files, link);
		free(container_of(link, struct file, link));
	}
	hashtable_free(&l->files);
}

static bool has_text(const char *buf, size_t len)
{
	const char *at = buf, *end = buf + len;

	while ((at = memmem(at, (size_t)(end - at), info_key, sizeof(info_key) - 1))) {
		at += sizeof(info_key) - 1;
		if ((size_t)(end - at) >= sizeof(info_value) - 1 &&
		    !memcmp(at, info_value, sizeof(info_value) - 1))
			return true;
	}
	return false;
}

/* Read a file in pieces that overlap by the text's length. */
static bool file_has_text(const char *path, off_t size)
{
	static char buf[CHUNK + TEXT_LEN];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool found = false;
	ssize_t n = 0;

	for (off_t at = 0; fd >= 0 && !found && at < size && at < FILE_LEN_MAX; at += CHUNK) {
		n = pread(fd, buf, sizeof(buf), at);
		if (n <= 0)
			break;
		found = has_text(buf, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
	return found;
}

/* The executable of a process, examined on first use. NULL if it has none. */
static struct file *file_of(struct lookalikes *l, pid_t pid)
{
	char path[32];
	struct hash_link *link;
	struct stat st;
	struct file *f;
	uint64_t hash;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (stat(path, &st))
		return NULL;
	hash = hash_bytes(HASH_INIT, &st.st_ino, sizeof(st.st_ino));
	for (link = hashtable_first(&l->files, hash); link; link = hashtable_next(link)) {
		f = container_of(link, struct file, link);
		if (f->dev == st.st_dev && f->ino == st.st_ino &&
		    f->changed.tv_sec == st.st_ctim.tv_sec &&
		    f->changed.tv_nsec == st.st_ctim.tv_nsec)
			return f;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->changed = st.st_ctim;
	f->server = file_has_text(path, st.st_size);
	hashtable_add(&l->files, &f->link, hash);
	return f;
}

static struct file *lookalike(struct lookalikes *l, pid_t pid)
{
	struct file *f = pid == getpid() ? NULL : file_of(l, pid);

	return f && f->server && proc_listens(pid) ? f : NULL;
}

struct search {
	struct lookalikes *l;
	struct sensors *sensors;
};

static void adopt(void *ctx, pid_t pid)
{
	const struct search *s = ctx;

	if (lookalike(s->l, pid))
		sensors_add_candidate(s->sensors, pid);
}

void lookalikes_adopt(struct lookalikes *l, struct sensors *sensors)
{
	proc_each(adopt, &(struct search){l, sensors});
}

static void find_unwatched(void *ctx, pid_t pid)
{
	const struct search *s = ctx;
	char path[32], exe[512];
	const char *slash;
	struct file *f;
	ssize_t n;

	if (sensors_has_member(s->sensors, pid))
		return;
	f = lookalike(s->l, pid);
	if (!f || f->reported)
		return;
	f->reported = true;
	s->l->unwatched++;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	log_warn(
		"pid %d, %s, looks like a Redis server and is not watched: restart the monitor to watch "
		"it, with --exe %s to watch those started later as well",
		(int)pid, exe, slash ? slash + 1 : exe);
}

uint64_t lookalikes_unwatched(struct lookalikes *l, struct sensors *sensors)
{
	proc_each(find_unwatched, &(struct search){l, sensors});
	return l->unwatched;
}
