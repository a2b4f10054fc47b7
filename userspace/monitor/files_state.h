/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_state.h - what a monitor learnt of its instances' files, kept for the next one: a server opens its key and its
 * configuration only when it starts.
 *
 * In the file "files" of run_dir_path(), a line for each: the server's process, the file's device and inode, its path.
 * It is replaced as a whole. Only root can write it, and a file is opened again and classified by its contents before it
 * is protected.
 */
#ifndef CACHEWARDEN_FILES_STATE_H
#define CACHEWARDEN_FILES_STATE_H

#include "monitor/files.h"

/* Write it if it changed since the last call. Returns 0 or a negative errno. */
int files_state_save(const struct files *f, const struct instances *is);

/*
 * Learn what the last monitor knew of servers that still run. Returns how many files, or a negative errno: -ENOENT if
 * there is no state, -EBADMSG if it is damaged at *ret_line, in which case none of it is used.
 */
int files_state_load(struct files *f, struct sensors *s, const struct instances *is,
		     unsigned int *ret_line);

#endif
