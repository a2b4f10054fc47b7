/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.h - the table of files that instances keep on disk: classifies each file, registers it with the BPF programs,
 * and follows it until it is deleted.
 *
 * To classify a file its first FILE_KIND_HEAD bytes are read; they are neither stored nor reported. Files that servers
 * execute are compared as a whole, see code.h.
 */
#ifndef CACHEWARDEN_FILES_H
#define CACHEWARDEN_FILES_H

#include "model/discovery.h"
#include "model/instance.h"
#include "sensor/sensors.h"

struct files;

/*
 * report is called with an attempt for what is wrong with a file: others can read it; it is code that was changed or
 * replaced, or that users other than root can change; /etc/ld.so.preload names a library. Returns NULL when out of memory.
 */
struct files *files_new(struct sensors *s, void (*report)(void *ctx, const struct event *ev),
			void *ctx);
void files_free(struct files *f); /* NULL is fine */

/* An instance opened a file, or files_search() found one (EVENT_FILE). */
void files_opened(struct files *f, const struct instance *in, const struct event *ev);

/*
 * Have the servers of that one's user more than a quarter of all files that the BPF programs can protect, and is there
 * little room left? Never those of root.
 */
bool files_hoarded(const struct files *f, const struct instance *in);

/* Check what a new instance was started with: /etc/ld.so.preload. */
void files_started(struct files *f, const struct instance *in);

/* Drop a file of an instance that had no right to it; other instances keep it. inode: lower half of its number. */
void files_disown(struct files *f, const struct instances *is, const struct instance *in,
		  uint32_t inode);

/* Drop the files of an ended instance. Files that a running one uses as well stay protected. */
void files_ended(struct files *f, const struct instances *is, const struct instance *in);

/*
 * Drop deleted files, follow renamed ones, and classify those that were empty before. Called periodically. The files of a
 * user who has used up his share of time wait for the next call.
 */
void files_refresh(struct files *f, const struct instances *is, struct discovery *d);

/*
 * Count a file that should be protected and is not, or a configuration that was not read in full. The first one of a run
 * is logged with what to do. Nothing is done if the instance has ended.
 */
void files_unprotected(struct files *f, const struct instance *in, const char *path, int err);
void files_config_unread(struct files *f, const struct instance *in, const char *path,
			 const char *why);

/* What these two have counted; disks: devices below servers' files that are not known. */
struct files_gaps {
	uint64_t unprotected, configs_unread, disks;
};
struct files_gaps files_gaps(const struct files *f);

/*
 * Call fn with the path of each file of that kind (FILE_*), until it returns true. Returns whether it did; with fn NULL,
 * whether there is such a file.
 */
bool files_any(const struct files *f, uint32_t instance, unsigned int kind,
	       bool (*fn)(void *ctx, const char *path), void *ctx);

/* The number of files protected for an instance, without its code. */
size_t files_count(const struct files *f, uint32_t instance);

/* The kinds that every server has one of, mostly: where none is known, access to it goes unseen. */
#define FILES_EXPECTED 4
extern const unsigned int files_expected[FILES_EXPECTED];

/* Log how many that are, and of which of those kinds none is known. */
void files_log(const struct files *f, const struct instance *in);

struct file; /* file_probe.h */
void files_each(const struct files *f, void (*fn)(void *ctx, const struct file *file), void *ctx);

#endif
