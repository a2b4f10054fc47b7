// SPDX-License-Identifier: BSD-2-Clause
/* witness_request.c - see witness_request.h. */
#include "evidence/witness_request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The line at *at, without its newline. False: there is no whole line left. */
static bool next_line(const char *body, size_t len, size_t *at, const char **line, size_t *line_len)
{
	const char *newline = memchr(body + *at, '\n', len - *at);

	if (!newline)
		return false;
	*line = body + *at;
	*line_len = (size_t)(newline - *line);
	*at += *line_len + 1;
	return true;
}

int witness_request_parse(struct witness_request *r, const char *body, size_t len)
{
	size_t at = 0, n;
	const char *line;

	*r = (struct witness_request){};
	if (!next_line(body, len, &at, &line, &n) || n < 5 || memcmp(line, "old ", 4) != 0 ||
	    !note_number_parse(line + 4, n - 4, &r->old))
		return -EINVAL;
	for (;;) {
		if (!next_line(body, len, &at, &line, &n))
			return -EINVAL;
		if (!n)
			break;
		if (r->proof.count == WITNESS_PROOF_MAX ||
		    note_hash_parse(&r->proof.hash[r->proof.count++], line, n))
			return -EINVAL;
	}
	r->note = body + at;
	r->note_len = len - at;
	return 0;
}

char *witness_request_text(uint64_t old, const struct tree_proof *proof, const char *note,
			   size_t *ret_len)
{
	char hash[NOTE_HASH_TEXT], *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	if (!f)
		return NULL;
	fprintf(f, "old %" PRIu64 "\n", old);
	for (size_t i = 0; i < proof->count; i++) {
		note_hash_text(&proof->hash[i], hash);
		fprintf(f, "%s\n", hash);
	}
	fprintf(f, "\n%s", note);
	return fclose(f) ? NULL : text;
}

int witness_next_delegation(const char *body, size_t len, size_t *at, struct note *note,
			    struct delegation *ret)
{
	const char *begin = body + *at, *sigs, *end;

	if (*at == len)
		return 0;
	/* a delegation has no empty line: the first one is before its signature, the second behind that */
	sigs = memmem(begin, len - *at, "\n\n", 2);
	end = sigs ? memmem(sigs + 2, len - (size_t)(sigs + 2 - body), "\n\n", 2) : NULL;
	end = end ? end + 1 : body + len;
	if (note_parse(note, begin, (size_t)(end - begin)) ||
	    delegation_parse(ret, note->text, note->len))
		return -EINVAL;
	*at = (size_t)(end - body);
	if (*at < len)
		(*at)++;
	return 1;
}
