/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.h - what the files of the suite `files` share: its servers, its monitor, and the tests outside files.c.
 */
#ifndef LIVE_FILES_H
#define LIVE_FILES_H

#include "harness.h"

#define SWEEPS_MS 2500 /* at least two sweeps */

extern struct server *files_server; /* started after the monitor */
extern const char *files_dump;	    /* its dump */
extern struct monitor *files_mon;

/* What opening the file came to. */
int files_open_errno(const struct trigger *t);

/* Runs a command on files_server, and waits while INFO persistence has that text. */
void files_run_in_background(const char *command, const char *running);

/* ---- descriptors without an open: files_fd.c ---- */

void files_held_before(const void *arg);
void files_held_in_ring_before(const void *arg);
void files_direct(const void *arg);
void files_stranger_direct(const void *arg);
void files_pipe_by_link(const void *arg);
void files_stranger_pipe(const void *arg);
void files_fanotify(const void *arg);

/* ---- at a server's start, and of the host: files_host.c ---- */

struct variable {
	const char *set, *rule, *detail;
	bool dies; /* Debian's redis-server does not start with it */
};

#define VARIABLE(...) &((const struct variable){__VA_ARGS__})

struct host_file {
	const char *path, *mode, *rule, *detail;
};

#define HOST_FILE(...) &((const struct host_file){__VA_ARGS__})

void files_variable(const void *arg);
void files_variable_of_stranger(const void *arg);
void files_host_file(const void *arg);
void files_mem_node(const void *arg);
void files_disk(const void *arg);
void files_other_disk(const void *arg);
void files_disk_tool(const void *arg);
void files_preload(const void *arg);
void files_dump_filter(const void *arg);

#endif
