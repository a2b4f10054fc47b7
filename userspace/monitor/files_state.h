/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_state.h - what a monitor learnt of its instances, kept for the next one: a server opens its key and its
 * configuration only when it starts, and two servers in one place are told apart by a number.
 *
 * In the file "files" of run_dir_path(), a line for each number: "server", the server's process, its number. And a line
 * for each file: the server's process, the file's device and inode, its path. It is replaced as a whole. Only root can
 * write it, and a file is opened again and classified by its contents before it is protected.
 */
#ifndef CACHEWARDEN_FILES_STATE_H
#define CACHEWARDEN_FILES_STATE_H

#include "monitor/files.h"

/* Write it if it changed since the last call, or always: another one may have written it. Returns 0 or a negative errno. */
int files_state_save(const struct files *f, const struct instances *is, bool always);

/* What the last monitor knew. NULL if there is nothing. */
struct files_state;

/*
 * Returns 0 or a negative errno: -ENOENT if there is no state, -EBADMSG if it is damaged at *ret_line, in which case none of
 * it is used.
 */
int files_state_load(struct files_state **ret, unsigned int *ret_line);

/* Give servers that still run the numbers that they had. */
void files_state_number(const struct files_state *st, struct instances *is);

/* Learn the files of servers that still run. Returns how many. */
int files_state_learn(const struct files_state *st, struct files *f, struct sensors *s,
		      const struct instances *is);

void files_state_free(struct files_state *st);

#endif
