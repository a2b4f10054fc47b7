// SPDX-License-Identifier: BSD-2-Clause
/* debian_version.c - see debian_version.h. A version is [epoch:]upstream[-revision]. */
#include "base/debian_version.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A part of a version; past its end come no more characters. */
struct part {
	const char *at, *end;
};

static bool is_digit(const struct part *p)
{
	return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

/* '~' is before the end, the end before letters, letters before all else. */
static int rank(const struct part *p)
{
	char c = p->at < p->end ? *p->at : '\0';

	if (!c || is_digit(p))
		return 0;
	if (c == '~')
		return -1;
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c : (unsigned char)c + 256;
}

/* Without leading zeros the longer number is the greater one: they may have any length. */
static int compare_numbers(struct part *a, struct part *b)
{
	int first = 0;

	while (a->at < a->end && *a->at == '0')
		a->at++;
	while (b->at < b->end && *b->at == '0')
		b->at++;
	while (is_digit(a) && is_digit(b)) {
		if (!first)
			first = *a->at - *b->at;
		a->at++;
		b->at++;
	}
	return is_digit(a) ? 1 : is_digit(b) ? -1 : first;
}

/* Texts and numbers by turns. */
static int compare_parts(struct part a, struct part b)
{
	int order = 0;

	while (!order && (a.at < a.end || b.at < b.end)) {
		while (!order &&
		       ((a.at < a.end && !is_digit(&a)) || (b.at < b.end && !is_digit(&b)))) {
			order = rank(&a) - rank(&b);
			a.at += a.at < a.end && !is_digit(&a);
			b.at += b.at < b.end && !is_digit(&b);
		}
		if (!order)
			order = compare_numbers(&a, &b);
	}
	return order;
}

struct version {
	struct part epoch, upstream, revision;
};

static struct version split(const char *text)
{
	const char *colon = strchr(text, ':'), *dash = strrchr(text, '-');
	const char *begin = colon ? colon + 1 : text, *end = text + strlen(text);

	if (!dash || dash < begin)
		dash = end;
	return (struct version){
		.epoch = {text, colon ?: text},
		.upstream = {begin, dash},
		.revision = {dash < end ? dash + 1 : end, end},
	};
}

int debian_version_compare(const char *a, const char *b)
{
	struct version x = split(a), y = split(b);

	return compare_parts(x.epoch, y.epoch)
		       ?: compare_parts(x.upstream, y.upstream)
		       ?: compare_parts(x.revision, y.revision);
}
