// SPDX-License-Identifier: BSD-2-Clause
/* base64.c - see base64.h. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *bytes, size_t len, char *buf)
{
	const uint8_t *in = bytes;
	char *out = buf;

	for (size_t at = 0; at < len; at += 3) {
		size_t n = len - at < 3 ? len - at : 3;
		uint32_t v = (uint32_t)in[at] << 16;

		if (n > 1)
			v |= (uint32_t)in[at + 1] << 8;
		if (n > 2)
			v |= in[at + 2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = digits[v >> 6 & 63];
		*out++ = digits[v & 63];
		if (n < 3)
			out[-1] = '=';
		if (n < 2)
			out[-2] = '=';
	}
	*out = '\0';
	return (size_t)(out - buf);
}

/* Returns the value of a digit, 64 if it is none. */
static uint32_t value_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (uint32_t)(at - digits) : 64;
}

bool base64_decode(const char *text, size_t len, void *buf, size_t *ret_len)
{
	size_t pad = 0, n = 0;
	uint8_t *out = buf;

	if (!len || len % 4)
		return false;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	for (size_t at = 0; at < len; at += 4) {
		size_t absent = at + 4 == len ? pad : 0;
		uint32_t v = 0;

		for (size_t i = 0; i < 4; i++) {
			uint32_t digit = i < 4 - absent ? value_of(text[at + i]) : 0;

			if (digit > 63)
				return false;
			v = v << 6 | digit;
		}
		if (v & ((1u << 8 * absent) - 1)) /* bits that belong to no byte */
			return false;
		out[n++] = (uint8_t)(v >> 16);
		if (absent < 2)
			out[n++] = (uint8_t)(v >> 8);
		if (!absent)
			out[n++] = (uint8_t)v;
	}
	*ret_len = n;
	return true;
}
