/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_kind.h - files whose opening breaks a rule (enum file_kind): those below /proc/PID, some of the host's, and a
 * server's own data, configuration, ACLs and keys. One row each. Pure.
 */
#ifndef CACHEWARDEN_FILE_KIND_H
#define CACHEWARDEN_FILE_KIND_H

#include "model/severity.h"

#include "event.h"

#include <stdbool.h>
#include <stddef.h>

struct file_kind_info {
	const char *name; /* below procfs or tracefs the file's own, else what it is */
	/* enum rule_id broken by opening it for reading and for writing; RULE_NONE: none */
	unsigned char read_rule, write_rule;
	enum severity severity;
	unsigned short exposed; /* enum finding_kind: the finding if others may read it; 0: none */
};

/* PROC_FILE_NONE + 1 to FILE_KIND_MAX - 1; NULL for any other number. */
const struct file_kind_info *file_kind_get(unsigned int kind);

/* Shorthand; NULL for a number that is no kind. */
const char *file_kind_name(unsigned int kind);

/* Bytes to classify a file by. Debian's redis.conf begins with pages of comments. */
#define FILE_KIND_HEAD 65536

/*
 * Which of a server's own files is this? Returns FILE_*, or PROC_FILE_NONE if it needs no protection. path is as
 * the server sees it, head the file's first len bytes; written: the server opened it for writing.
 */
unsigned int file_kind_classify(const char *path, bool written, const char *head, size_t len);

#endif
