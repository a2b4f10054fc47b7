// SPDX-License-Identifier: BSD-2-Clause
/* archive.c - see archive.h. */
#include "attest/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define BLOCK 512
#define LEVEL 9

struct header { /* of POSIX ustar */
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100],
		magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

int archive_add(struct archive *a, const char *name, char *data, size_t len)
{
	if (!data)
		return -ENOMEM;
	if (a->count == ARCHIVE_FILES_MAX) {
		free(data);
		return -E2BIG;
	}
	snprintf(a->file[a->count].name, ARCHIVE_NAME_LEN, "%s", name);
	a->file[a->count].data = data;
	a->file[a->count].len = len;
	a->count++;
	return 0;
}

void archive_free(struct archive *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->file[i].data);
	a->count = 0;
}

static void octal(char *field, size_t size, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%0*" PRIo64, (int)size - 1, value);
	memcpy(field, text, size);
}

static void fill_header(struct header *h, const struct archive *a, size_t i)
{
	unsigned int sum = 0;

	memset(h, 0, sizeof(*h));
	snprintf(h->name, sizeof(h->name), "%s/%s", a->dir, a->file[i].name);
	octal(h->mode, sizeof(h->mode), a->file[i].executable ? 0755 : 0644);
	octal(h->uid, sizeof(h->uid), 0);
	octal(h->gid, sizeof(h->gid), 0);
	octal(h->size, sizeof(h->size), a->file[i].len);
	octal(h->mtime, sizeof(h->mtime), a->time > 0 ? (uint64_t)a->time : 0);
	h->type = '0';
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->sum, ' ', sizeof(h->sum));
	for (size_t k = 0; k < sizeof(*h); k++)
		sum += ((const unsigned char *)h)[k];
	octal(h->sum, sizeof(h->sum) - 1, sum); /* and a space */
}

/* The archive, uncompressed; to be freed. */
static char *tar(const struct archive *a, size_t *ret_len)
{
	size_t len = 2 * (size_t)BLOCK; /* of zeros at the end */
	char *bytes, *at;

	for (size_t i = 0; i < a->count; i++)
		len += BLOCK + (a->file[i].len + BLOCK - 1) / BLOCK * BLOCK;
	bytes = at = calloc(1, len);
	if (!bytes)
		return NULL;
	for (size_t i = 0; i < a->count; i++) {
		fill_header((struct header *)at, a, i);
		at += BLOCK;
		memcpy(at, a->file[i].data, a->file[i].len);
		at += (a->file[i].len + BLOCK - 1) / BLOCK * BLOCK;
	}
	*ret_len = len;
	return bytes;
}

/* With a checksum, so that a damaged archive is not unpacked. */
static char *compress(const char *bytes, size_t len, size_t *ret_len)
{
	size_t room = ZSTD_compressBound(len), n;
	char *out = malloc(room);
	ZSTD_CCtx *z = ZSTD_createCCtx();

	if (!out || !z) {
		free(out);
		ZSTD_freeCCtx(z);
		return NULL;
	}
	ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(z, out, room, bytes, len);
	ZSTD_freeCCtx(z);
	if (ZSTD_isError(n)) {
		free(out);
		return NULL;
	}
	*ret_len = n;
	return out;
}

static int write_new(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), err = 0;

	if (fd < 0)
		return -errno;
	while (len && !err) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (err)
		unlink(path);
	return err;
}

int archive_write(const struct archive *a, const char *path)
{
	size_t len = 0, n = 0;
	char *bytes = tar(a, &len), *out = bytes ? compress(bytes, len, &n) : NULL;
	int err = out ? write_new(path, out, n) : -ENOMEM;

	free(out);
	free(bytes);
	return err;
}
