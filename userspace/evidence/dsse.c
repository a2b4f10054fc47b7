// SPDX-License-Identifier: BSD-2-Clause
/* dsse.c - see dsse.h. */
#include "evidence/dsse.h"

#include "base/base64.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX (16u << 20)

/* What is signed: the pre-authentication encoding. To be freed. */
static char *pae(const char *payload, size_t len, size_t *ret_len)
{
	char head[96];
	int n = snprintf(head, sizeof(head), "DSSEv1 %zu %s %zu ", sizeof(DSSE_TYPE) - 1, DSSE_TYPE,
			 len);
	char *text = malloc((size_t)n + len);

	if (!text)
		return NULL;
	memcpy(text, head, (size_t)n);
	memcpy(text + n, payload, len);
	*ret_len = (size_t)n + len;
	return text;
}

static char *base64(const void *bytes, size_t len)
{
	char *text = malloc(BASE64_LEN(len) + 1);

	if (text)
		base64_encode(bytes, len, text);
	return text;
}

/* Returns 0 or a negative errno; a NUL is behind the bytes. */
static int unbase64(const char *text, char **ret, size_t *ret_len)
{
	size_t len = strlen(text);
	char *bytes;

	if (len > PAYLOAD_MAX)
		return -EBADMSG;
	bytes = malloc(BASE64_BYTES(len) + 1);
	if (!bytes)
		return -ENOMEM;
	if (!base64_decode(text, len, bytes, ret_len)) {
		free(bytes);
		return -EBADMSG;
	}
	bytes[*ret_len] = '\0';
	*ret = bytes;
	return 0;
}

int dsse_sign(const char *payload, size_t len, const struct note_key *k, note_sign_fn sign,
	      void *ctx, char **ret)
{
	uint8_t sig[NOTE_SIG_LEN];
	char vkey[NOTE_VKEY_LEN], *text, *payload64 = NULL, *sig64 = NULL;
	size_t n = 0;
	json_t *v;
	int err;

	*ret = NULL;
	text = len <= PAYLOAD_MAX ? pae(payload, len, &n) : NULL;
	err = text ? sign(ctx, text, n, sig) : -ENOMEM;
	free(text);
	if (err)
		return err;
	note_vkey(k, vkey);
	payload64 = base64(payload, len);
	sig64 = base64(sig, sizeof(sig));
	v = payload64 && sig64
		    ? json_pack("{s:s,s:s,s:[{s:s,s:s}]}", "payload", payload64, "payloadType",
				DSSE_TYPE, "signatures", "keyid", vkey, "sig", sig64)
		    : NULL;
	if (v)
		*ret = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(v);
	free(payload64);
	free(sig64);
	return *ret ? 0 : -ENOMEM;
}

int dsse_payload(json_t *envelope, char **ret, size_t *ret_len)
{
	const char *type = json_string_value(json_object_get(envelope, "payloadType"));
	const char *payload = json_string_value(json_object_get(envelope, "payload"));

	*ret = NULL;
	if (!type || !payload || strcmp(type, DSSE_TYPE) != 0)
		return -EBADMSG;
	return unbase64(payload, ret, ret_len);
}

bool dsse_verify(json_t *envelope, const char *payload, size_t len, const struct note_key *k)
{
	json_t *all = json_object_get(envelope, "signatures");
	size_t n = 0, sig_len = 0;
	char *text = pae(payload, len, &n), *sig;
	bool ok = false;

	for (size_t i = 0; i < json_array_size(all) && text && !ok; i++) {
		const char *sig64 =
			json_string_value(json_object_get(json_array_get(all, i), "sig"));

		if (!sig64 || unbase64(sig64, &sig, &sig_len))
			continue;
		ok = sig_len == NOTE_SIG_LEN &&
		     note_check(k->public, (const uint8_t *)sig, text, n);
		free(sig);
	}
	free(text);
	return ok;
}
