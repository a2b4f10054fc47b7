/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * witness.h - a witness for the checkpoints of logs (C2SP tlog-witness): of each log it knows the last checkpoint that it
 * cosigned, and cosigns another one only if that is of a tree that goes on from there. It cannot be made to forget: the new
 * state is on the disk before the answer is given.
 *
 * DIRECTORY/identity.pem, vkey: its key; DIRECTORY/logs/NAME: the last cosigned checkpoint of a log; NAME.key: the key that
 * signed it, if the log's own key delegated; NAME.forked: it and another one of the same size, the first that was signed;
 * NAME.refused: the last one that was not shown to go on. DIRECTORY/seen/NAME: the witness has cosigned that log.
 */
#ifndef CACHEWARDEN_WITNESS_H
#define CACHEWARDEN_WITNESS_H

#include "base/http_server.h"
#include "evidence/note.h"

#define WITNESS_ERROR_LEN 512
#define WITNESS_LOGS_MAX 1024

struct witness;

/*
 * Take the directory, which is made if it does not exist, for this process. name is the key's if there is none yet. Returns 0, or
 * a negative errno with the reason in error.
 */
int witness_open(struct witness **ret, const char *dir, const char *name,
		 char error[WITNESS_ERROR_LEN]);
void witness_close(struct witness *w);

/*
 * Know the logs whose verification keys are in a file, one in a line, or in the files of a directory. Lines that begin with # are
 * comments. Returns 0, or a negative errno with the reason in error.
 */
int witness_know(struct witness *w, const char *path, char error[WITNESS_ERROR_LEN]);

size_t witness_logs(const struct witness *w);
void witness_vkey(const struct witness *w, char buf[NOTE_VKEY_LEN]);

/* The time that it states, seconds since the epoch; the wall clock if this is not called. */
void witness_set_clock(struct witness *w, uint64_t (*now)(void));

/* An http_answer_fn; ctx is the witness. */
void witness_answer(void *ctx, const struct http_request *r, const char *body,
		    struct http_reply *ret);

#endif
