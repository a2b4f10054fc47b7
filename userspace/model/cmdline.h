/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmdline.h - redacts a command line so that it may be stored and shown: it still says which program was run and how, but
 * has no argument that could be a secret.
 */
#ifndef CACHEWARDEN_CMDLINE_H
#define CACHEWARDEN_CMDLINE_H

#include <stddef.h>
#include <stdint.h>

#define CMDLINE_LEN 248 /* as event_args.text */

/*
 * Write the arguments in args (len bytes, each NUL-terminated, as in /proc/PID/cmdline) to buf as one line. total: how many
 * bytes there were; if more than len, the line ends with "...". Kept are the program, the names of options ("-p",
 * "--batch"), paths of files, and the pid `target`. Every other argument, and what follows the first letter of a short
 * option or the "=" of a long one, becomes "*". args and buf may be the same.
 */
void cmdline_redact(const char *args, size_t len, size_t total, uint32_t target, char *buf,
		    size_t size);

#endif
