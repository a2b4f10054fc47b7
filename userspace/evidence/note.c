// SPDX-License-Identifier: BSD-2-Clause
/* note.c - see note.h. */
#include "evidence/note.h"

#include "base/base64.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DASH "\xe2\x80\x94 " /* begins a signature line */
#define ID_LEN 4
#define BASE64_MAX 128 /* of what notes of ours contain: 76 bytes at most */

static uint32_t load_be32(const uint8_t b[ID_LEN])
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void store_be32(uint32_t v, uint8_t b[ID_LEN])
{
	for (int i = 0; i < ID_LEN; i++)
		b[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* --- base64 --- */

/* Returns the length, 0 if it is wrong or more than max. */
static size_t decode(const char *text, size_t len, uint8_t *ret, size_t max)
{
	uint8_t bytes[BASE64_BYTES(BASE64_MAX)];
	size_t n;

	if (len > BASE64_MAX || !base64_decode(text, len, bytes, &n) || n > max)
		return 0;
	memcpy(ret, bytes, n);
	return n;
}

void note_hash_text(const struct tree_hash *h, char buf[NOTE_HASH_TEXT])
{
	_Static_assert(NOTE_HASH_TEXT == BASE64_LEN(sizeof(h->byte)) + 1, "a hash fits exactly");
	base64_encode(h->byte, sizeof(h->byte), buf);
}

/* --- keys --- */

#define NOTE_TYPE_MAX 64

static bool is_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isgraph((unsigned char)name[i]) || name[i] == '+')
			return false;
	}
	return len && len < NOTE_NAME_LEN;
}

int note_key_id(const char *name, const void *type, size_t type_len,
		const uint8_t public[NOTE_KEY_LEN], uint32_t *ret)
{
	uint8_t hashed[NOTE_NAME_LEN + NOTE_TYPE_MAX + NOTE_KEY_LEN], sum[EVP_MAX_MD_SIZE];
	size_t len = strlen(name);

	if (!is_name(name, len) || type_len > NOTE_TYPE_MAX)
		return -EINVAL;
	snprintf((char *)hashed, sizeof(hashed), "%s\n", name);
	len++;
	memcpy(hashed + len, type, type_len);
	len += type_len;
	memcpy(hashed + len, public, NOTE_KEY_LEN);
	if (!EVP_Digest(hashed, len + NOTE_KEY_LEN, sum, NULL, EVP_sha256(), NULL))
		return -EINVAL;
	*ret = load_be32(sum);
	return 0;
}

int note_key_init_as(struct note_key *k, enum note_type type, const char *name,
		     const uint8_t public[NOTE_KEY_LEN])
{
	uint8_t byte = (uint8_t)type;

	if (note_key_id(name, &byte, 1, public, &k->id))
		return -EINVAL;
	snprintf(k->name, sizeof(k->name), "%s", name);
	memcpy(k->public, public, NOTE_KEY_LEN);
	return 0;
}

int note_key_init(struct note_key *k, const char *name, const uint8_t public[NOTE_KEY_LEN])
{
	return note_key_init_as(k, NOTE_ED25519, name, public);
}

void note_vkey_as(const struct note_key *k, enum note_type type, char buf[NOTE_VKEY_LEN])
{
	uint8_t bytes[1 + NOTE_KEY_LEN] = {(uint8_t)type};
	char text[BASE64_MAX * 2];

	memcpy(bytes + 1, k->public, NOTE_KEY_LEN);
	base64_encode(bytes, sizeof(bytes), text);
	snprintf(buf, NOTE_VKEY_LEN, "%s+%08" PRIx32 "+%.48s", k->name, k->id, text);
}

void note_vkey(const struct note_key *k, char buf[NOTE_VKEY_LEN])
{
	note_vkey_as(k, NOTE_ED25519, buf);
}

int note_vkey_parse_as(struct note_key *k, enum note_type type, const char *text, size_t len)
{
	const char *id = memchr(text, '+', len), *key;
	uint8_t bytes[1 + NOTE_KEY_LEN];
	char name[NOTE_NAME_LEN], want[16];

	key = id ? memchr(id + 1, '+', len - (size_t)(id + 1 - text)) : NULL;
	if (!key || !is_name(text, (size_t)(id - text)) ||
	    decode(key + 1, len - (size_t)(key + 1 - text), bytes, sizeof(bytes)) !=
		    sizeof(bytes) ||
	    bytes[0] != type)
		return -EINVAL;
	memcpy(name, text, (size_t)(id - text));
	name[id - text] = '\0';
	if (note_key_init_as(k, type, name, bytes + 1))
		return -EINVAL;
	snprintf(want, sizeof(want), "+%08" PRIx32 "+", k->id);
	return (size_t)(key + 1 - id) == strlen(want) && !memcmp(id, want, strlen(want)) ? 0
											 : -EINVAL;
}

int note_vkey_parse(struct note_key *k, const char *text, size_t len)
{
	return note_vkey_parse_as(k, NOTE_ED25519, text, len);
}

/* --- notes --- */

/* The name of somebody else's key may be in any script. */
static bool is_foreign_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == '+')
			return false;
	}
	return len;
}

/* Base64 of any length, of which only the id is wanted. */
static int parse_long_sig(struct note_sig *s, const char *text, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[BASE64_MAX];
	size_t pad = 0;

	if (len <= BASE64_MAX || len % 4 || decode(text, 8, bytes, sizeof(bytes)) != 6)
		return -EINVAL;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < len - pad; i++) {
		if (!text[i] || !strchr(digits, text[i]))
			return -EINVAL;
	}
	s->id = load_be32(bytes);
	return 0;
}

/* "— NAME BASE64", without its newline. */
static int parse_sig(struct note_sig *s, const char *line, size_t len)
{
	uint8_t bytes[BASE64_MAX];
	const char *space;
	size_t n;

	if (len < strlen(DASH) || memcmp(line, DASH, strlen(DASH)) != 0)
		return -EINVAL;
	line += strlen(DASH);
	len -= strlen(DASH);
	space = memchr(line, ' ', len);
	if (!space || !is_foreign_name(line, (size_t)(space - line)))
		return -EINVAL;
	*s = (struct note_sig){.name = line, .name_len = (size_t)(space - line)};
	len -= (size_t)(space + 1 - line);
	n = decode(space + 1, len, bytes, sizeof(bytes));
	if (!n)
		return parse_long_sig(s, space + 1, len);
	if (n <= ID_LEN)
		return -EINVAL;
	s->id = load_be32(bytes);
	n -= ID_LEN;
	if (n <= sizeof(s->sig)) {
		s->len = n;
		memcpy(s->sig, bytes + ID_LEN, n);
	}
	return 0;
}

/* Where the signatures begin: after the last empty line. NULL: there is none. */
static const char *find_sigs(const char *bytes, size_t len)
{
	for (size_t i = len; i-- > 1;) {
		if (bytes[i] == '\n' && bytes[i - 1] == '\n')
			return bytes + i + 1;
	}
	return NULL;
}

static bool is_clean(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)bytes[i] < 0x20 && bytes[i] != '\n')
			return false;
	}
	return len && len < NOTE_READ_MAX && bytes[len - 1] == '\n';
}

int note_parse(struct note *n, const char *bytes, size_t len)
{
	const char *line, *end = bytes + len, *newline;

	*n = (struct note){};
	line = is_clean(bytes, len) ? find_sigs(bytes, len) : NULL;
	if (!line || line == end || line - bytes < 2)
		return -EINVAL;
	n->text = bytes;
	n->len = (size_t)(line - bytes) - 1;
	for (; line < end; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline || n->sigs == NOTE_SIGS_MAX ||
		    parse_sig(&n->sig[n->sigs++], line, (size_t)(newline - line)))
			return -EINVAL;
	}
	return 0;
}

bool note_check(const uint8_t public[NOTE_KEY_LEN], const uint8_t sig[NOTE_SIG_LEN],
		const void *bytes, size_t len)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, NOTE_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		  EVP_DigestVerify(ctx, sig, NOTE_SIG_LEN, bytes, len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

const struct note_sig *note_find(const struct note *n, const char *name, uint32_t id)
{
	for (size_t i = 0; i < n->sigs; i++) {
		const struct note_sig *s = &n->sig[i];

		if (s->id == id && s->name_len == strlen(name) &&
		    !memcmp(s->name, name, s->name_len))
			return s;
	}
	return NULL;
}

bool note_verify(const struct note *n, const struct note_key *k)
{
	const struct note_sig *s = note_find(n, k->name, k->id);

	return s && s->len == NOTE_SIG_LEN && note_check(k->public, s->sig, n->text, n->len);
}

int note_line(const char *name, uint32_t id, const uint8_t *sig, size_t len,
	      char buf[NOTE_LINE_LEN])
{
	uint8_t bytes[ID_LEN + NOTE_RAW_MAX];
	char text[BASE64_MAX * 2];

	store_be32(id, bytes);
	memcpy(bytes + ID_LEN, sig, len);
	base64_encode(bytes, ID_LEN + len, text);
	return snprintf(buf, NOTE_LINE_LEN, DASH "%s %s\n", name, text);
}

int note_sign(const char *text, const struct note_key *k, note_sign_fn sign, void *ctx,
	      char buf[NOTE_MAX])
{
	char line[NOTE_LINE_LEN];
	uint8_t sig[NOTE_SIG_LEN];
	int err, n;

	err = sign(ctx, text, strlen(text), sig);
	if (err)
		return err;
	note_line(k->name, k->id, sig, sizeof(sig), line);
	n = snprintf(buf, NOTE_MAX, "%s\n%s", text, line);
	return n < NOTE_MAX ? n : -E2BIG;
}

/* --- texts --- */

/* The rest of a text that is read line by line. */
struct lines {
	const char *at, *end;
};

static bool next_line(struct lines *l, const char **ret, size_t *len)
{
	const char *newline = l->at < l->end ? memchr(l->at, '\n', (size_t)(l->end - l->at)) : NULL;

	if (!newline || newline == l->at)
		return false;
	*ret = l->at;
	*len = (size_t)(newline - l->at);
	l->at = newline + 1;
	return true;
}

bool note_number_parse(const char *text, size_t len, uint64_t *ret)
{
	uint64_t v = 0;

	if (!len || len > 19 || (len > 1 && text[0] == '0')) /* 10^19 - 1 is below 2^64 */
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		v = v * 10 + (uint64_t)(text[i] - '0');
	}
	*ret = v;
	return true;
}

/* A number after a word and a space; word "" for none. */
static bool parse_number(const char *text, size_t len, const char *word, uint64_t *ret)
{
	size_t skip = strlen(word);

	return len > skip && !memcmp(text, word, skip) &&
	       note_number_parse(text + skip, len - skip, ret);
}

static bool parse_origin(struct lines *l, char ret[NOTE_NAME_LEN])
{
	const char *line;
	size_t len;

	if (!next_line(l, &line, &len) || !is_name(line, len))
		return false;
	memcpy(ret, line, len);
	ret[len] = '\0';
	return true;
}

static bool parse_numbered(struct lines *l, const char *word, uint64_t *ret)
{
	const char *line;
	size_t len;

	return next_line(l, &line, &len) && parse_number(line, len, word, ret);
}

int note_hash_parse(struct tree_hash *h, const char *text, size_t len)
{
	return decode(text, len, h->byte, TREE_HASH_LEN) == TREE_HASH_LEN ? 0 : -EINVAL;
}

static bool parse_hash(struct lines *l, struct tree_hash *ret)
{
	const char *line;
	size_t len;

	return next_line(l, &line, &len) && !note_hash_parse(ret, line, len);
}

void checkpoint_text(const struct checkpoint *c, char buf[NOTE_MAX])
{
	char root[NOTE_HASH_TEXT];

	note_hash_text(&c->root, root);
	snprintf(buf, NOTE_MAX, "%s\n%" PRIu64 "\n%s\ndelegation %" PRIu64 "\n", c->origin, c->size,
		 root, c->delegation);
}

int checkpoint_parse(struct checkpoint *c, const char *text, size_t len)
{
	struct lines l = {text, text + len};

	return parse_origin(&l, c->origin) && parse_numbered(&l, "", &c->size) &&
			       parse_hash(&l, &c->root) &&
			       parse_numbered(&l, "delegation ", &c->delegation) && l.at == l.end
		       ? 0
		       : -EINVAL;
}

int checkpoint_parse_any(struct checkpoint *c, const char *text, size_t len)
{
	struct lines l = {text, text + len};
	const char *line;
	size_t n;

	if (!parse_origin(&l, c->origin) || !parse_numbered(&l, "", &c->size) ||
	    !parse_hash(&l, &c->root))
		return -EINVAL;
	while (next_line(&l, &line, &n))
		;
	return l.at == l.end ? 0 : -EINVAL;
}

void delegation_text(const struct delegation *d, char buf[NOTE_MAX])
{
	char root[NOTE_HASH_TEXT], vkey[NOTE_VKEY_LEN];

	note_hash_text(&d->root, root);
	note_vkey(&d->key, vkey);
	snprintf(buf, NOTE_MAX, "%s\ndelegation\nepoch %" PRIu64 "\nsize %" PRIu64 "\n%s\n%s\n",
		 d->origin, d->epoch, d->size, root, vkey);
}

int delegation_parse(struct delegation *d, const char *text, size_t len)
{
	struct lines l = {text, text + len};
	const char *line;
	size_t n;

	return parse_origin(&l, d->origin) && next_line(&l, &line, &n) &&
			       n == strlen("delegation") && !memcmp(line, "delegation", n) &&
			       parse_numbered(&l, "epoch ", &d->epoch) &&
			       parse_numbered(&l, "size ", &d->size) && parse_hash(&l, &d->root) &&
			       next_line(&l, &line, &n) && !note_vkey_parse(&d->key, line, n) &&
			       l.at == l.end
		       ? 0
		       : -EINVAL;
}
