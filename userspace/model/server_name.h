/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server_name.h - the file names of executables that are servers: a known name, or one followed by '-' and a version, such
 * as "redis-server-7.2". Pure.
 */
#ifndef CACHEWARDEN_SERVER_NAME_H
#define CACHEWARDEN_SERVER_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* NULL-terminated. */
extern const char *const server_names[];

/*
 * What file names begin with that mean the server `name`, a prefix for each i from 0 on: the whole name with its NUL, or
 * the name, '-' and a digit. Writes the prefix to buf and returns its length; 0 if there are no more, or it does not fit.
 */
size_t server_name_prefix(const char *name, unsigned int i, char *buf, size_t size);

/* Does a process title (argv[0]) begin with a known server's name? Redis appends its address: "redis-server *:6379". */
bool server_name_in_title(const char *title);

#endif
