// SPDX-License-Identifier: BSD-2-Clause
/* actor_file.c - see actor_file.h. */
#include "monitor/actor_file.h"

#include "base/clock.h"
#include "base/file_stat.h"
#include "base/procdir.h"
#include "evidence/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MINOR_BITS 20	       /* of a device number within the kernel */
#define FILE_MOST (1ull << 30) /* a larger one has no digest: reading it takes too long */

/* --- digests --- */

struct digests {
	char sha256[DIGEST_LEN], md5[DPKG_MD5_LEN];
};

static void to_hex(const unsigned char *sum, unsigned int len, char *buf)
{
	for (unsigned int i = 0; i < len; i++)
		snprintf(buf + 2 * (size_t)i, 3, "%02x", sum[i]);
}

static bool finish(EVP_MD_CTX *md, char *buf, unsigned int want)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!EVP_DigestFinal_ex(md, sum, &len) || len != want)
		return false;
	to_hex(sum, len, buf);
	return true;
}

/* MD5 is what packages say of their files; where OpenSSL has none, it stays unknown. */
static int read_digests(int fd, struct digests *ret)
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new(), *md5 = EVP_MD_CTX_new();
	bool has_md5 = md5 && EVP_DigestInit_ex(md5, EVP_md5(), NULL);
	int err = sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) ? 0 : -ENOMEM;
	uint64_t total = 0;
	char buf[65536];
	ssize_t n = 1;

	while (!err && (n = pread(fd, buf, sizeof(buf), (off_t)total)) > 0) {
		EVP_DigestUpdate(sha, buf, (size_t)n);
		if (has_md5)
			EVP_DigestUpdate(md5, buf, (size_t)n);
		total += (uint64_t)n;
		if (total > FILE_MOST)
			err = -EFBIG;
	}
	if (n < 0)
		err = -errno;
	if (!err && !finish(sha, ret->sha256, (DIGEST_LEN - 1) / 2))
		err = -EIO;
	if (!err && has_md5)
		finish(md5, ret->md5, (DPKG_MD5_LEN - 1) / 2);
	EVP_MD_CTX_free(sha);
	EVP_MD_CTX_free(md5);
	return err;
}

/* --- package --- */

void known_packages_free(struct known_packages *k)
{
	for (size_t i = 0; i < PACKAGES_MAX; i++)
		free(k->all[i].path);
}

static const struct known_package *find_package(struct known_packages *k, const char *dpkg,
						const char *path, const struct stat *st)
{
	struct known_package *p;

	for (size_t i = 0; i < PACKAGES_MAX; i++) {
		p = &k->all[i];
		if (p->path && !strcmp(p->path, path) && file_stat_same(&p->st, st) &&
		    file_stat_unchanged(&p->st, st))
			return p;
	}
	p = &k->all[k->next];
	k->next = (k->next + 1) % PACKAGES_MAX;
	free(p->path);
	*p = (struct known_package){.st = *st, .path = strdup(path)};
	p->err = p->path ? dpkg_find(dpkg, path, &p->package) : -ENOMEM;
	return p;
}

static const char *why_no_package(int err)
{
	return err == -ENOENT	 ? "no package of dpkg's has a file of this name"
	       : err == -ENODATA ? "this host has no dpkg database, and rpm's is not read"
				 : strerror(-err);
}

/* dpkg knows files of this host by name: is it that one? */
static void put_package(struct jsonw *j, const struct actor_file *f, const char *dpkg,
			struct known_packages *known, const struct stat *st,
			const struct digests *digests)
{
	const struct known_package *k;
	struct stat here;

	if (!st->st_nlink || f->path[0] != '/' || stat(f->path, &here) ||
	    !file_stat_same(&here, st)) {
		jsonw_null(j, "package");
		jsonw_string(j, "package_unknown",
			     "the monitor finds no such file of this host by that name");
		return;
	}
	k = find_package(known, dpkg, f->path, st);
	if (k->err) {
		jsonw_null(j, "package");
		jsonw_string(j, "package_unknown", why_no_package(k->err));
		return;
	}
	jsonw_object(j, "package");
	jsonw_string(j, "name", k->package.name);
	jsonw_string(j, "version", k->package.version);
	jsonw_string(j, "architecture", k->package.architecture);
	jsonw_string(j, "contents",
		     !k->package.md5[0] || !digests->md5[0]  ? "unknown"
		     : !strcmp(k->package.md5, digests->md5) ? "as delivered"
							     : "changed");
	jsonw_end_object(j);
}

/* --- a copy --- */

static const char *why_not_kept(int err)
{
	return err == -EFBIG ? "there is no room left for it (evidence.keep-executables)"
			     : strerror(-err);
}

static uint64_t room(const struct keeping *k)
{
	return k->most > k->used ? k->most - k->used : 0;
}

/* Where there is no room, retention may have made some since it was last looked at. */
static int keep(struct keeping *k, int fd, const struct stat *st, char sha256[DIGEST_LEN])
{
	int err;

	if ((uint64_t)st->st_size > room(k))
		k->used = blobs_size(k->log);
	if ((uint64_t)st->st_size > room(k))
		return -EFBIG;
	err = blob_keep(k->log, fd, room(k), k->abandoned, sha256, &k->added);
	k->used += k->added;
	return err;
}

/* Only what is in no directory any more: the rest can be copied from where it is. */
static void put_blob(struct jsonw *j, struct keeping *k, int fd, const struct stat *st)
{
	char sha256[DIGEST_LEN] = "";
	int err = 0;

	if (st->st_nlink)
		return;
	if (!k->why_not)
		err = keep(k, fd, st, sha256);
	jsonw_text(j, "blob", sha256);
	if (!sha256[0])
		jsonw_string(j, "blob_missing", k->why_not ?: why_not_kept(err));
}

/* --- the file --- */

static void put_times(struct jsonw *j, const struct stat *st)
{
	jsonw_int(j, "modified",
		  (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / (long)NS_PER_MS);
	jsonw_int(j, "changed",
		  (int64_t)st->st_ctim.tv_sec * 1000 + st->st_ctim.tv_nsec / (long)NS_PER_MS);
}

/* Of the file that the kernel reported. */
static dev_t device_of(const struct actor_file *f)
{
	return makedev(f->dev >> MINOR_BITS, f->dev & ((1u << MINOR_BITS) - 1));
}

static void put_stat(struct jsonw *j, const struct actor_file *f, const struct stat *st)
{
	bool memfd = !strncmp(f->link, "/memfd:", strlen("/memfd:"));

	jsonw_string(j, "kind", memfd ? "memfd" : st->st_nlink ? "file" : "deleted");
	/* The process may have executed something else since. Some file systems show stat() another device. */
	if (st->st_ino == f->ino && st->st_dev != device_of(f))
		jsonw_null(j, "as_at_the_deed");
	else
		jsonw_bool(j, "as_at_the_deed", st->st_ino == f->ino);
	jsonw_int(j, "bytes", st->st_size);
	jsonw_int(j, "inode", (int64_t)st->st_ino);
	jsonw_int(j, "uid", st->st_uid);
	jsonw_int(j, "gid", st->st_gid);
	jsonw_int(j, "mode", st->st_mode & 07777);
	put_times(j, st);
}

/* The process is gone: is the file still there by its name and number? Where stat() has other numbers than the kernel it is not found. */
static int open_by_name(const struct actor_file *f)
{
	int pinned = f->path[0] == '/' ? open(f->path, O_PATH | O_CLOEXEC) : -1, fd = -ESRCH;
	struct stat st;

	if (pinned < 0)
		return -ESRCH;
	if (f->ino && !fstat(pinned, &st) && st.st_ino == f->ino && st.st_dev == device_of(f))
		fd = procdir_open_pinned(pinned);
	close(pinned);
	return fd;
}

static void put_file(struct jsonw *j, const struct actor_file *f, int fd, const char *dpkg,
		     struct known_packages *known, struct keeping *keeping)
{
	struct digests digests = {};
	struct stat st;
	int err = fstat(fd, &st) ? -errno : !S_ISREG(st.st_mode) ? -EINVAL : 0;

	if (err) {
		jsonw_string(j, "unread", strerror(-err));
		return;
	}
	put_stat(j, f, &st);
	err = read_digests(fd, &digests);
	jsonw_text(j, "sha256", digests.sha256);
	if (err)
		jsonw_string(j, "unread", strerror(-err));
	put_package(j, f, dpkg, known, &st, &digests);
	put_blob(j, keeping, fd, &st);
}

void actor_file_json(struct jsonw *j, const struct actor_file *f, const char *dpkg,
		     struct known_packages *known, struct keeping *keeping)
{
	int fd = f->pinned < 0 ? open_by_name(f) : procdir_open_pinned(f->pinned);

	jsonw_object(j, "file");
	if (fd >= 0) {
		jsonw_string(j, "found_by", f->pinned < 0 ? "name" : "process");
		put_file(j, f, fd, dpkg, known, keeping);
	} else {
		jsonw_string(
			j, "unread",
			fd == -ESRCH
				? "the process had ended, and by its name the monitor does not find that file: it "
				  "was removed or replaced, or is where the monitor cannot look, in another "
				  "mount namespace or, by its unit (ProtectHome=), below /home"
				: strerror(-fd));
	}
	jsonw_end_object(j);
	if (fd >= 0)
		close(fd);
}
