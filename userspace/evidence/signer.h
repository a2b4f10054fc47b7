/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signer.h - private Ed25519 keys. They lie in a page that is locked, left out of core dumps and empty in a forked child,
 * and are wiped when freed. OpenSSL has a copy only while it signs.
 */
#ifndef CACHEWARDEN_SIGNER_H
#define CACHEWARDEN_SIGNER_H

#include "evidence/note.h"

struct signer;

/* A new key that exists nowhere else. Returns 0 or a negative errno. */
int signer_new(struct signer **ret, const char *name);

/*
 * The identity key of the log in dir: identity.pem and, with the name, vkey. If there is neither, and create, make them;
 * the name is host, "/cachewarden/" and the beginning of the public key's digest. Returns 0 or a negative errno: -EKEYREJECTED
 * if the two do not belong together.
 */
int signer_identity(struct signer **ret, int dir, const char *host, bool create);

/*
 * The key of a witness in dir, in the same two files; its name is the one that is given when it is made. -EINVAL: it cannot be
 * a name.
 */
int signer_cosigner(struct signer **ret, int dir, const char *name, bool create);

/* Wipes it. NULL is accepted. */
void signer_free(struct signer *s);

const struct note_key *signer_key(const struct signer *s);

/* A note_sign_fn; ctx is the signer. */
int signer_sign(void *ctx, const void *text, size_t len, uint8_t sig[NOTE_SIG_LEN]);

#endif
