/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * envelope.h - one Ed25519 key in the formats of four tools: OpenSSL, signify, minisign, and ssh-keygen. Pure: no I/O.
 *
 * OpenSSL and signify verify a note's own signature. minisign wants a second one, over the first and a comment; ssh-keygen signs
 * other bytes. Both are made when a checkpoint is signed, and are signature lines of its note: of types that nobody else knows
 * and every reader of notes ignores.
 */
#ifndef CACHEWARDEN_ENVELOPE_H
#define CACHEWARDEN_ENVELOPE_H

#include "evidence/note.h"

#define ENVELOPE_NAMESPACE "cachewarden" /* of ssh-keygen: what the signature is for */
#define ENVELOPE_COMMENT "cachewarden checkpoint"

/* Add both lines to a note that was signed by the key. Returns its length or a negative errno. */
int envelope_add(char note[NOTE_MAX], const struct note_key *k, note_sign_fn sign, void *ctx);

/*
 * Is the note signed by that key, are those of the three lines right that it has, and is the number of others the one that is
 * expected? A note with the first one alone is that of an earlier version.
 */
#define ENVELOPE_ANY SIZE_MAX
bool envelope_verify(const struct note *n, const struct note_key *k, size_t others);

/* What a tool reads: its file's name and contents, to be freed. */
struct envelope_file {
	const char *name;
	char *bytes;
	size_t len;
};

enum { ENVELOPE_FILES = 9 };

/*
 * The text that is signed, and a key and a signature for each of the tools. Returns 0; -ENOENT if the note has not all the
 * signatures; -ENOMEM. To be freed by envelope_free(), also after a failure.
 */
int envelope_files(const struct note *n, const struct note_key *k,
		   struct envelope_file ret[ENVELOPE_FILES]);
void envelope_free(struct envelope_file files[ENVELOPE_FILES]);

#endif
