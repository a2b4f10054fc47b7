/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option.h - the options of a server that its decoy gets, too: what matters for TLS and for what a monitor sees. This is a list of what is
 * taken, not of what is left: an option that is not in it, a secret or one of a later version, cannot reach a decoy or a report. Pure.
 */
#ifndef CACHEWARDEN_OPTION_H
#define CACHEWARDEN_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define OPTION_LEN 1024 /* bytes of a value; a list of all cipher suites takes some 900 */
#define OPTION_WHY 256

/* What a value may be made of. Nothing that a server says can begin a second line of a decoy's configuration. X(NAME, name, form) */
#define OPTIONS(X)                                                                                 \
	X(TLS_PROTOCOLS, "tls-protocols", OPTION_WORDS)                                            \
	X(TLS_CIPHERS, "tls-ciphers", OPTION_WORDS)                                                \
	X(TLS_CIPHERSUITES, "tls-ciphersuites", OPTION_WORDS)                                      \
	X(TLS_PREFER, "tls-prefer-server-ciphers", OPTION_WORD)                                    \
	X(TLS_AUTH_CLIENTS, "tls-auth-clients", OPTION_WORD)                                       \
	X(TLS_CACHING, "tls-session-caching", OPTION_WORD)                                         \
	X(TLS_CACHE_SIZE, "tls-session-cache-size", OPTION_NUMBERS)                                \
	X(TLS_CACHE_TIMEOUT, "tls-session-cache-timeout", OPTION_NUMBERS)                          \
	X(IO_THREADS, "io-threads", OPTION_NUMBERS)                                                \
	X(IO_THREADS_READ, "io-threads-do-reads", OPTION_WORD)                                     \
	X(DEBUG_COMMAND, "enable-debug-command", OPTION_WORD)                                      \
	X(PROTECTED_MODE, "protected-mode", OPTION_WORD)                                           \
	X(MAXMEMORY_POLICY, "maxmemory-policy", OPTION_WORD)                                       \
	X(ACTIVE_DEFRAG, "activedefrag", OPTION_WORD)                                              \
	X(JEMALLOC_THREAD, "jemalloc-bg-thread", OPTION_WORD)                                      \
	X(DISABLE_THP, "disable-thp", OPTION_WORD)                                                 \
	X(SET_TITLE, "set-proc-title", OPTION_WORD)                                                \
	X(CRASH_LOG, "crash-log-enabled", OPTION_WORD)                                             \
	X(APPENDONLY, "appendonly", OPTION_WORD)                                                   \
	X(APPENDFSYNC, "appendfsync", OPTION_WORD)                                                 \
	X(AOF_PREAMBLE, "aof-use-rdb-preamble", OPTION_WORD)                                       \
	X(SAVE, "save", OPTION_NUMBERS)                                                            \
	X(RDB_COMPRESSION, "rdbcompression", OPTION_WORD)                                          \
	X(RDB_CHECKSUM, "rdbchecksum", OPTION_WORD)                                                \
	X(RDB_DEL_SYNC, "rdb-del-sync-files", OPTION_WORD)

#define X(NAME, name, form) OPTION_##NAME,
enum option_id { OPTIONS(X) OPTION_MAX };
#undef X

enum option_state {
	OPTION_UNSET, /* the server does not say it, or does not know it */
	OPTION_TAKEN,
	OPTION_REFUSED, /* its value is not of the form that such an option has */
	OPTION_STATES,
};

struct options {
	bool wanted;	       /* there will be a decoy */
	char from[OPTION_WHY]; /* where they were read; empty: nowhere */
	char why[OPTION_WHY];  /* why there are none, or what may be missing */
	enum option_state state[OPTION_MAX];
	char value[OPTION_MAX][OPTION_LEN];
	bool used; /* the decoy was started with them */
};

/* As redis.conf writes it. */
const char *option_name(enum option_id id);

/* Keep a value of len bytes, if it is of the option's form. */
void option_set(struct options *o, enum option_id id, const char *value, size_t len);

/* Those of a configuration file's text, or of a command line (see server_config.h), in addition to what is there. Others are ignored. */
void option_read_config(struct options *o, const char *text, size_t len);
void option_read_args(struct options *o, const char *args, size_t len);

/* The lines of a configuration. */
void option_write(const struct options *o, FILE *out);

/* Why a decoy was started without them. */
const char *option_unused(const struct options *o);

#define OPTION_REFUSED_WHY "its value is not of the form that it has to be"

/* How many were taken. */
size_t option_count(const struct options *o);

/* What no decoy ever gets, by the reason for it. */
struct option_left {
	const char *names; /* "requirepass, masterauth" */
	const char *why;
};

extern const struct option_left option_left[];
extern const size_t option_left_count;

/* Make texts end, and states be what they can be, of what another process wrote. */
void option_bound(struct options *o);

#endif
