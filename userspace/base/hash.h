/* SPDX-License-Identifier: BSD-2-Clause */
/* hash.h - 64-bit FNV-1a. Not keyed: an attacker who chooses the input can choose collisions. */
#ifndef CACHEWARDEN_HASH_H
#define CACHEWARDEN_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_INIT 0xcbf29ce484222325ull

/* Hash of the bytes hashed into h so far, followed by these. Start with HASH_INIT. */
static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t size)
{
	for (const unsigned char *p = bytes; size; size--, p++)
		h = (h ^ *p) * 0x100000001b3ull;
	return h;
}

#endif
