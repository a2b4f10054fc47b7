// SPDX-License-Identifier: BSD-2-Clause
/* envelope.c - see envelope.h. Formats: signify(1), minisign's home page, OpenSSH's PROTOCOL.sshsig, RFC 8410. */
#include "evidence/envelope.h"

#include "base/base64.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands for the type of a key in its id; 0xff: a type that is not in the list of C2SP signed-note. */
#define TYPE_MINISIGN                                                                              \
	"\xff"                                                                                     \
	"cachewarden minisign"
#define TYPE_SSH                                                                                   \
	"\xff"                                                                                     \
	"cachewarden sshsig"

#define SSH_MAGIC "SSHSIG"
#define SSH_KEY "ssh-ed25519"
#define SSH_HASH "sha512"
#define SSH_LINE 70 /* characters of base64 in a line */
#define BLOB_MAX 512

struct blob {
	uint8_t bytes[BLOB_MAX];
	size_t len;
};

static void put(struct blob *b, const void *bytes, size_t len)
{
	memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

/* A "string" of the SSH protocol: behind its length. */
static void put_string(struct blob *b, const void *bytes, size_t len)
{
	uint8_t head[4] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len};

	put(b, head, sizeof(head));
	put(b, bytes, len);
}

static void put_text(struct blob *b, const char *text)
{
	put_string(b, text, strlen(text));
}

/* --- what is signed --- */

static void minisign_message(struct blob *b, const uint8_t sig[NOTE_SIG_LEN])
{
	put(b, sig, NOTE_SIG_LEN);
	put(b, ENVELOPE_COMMENT, strlen(ENVELOPE_COMMENT));
}

static bool ssh_message(struct blob *b, const char *text, size_t len)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned int n;

	if (!EVP_Digest(text, len, sum, &n, EVP_sha512(), NULL))
		return false;
	put(b, SSH_MAGIC, strlen(SSH_MAGIC));
	put_text(b, ENVELOPE_NAMESPACE);
	put_text(b, "");
	put_text(b, SSH_HASH);
	put_string(b, sum, n);
	return true;
}

static uint32_t id_of(const struct note_key *k, const char *type)
{
	uint32_t id = 0;

	note_key_id(k->name, type, strlen(type), k->public, &id);
	return id;
}

static int add_line(char note[NOTE_MAX], const struct note_key *k, const char *type,
		    const struct blob *message, note_sign_fn sign, void *ctx)
{
	char line[NOTE_LINE_LEN];
	uint8_t sig[NOTE_SIG_LEN];
	size_t len = strlen(note);
	int err = sign(ctx, message->bytes, message->len, sig), n;

	if (err)
		return err;
	n = note_line(k->name, id_of(k, type), sig, sizeof(sig), line);
	if (len + (size_t)n >= NOTE_MAX)
		return -E2BIG;
	memcpy(note + len, line, (size_t)n + 1);
	return (int)len + n;
}

int envelope_add(char note[NOTE_MAX], const struct note_key *k, note_sign_fn sign, void *ctx)
{
	struct blob minisign = {}, ssh = {};
	const struct note_sig *own;
	struct note n;
	int err;

	if (note_parse(&n, note, strlen(note)))
		return -EINVAL;
	own = note_find(&n, k->name, k->id);
	if (!own || own->len != NOTE_SIG_LEN || !ssh_message(&ssh, n.text, n.len))
		return -EINVAL;
	minisign_message(&minisign, own->sig);
	err = add_line(note, k, TYPE_MINISIGN, &minisign, sign, ctx);
	return err < 0 ? err : add_line(note, k, TYPE_SSH, &ssh, sign, ctx);
}

/* --- what is verified --- */

static bool is_right(const struct note_sig *s, const struct note_key *k, const struct blob *message)
{
	return s->len == NOTE_SIG_LEN &&
	       note_check(k->public, s->sig, message->bytes, message->len);
}

bool envelope_verify(const struct note *n, const struct note_key *k, size_t others)
{
	const struct note_sig *own = note_find(n, k->name, k->id);
	const struct note_sig *minisign = note_find(n, k->name, id_of(k, TYPE_MINISIGN));
	const struct note_sig *ssh = note_find(n, k->name, id_of(k, TYPE_SSH));
	struct blob minisign_text = {}, ssh_text = {};
	size_t ours = 1u + (minisign != NULL) + (ssh != NULL);

	if (!own || !note_verify(n, k) || !ssh_message(&ssh_text, n->text, n->len))
		return false;
	minisign_message(&minisign_text, own->sig);
	return (others == ENVELOPE_ANY || n->sigs == ours + others) &&
	       (!minisign || is_right(minisign, k, &minisign_text)) &&
	       (!ssh || is_right(ssh, k, &ssh_text));
}

/* --- files --- */

static void put_base64(FILE *f, const struct blob *b, size_t line)
{
	char text[BASE64_LEN(BLOB_MAX) + 1];
	size_t len = base64_encode(b->bytes, b->len, text);

	for (size_t at = 0; at < len; at += line)
		fprintf(f, "%.*s\n", (int)(len - at < line ? len - at : line), text + at);
}

/* signify's form of a key or a signature, and minisign's; the number that links the two is the beginning of the key. */
static struct blob signify_blob(const struct note_key *k, const uint8_t *bytes, size_t len)
{
	struct blob b = {};

	put(&b, "Ed", 2);
	put(&b, k->public, 8);
	put(&b, bytes, len);
	return b;
}

static void write_signify(FILE *f, const char *what, const struct note_key *k, const uint8_t *bytes,
			  size_t len)
{
	struct blob b = signify_blob(k, bytes, len);

	fprintf(f, "untrusted comment: %s of %s\n", what, k->name);
	put_base64(f, &b, BLOB_MAX);
}

static void write_minisign(FILE *f, const struct note_key *k, const uint8_t own[NOTE_SIG_LEN],
			   const uint8_t global[NOTE_SIG_LEN])
{
	struct blob b = {};

	write_signify(f, "signature", k, own, NOTE_SIG_LEN);
	fprintf(f, "trusted comment: %s\n", ENVELOPE_COMMENT);
	put(&b, global, NOTE_SIG_LEN);
	put_base64(f, &b, BLOB_MAX);
}

static struct blob ssh_key(const struct note_key *k)
{
	struct blob b = {};

	put_text(&b, SSH_KEY);
	put_string(&b, k->public, NOTE_KEY_LEN);
	return b;
}

static void write_allowed_signers(FILE *f, const struct note_key *k)
{
	struct blob key = ssh_key(k);

	fprintf(f, "%s namespaces=\"%s\" %s ", k->name, ENVELOPE_NAMESPACE, SSH_KEY);
	put_base64(f, &key, BLOB_MAX);
}

static void write_ssh(FILE *f, const struct note_key *k, const uint8_t sig[NOTE_SIG_LEN])
{
	static const uint8_t version[4] = {0, 0, 0, 1};
	struct blob key = ssh_key(k), signature = {}, b = {};

	put_text(&signature, SSH_KEY);
	put_string(&signature, sig, NOTE_SIG_LEN);
	put(&b, SSH_MAGIC, strlen(SSH_MAGIC));
	put(&b, version, sizeof(version));
	put_string(&b, key.bytes, key.len);
	put_text(&b, ENVELOPE_NAMESPACE);
	put_text(&b, "");
	put_text(&b, SSH_HASH);
	put_string(&b, signature.bytes, signature.len);
	fputs("-----BEGIN SSH SIGNATURE-----\n", f);
	put_base64(f, &b, SSH_LINE);
	fputs("-----END SSH SIGNATURE-----\n", f);
}

static void write_pem(FILE *f, const struct note_key *k)
{
	static const uint8_t der[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	struct blob b = {};

	put(&b, der, sizeof(der));
	put(&b, k->public, NOTE_KEY_LEN);
	fputs("-----BEGIN PUBLIC KEY-----\n", f);
	put_base64(f, &b, 64);
	fputs("-----END PUBLIC KEY-----\n", f);
}

/* The signatures of a note, and whose they are. */
struct signatures {
	const struct note *n;
	const struct note_key *k;
	const uint8_t *own, *minisign, *ssh;
};

static void write_text(FILE *f, const struct signatures *s)
{
	fwrite(s->n->text, 1, s->n->len, f);
}

static void write_openssl_key(FILE *f, const struct signatures *s)
{
	write_pem(f, s->k);
}

static void write_openssl_sig(FILE *f, const struct signatures *s)
{
	fwrite(s->own, 1, NOTE_SIG_LEN, f);
}

static void write_signify_key(FILE *f, const struct signatures *s)
{
	write_signify(f, "public key", s->k, s->k->public, NOTE_KEY_LEN);
}

static void write_signify_sig(FILE *f, const struct signatures *s)
{
	write_signify(f, "signature", s->k, s->own, NOTE_SIG_LEN);
}

static void write_minisign_sig(FILE *f, const struct signatures *s)
{
	write_minisign(f, s->k, s->own, s->minisign);
}

static void write_ssh_key(FILE *f, const struct signatures *s)
{
	write_allowed_signers(f, s->k);
}

static void write_ssh_sig(FILE *f, const struct signatures *s)
{
	write_ssh(f, s->k, s->ssh);
}

static const struct {
	const char *name;
	void (*write)(FILE *f, const struct signatures *s);
} formats[ENVELOPE_FILES] = {
	{"checkpoint.txt", write_text},
	{"openssl.pem", write_openssl_key},
	{"openssl.sig", write_openssl_sig},
	{"signify.pub", write_signify_key},
	{"signify.sig", write_signify_sig},
	{"minisign.pub", write_signify_key}, /* the same form */
	{"minisign.sig", write_minisign_sig},
	{"allowed_signers", write_ssh_key},
	{"ssh.sig", write_ssh_sig},
};

/* The bytes of a signature, NULL if there is none. */
static const uint8_t *sig_of(const struct note *n, const struct note_key *k, uint32_t id)
{
	const struct note_sig *s = note_find(n, k->name, id);

	return s && s->len == NOTE_SIG_LEN ? s->sig : NULL;
}

int envelope_files(const struct note *n, const struct note_key *k,
		   struct envelope_file ret[ENVELOPE_FILES])
{
	struct signatures s = {.n = n,
			       .k = k,
			       .own = sig_of(n, k, k->id),
			       .minisign = sig_of(n, k, id_of(k, TYPE_MINISIGN)),
			       .ssh = sig_of(n, k, id_of(k, TYPE_SSH))};

	memset(ret, 0, ENVELOPE_FILES * sizeof(*ret));
	if (!s.own || !s.minisign || !s.ssh)
		return -ENOENT;
	for (int i = 0; i < ENVELOPE_FILES; i++) {
		FILE *f = open_memstream(&ret[i].bytes, &ret[i].len);

		ret[i].name = formats[i].name;
		if (!f)
			return -ENOMEM;
		formats[i].write(f, &s);
		if (fclose(f))
			return -ENOMEM;
	}
	return 0;
}

void envelope_free(struct envelope_file files[ENVELOPE_FILES])
{
	for (int i = 0; i < ENVELOPE_FILES; i++)
		free(files[i].bytes);
}
