/* SPDX-License-Identifier: BSD-2-Clause */
/* utf8.h - what is valid UTF-8 (RFC 3629). */
#ifndef CACHEWARDEN_UTF8_H
#define CACHEWARDEN_UTF8_H

#include <stddef.h>

#define UTF8_MAX 4 /* bytes of a sequence */

/* Length of the sequence at s, 0 if it is invalid. There are UTF8_MAX bytes at s, or a NUL among fewer. */
static inline size_t utf8_len(const unsigned char *s)
{
	size_t n = s[0] < 0x80		   ? 1
		   : (s[0] & 0xe0) == 0xc0 ? 2
		   : (s[0] & 0xf0) == 0xe0 ? 3
		   : (s[0] & 0xf8) == 0xf0 ? 4
					   : 0;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((n == 2 && s[0] < 0xc2) || (n == 3 && s[0] == 0xe0 && s[1] < 0xa0) ||
	    (n == 3 && s[0] == 0xed && s[1] > 0x9f) || (n == 4 && s[0] == 0xf0 && s[1] < 0x90) ||
	    (n == 4 && (s[0] > 0xf4 || (s[0] == 0xf4 && s[1] > 0x8f))))
		return 0; /* overlong, a surrogate, or above U+10FFFF */
	return n;
}

#endif
