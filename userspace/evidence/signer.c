// SPDX-License-Identifier: BSD-2-Clause
/* signer.c - see signer.h. */
#include "evidence/signer.h"

#include "base/base64.h"

#include "evidence/disk.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define IDENTITY "identity.pem"
#define VKEY "vkey"
#define FILE_MAX 4096
#define HOST_MAX 200 /* of the name; the rest is cut */

struct signer {
	struct note_key key;
	uint8_t *secret; /* NOTE_KEY_LEN bytes in a page of its own */
};

/*
 * A process is not forked while OpenSSL has a copy of a key in its heap, or another thread has one of OpenSSL's own locks: the
 * child may need that one.
 */
static pthread_mutex_t in_heap = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void before_fork(void)
{
	pthread_mutex_lock(&in_heap);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&in_heap);
}

static void hook_fork(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}

static uint8_t *page_new(void)
{
	uint8_t *page = mmap(NULL, NOTE_KEY_LEN, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	pthread_once(&once, hook_fork);
	if (page == MAP_FAILED)
		return NULL;
	if (!mlock(page, NOTE_KEY_LEN) && !madvise(page, NOTE_KEY_LEN, MADV_DONTDUMP) &&
	    !madvise(page, NOTE_KEY_LEN, MADV_WIPEONFORK))
		return page;
	munmap(page, NOTE_KEY_LEN);
	return NULL;
}

void signer_free(struct signer *s)
{
	if (!s)
		return;
	if (s->secret) {
		OPENSSL_cleanse(s->secret, NOTE_KEY_LEN);
		munmap(s->secret, NOTE_KEY_LEN);
	}
	free(s);
}

const struct note_key *signer_key(const struct signer *s)
{
	return &s->key;
}

static EVP_PKEY *load(const struct signer *s)
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, s->secret, NOTE_KEY_LEN);
}

int signer_sign(void *ctx, const void *text, size_t len, uint8_t sig[NOTE_SIG_LEN])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t n = NOTE_SIG_LEN;
	EVP_PKEY *key;
	bool ok;

	pthread_mutex_lock(&in_heap);
	key = load(ctx);
	ok = md && key && EVP_DigestSignInit(md, NULL, NULL, NULL, key) == 1 &&
	     EVP_DigestSign(md, sig, &n, text, len) == 1 && n == NOTE_SIG_LEN;
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	pthread_mutex_unlock(&in_heap);
	return ok ? 0 : -EIO;
}

static struct signer *alloc(void)
{
	struct signer *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->secret = page_new();
	if (s->secret)
		return s;
	free(s);
	return NULL;
}

/* Derive the public key from the secret. In the lock. */
static int public_of(struct signer *s, uint8_t public[NOTE_KEY_LEN])
{
	EVP_PKEY *key = load(s);
	size_t n = NOTE_KEY_LEN;
	bool ok = key && EVP_PKEY_get_raw_public_key(key, public, &n) == 1 && n == NOTE_KEY_LEN;

	EVP_PKEY_free(key);
	return ok ? 0 : -EIO;
}

int signer_new(struct signer **ret, const char *name)
{
	struct signer *s = alloc();
	uint8_t public[NOTE_KEY_LEN];
	int err = s ? 0 : -ENOMEM;

	pthread_mutex_lock(&in_heap);
	if (!err && RAND_priv_bytes(s->secret, NOTE_KEY_LEN) != 1)
		err = -EIO;
	err = err ?: public_of(s, public) ?: note_key_init(&s->key, name, public);
	pthread_mutex_unlock(&in_heap);
	if (err)
		signer_free(s);
	else
		*ret = s;
	return err;
}

/* --- the identity --- */

/*
 * The form that OpenSSL writes: RFC 8410, section 7, in RFC 7468, section 10, one line. By hand, since OpenSSL's reader and
 * writer leave copies in the heap.
 */
static const uint8_t der_begin[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
				    0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
#define PEM_BEGIN "-----BEGIN PRIVATE KEY-----\n"
#define PEM_END "\n-----END PRIVATE KEY-----\n"
#define DER_LEN (sizeof(der_begin) + NOTE_KEY_LEN)
#define PEM_KEY_LEN (DER_LEN / 3 * 4)
#define PEM_KEY_AT (sizeof(PEM_BEGIN) - 1)
#define PEM_LEN (PEM_KEY_AT + PEM_KEY_LEN + sizeof(PEM_END) - 1)

static int read_pem(struct signer *s, const char *text, size_t len)
{
	uint8_t der[DER_LEN];
	size_t n;
	bool ok = len == PEM_LEN && !memcmp(text, PEM_BEGIN, PEM_KEY_AT) &&
		  !memcmp(text + PEM_KEY_AT + PEM_KEY_LEN, PEM_END, sizeof(PEM_END) - 1) &&
		  base64_decode(text + PEM_KEY_AT, PEM_KEY_LEN, der, &n) && n == DER_LEN &&
		  !memcmp(der, der_begin, sizeof(der_begin));

	if (ok)
		memcpy(s->secret, der + sizeof(der_begin), NOTE_KEY_LEN);
	OPENSSL_cleanse(der, sizeof(der));
	return ok ? 0 : -EKEYREJECTED;
}

static int write_pem(const struct signer *s, int dir)
{
	char text[PEM_LEN + 1] = PEM_BEGIN;
	uint8_t der[DER_LEN];
	int err;

	memcpy(der, der_begin, sizeof(der_begin));
	memcpy(der + sizeof(der_begin), s->secret, NOTE_KEY_LEN);
	base64_encode(der, DER_LEN, text + PEM_KEY_AT);
	memcpy(text + PEM_KEY_AT + PEM_KEY_LEN, PEM_END, sizeof(PEM_END));
	err = disk_replace(dir, IDENTITY, text, PEM_LEN, 0600);
	OPENSSL_cleanse(der, sizeof(der));
	OPENSSL_cleanse(text, sizeof(text));
	return err;
}

/* Only what a note's name can have. */
static void name_of(const char *host, const uint8_t public[NOTE_KEY_LEN], char buf[NOTE_NAME_LEN])
{
	struct tree_hash digest;
	char *at = buf;

	for (; *host && at < buf + HOST_MAX; host++) {
		bool fine = *host > ' ' && *host < 0x7f && *host != '+' && *host != '/';

		*at++ = fine ? *host : '_';
	}
	tree_leaf(public, NOTE_KEY_LEN, &digest);
	snprintf(at, NOTE_NAME_LEN - (size_t)(at - buf), "/cachewarden/%02x%02x%02x%02x",
		 digest.byte[0], digest.byte[1], digest.byte[2], digest.byte[3]);
}

/* Whose key the two files in a directory are: a log's, whose name is made of the host's, or a witness's, who has that name. */
struct owner {
	enum note_type type;
	const char *name;
};

static int write_vkey(struct signer *s, int dir, const struct owner *o)
{
	uint8_t public[NOTE_KEY_LEN];
	char name[NOTE_NAME_LEN], vkey[NOTE_VKEY_LEN], line[NOTE_VKEY_LEN + 1];
	int err = public_of(s, public);

	if (err)
		return err;
	if (o->type == NOTE_ED25519)
		name_of(o->name, public, name);
	else
		snprintf(name, sizeof(name), "%s", o->name);
	err = note_key_init_as(&s->key, o->type, name, public);
	if (err)
		return err;
	note_vkey_as(&s->key, o->type, vkey);
	snprintf(line, sizeof(line), "%s\n", vkey);
	return disk_replace(dir, VKEY, line, strlen(line), 0644);
}

static int read_identity(struct signer *s, int dir)
{
	char *text = NULL;
	size_t len = 0;
	int err = disk_read(dir, IDENTITY, FILE_MAX, &text, &len);

	if (err)
		return err;
	err = read_pem(s, text, len);
	OPENSSL_cleanse(text, len);
	free(text);
	return err;
}

/* Does vkey belong to the secret? */
static int read_vkey(struct signer *s, int dir, enum note_type type)
{
	uint8_t public[NOTE_KEY_LEN];
	char *text = NULL;
	size_t len = 0;
	int err = disk_read(dir, VKEY, FILE_MAX, &text, &len);

	if (err)
		return err;
	while (len && text[len - 1] == '\n')
		len--;
	err = note_vkey_parse_as(&s->key, type, text, len) ? -EKEYREJECTED : public_of(s, public);
	if (!err && memcmp(public, s->key.public, NOTE_KEY_LEN) != 0)
		err = -EKEYREJECTED;
	free(text);
	return err;
}

static int load_or_make(struct signer **ret, int dir, const struct owner *o, bool create)
{
	struct signer *s = alloc();
	int err;

	pthread_mutex_lock(&in_heap);
	err = s ? read_identity(s, dir) : -ENOMEM;
	if (err == -ENOENT && create)
		err = RAND_priv_bytes(s->secret, NOTE_KEY_LEN) == 1 ? write_pem(s, dir) : -EIO;
	if (!err) {
		err = read_vkey(s, dir, o->type);
		if (err == -ENOENT && create)
			err = write_vkey(s, dir, o);
	}
	pthread_mutex_unlock(&in_heap);
	if (err)
		signer_free(s);
	else
		*ret = s;
	return err;
}

int signer_identity(struct signer **ret, int dir, const char *host, bool create)
{
	return load_or_make(ret, dir, &(struct owner){NOTE_ED25519, host}, create);
}

int signer_cosigner(struct signer **ret, int dir, const char *name, bool create)
{
	static const uint8_t any[NOTE_KEY_LEN];
	struct note_key k;

	if (note_key_init_as(&k, NOTE_COSIGNATURE, name, any))
		return -EINVAL;
	return load_or_make(ret, dir, &(struct owner){NOTE_COSIGNATURE, name}, create);
}
