/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wal.h - the write-ahead log: an entry is on the disk here before anything is said of it elsewhere. Segment n has the
 * entries from n * WAL_SEGMENT on as records of frame.h; it goes when tiles have all of them.
 */
#ifndef CACHEWARDEN_WAL_H
#define CACHEWARDEN_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAL_SEGMENT 1024 /* entries; a segment of the largest is read as a whole: 32 MiB */
#define WAL_PATH_LEN 32

struct wal {
	int dir, fd;
	uint64_t segment;
	uint64_t size; /* bytes of it that are on the disk and good */
};

/* Open for appending behind that many bytes of a segment; what follows them there is cut off. Returns 0 or a negative errno. */
int wal_open(struct wal *w, int dir, uint64_t segment, uint64_t size);
void wal_close(struct wal *w);

/* Append records of one segment, and wait for the disk. If that fails, with a negative errno, none of them counts. */
int wal_append(struct wal *w, uint64_t segment, const void *records, size_t len);

/* Remove the segments from the first on, below that one. Returns the first that is left. */
uint64_t wal_remove(int dir, uint64_t first, uint64_t below);

/* Is what is written found under the segment's name? If not, it is gone once the file is closed. */
bool wal_in_place(const struct wal *w);

void wal_path(uint64_t segment, char buf[WAL_PATH_LEN]);

#endif
