/* SPDX-License-Identifier: BSD-2-Clause */
/* base64.h - base64 (RFC 4648, section 4): with padding, without line ends. Reading accepts only what writing makes. */
#ifndef CACHEWARDEN_BASE64_H
#define CACHEWARDEN_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Characters that so many bytes take, without the terminator; bytes that so many characters have at most. */
#define BASE64_LEN(bytes) (((bytes) + 2) / 3 * 4)
#define BASE64_BYTES(len) ((len) / 4 * 3)

/* Writes BASE64_LEN(len) characters and a terminator. Returns that length. */
size_t base64_encode(const void *bytes, size_t len, char *buf);

/* Reads a text to buf, of BASE64_BYTES(len) bytes. False if it is anything but the one encoding of some bytes; of nothing, too. */
bool base64_decode(const char *text, size_t len, void *buf, size_t *ret_len);

#endif
