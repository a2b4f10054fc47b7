/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * note.h - signed notes (C2SP signed-note, Ed25519) and what this log signs: checkpoints (C2SP tlog-checkpoint) and
 * delegations from one signing key to the next. Pure: no I/O; the private key is behind a function.
 *
 * A checkpoint's second line is a number, a delegation's the word "delegation": one is never taken for the other.
 */
#ifndef CACHEWARDEN_NOTE_H
#define CACHEWARDEN_NOTE_H

#include "evidence/tree.h"

#define NOTE_MAX 4096	    /* bytes of a note of ours, signatures included */
#define NOTE_READ_MAX 65536 /* of one that is read: signatures of other algorithms take kilobytes */
#define NOTE_NAME_LEN 256   /* of a key's name, with the terminator */
#define NOTE_SIGS_MAX 16
#define NOTE_KEY_LEN 32
#define NOTE_SIG_LEN 64
#define NOTE_RAW_MAX                                                                               \
	(8 + NOTE_SIG_LEN) /* of what stands behind a key's id: a time and a signature */
#define NOTE_HASH_TEXT 45  /* a hash in base64, with the terminator */
#define NOTE_VKEY_LEN (NOTE_NAME_LEN + 64)

struct note_key {
	char name[NOTE_NAME_LEN];
	uint32_t id; /* the first bytes of SHA-256(name, newline, type, public key) */
	uint8_t public[NOTE_KEY_LEN];
};

/* What a key signs, as C2SP signed-note numbers it. A name and a public key have another id for each. */
enum note_type { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 };

/* Returns 0, or -EINVAL for a name that a note cannot carry: empty, too long, or with a space, plus or control character. */
int note_key_init(struct note_key *k, const char *name, const uint8_t public[NOTE_KEY_LEN]);
int note_key_init_as(struct note_key *k, enum note_type type, const char *name,
		     const uint8_t public[NOTE_KEY_LEN]);

/* The id of a key of that name for signatures of another type, which these bytes stand for. Returns 0 or -EINVAL. */
int note_key_id(const char *name, const void *type, size_t type_len,
		const uint8_t public[NOTE_KEY_LEN], uint32_t *ret);

/* Its text form "NAME+ID+BASE64", without newline, and back. Parsing returns 0, or -EINVAL if it is of another type, too. */
void note_vkey(const struct note_key *k, char buf[NOTE_VKEY_LEN]);
int note_vkey_parse(struct note_key *k, const char *text, size_t len);
void note_vkey_as(const struct note_key *k, enum note_type type, char buf[NOTE_VKEY_LEN]);
int note_vkey_parse_as(struct note_key *k, enum note_type type, const char *text, size_t len);

struct note_sig {
	const char *name; /* in the note, not terminated */
	size_t name_len;
	uint32_t id;
	size_t len; /* of the signature behind the id; 0 if it is longer than any that is known here */
	uint8_t sig[NOTE_RAW_MAX];
};

struct note {
	const char *text; /* what is signed, its final newline included */
	size_t len;
	struct note_sig sig[NOTE_SIGS_MAX];
	size_t sigs;
};

/* Take a note apart; it keeps pointers into the bytes. Returns 0, or -EINVAL if they are no signed note. */
int note_parse(struct note *n, const char *bytes, size_t len);

/* Is it signed by that key? */
bool note_verify(const struct note *n, const struct note_key *k);

/* The signature by the key of that name and id, NULL: there is none. */
const struct note_sig *note_find(const struct note *n, const char *name, uint32_t id);

/* Is sig the Ed25519 signature of these bytes? */
bool note_check(const uint8_t public[NOTE_KEY_LEN], const uint8_t sig[NOTE_SIG_LEN],
		const void *bytes, size_t len);

/* Signs text with a private key. Returns 0 or a negative errno. */
typedef int (*note_sign_fn)(void *ctx, const void *text, size_t len, uint8_t sig[NOTE_SIG_LEN]);

/* The note of a text that ends with a newline. Returns its length, terminator not counted, or a negative errno. */
int note_sign(const char *text, const struct note_key *k, note_sign_fn sign, void *ctx,
	      char buf[NOTE_MAX]);

/* A signature line, with its newline: "— NAME BASE64". Returns its length. */
#define NOTE_LINE_LEN (NOTE_NAME_LEN + 128)
int note_line(const char *name, uint32_t id, const uint8_t *sig, size_t len,
	      char buf[NOTE_LINE_LEN]);

/* --- what this log signs --- */

struct checkpoint {
	char origin[NOTE_NAME_LEN];
	uint64_t size;
	struct tree_hash root;
	uint64_t delegation; /* index of the entry that has the signing key; an extension line */
};

struct delegation {
	char origin[NOTE_NAME_LEN];
	uint64_t epoch;
	uint64_t size; /* of the tree before the entry, and its root */
	struct tree_hash root;
	struct note_key key; /* signs checkpoints from here on */
};

/* Texts of at most NOTE_MAX bytes with the terminator. Parsing returns 0, or -EINVAL if it is no such text. */
void checkpoint_text(const struct checkpoint *c, char buf[NOTE_MAX]);
int checkpoint_parse(struct checkpoint *c, const char *text, size_t len);
void delegation_text(const struct delegation *d, char buf[NOTE_MAX]);
int delegation_parse(struct delegation *d, const char *text, size_t len);

/*
 * The first three lines of a checkpoint of any log; extension lines may follow. ret->delegation is not set. Returns 0 or -EINVAL.
 */
int checkpoint_parse_any(struct checkpoint *c, const char *text, size_t len);

/* A hash in base64, and back: 0, or -EINVAL for any other text. */
void note_hash_text(const struct tree_hash *h, char buf[NOTE_HASH_TEXT]);
int note_hash_parse(struct tree_hash *h, const char *text, size_t len);

/* A decimal number without sign or leading zeroes. */
bool note_number_parse(const char *text, size_t len, uint64_t *ret);

#endif
