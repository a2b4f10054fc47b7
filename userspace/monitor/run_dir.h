/* SPDX-License-Identifier: BSD-2-Clause */
/* run_dir.h - the monitor's directory below /run, for its control socket and what it keeps for the next monitor. */
#ifndef CACHEWARDEN_RUN_DIR_H
#define CACHEWARDEN_RUN_DIR_H

#define RUN_DIR "/run/cachewarden"

/*
 * Open the directory, made if it does not exist. Returns a descriptor or a negative errno: -EPERM if it does not belong to
 * root or others have any access, so that they could replace what is in it.
 */
int run_dir_open(void);

#endif
