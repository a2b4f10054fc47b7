/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_dir.h - the monitor's directory for its control socket and what it keeps for the next monitor: what systemd's
 * RuntimeDirectory= names in the environment, else /run/cachewarden.
 */
#ifndef CACHEWARDEN_RUN_DIR_H
#define CACHEWARDEN_RUN_DIR_H

const char *run_dir_path(void);

/*
 * Open the directory, made if it does not exist. Returns a descriptor or a negative errno: -EPERM if it does not belong to
 * root or others have any access, so that they could replace what is in it; -ENAMETOOLONG if no socket fits in it.
 */
int run_dir_open(void);

#endif
