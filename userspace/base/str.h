/* SPDX-License-Identifier: BSD-2-Clause */
/* str.h - comparisons that string.h lacks. */
#ifndef CACHEWARDEN_STR_H
#define CACHEWARDEN_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Do the first len characters of s end with suffix? s need not be terminated. */
static inline bool str_ends_with_n(const char *s, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len >= n && !memcmp(s + len - n, suffix, n);
}

static inline bool str_ends_with(const char *s, const char *suffix)
{
	return str_ends_with_n(s, strlen(s), suffix);
}

#endif
