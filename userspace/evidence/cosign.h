/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cosign.h - cosignatures (C2SP tlog-cosignature, Ed25519): a witness states that at a time it saw no larger tree of a log than
 * the one of a checkpoint, and that every tree it saw before is a prefix of it. Pure: no I/O, time is passed in.
 */
#ifndef CACHEWARDEN_COSIGN_H
#define CACHEWARDEN_COSIGN_H

#include "evidence/note.h"

/* Writes the signature line of a checkpoint's cosignature. Returns its length or a negative errno. */
int cosign(const struct note *n, const struct note_key *k, uint64_t time_s, note_sign_fn sign,
	   void *ctx, char buf[NOTE_LINE_LEN]);

/* Is it cosigned by that key? ret_time_s: when. */
bool cosign_verify(const struct note *n, const struct note_key *k, uint64_t *ret_time_s);

#endif
