// SPDX-License-Identifier: BSD-2-Clause
/* crc32c.c - see crc32c.h. A byte at a time. */
#include "base/crc32c.h"

#include <pthread.h>

#define POLYNOMIAL 0x82f63b78u /* its bits reversed */

static uint32_t table[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? POLYNOMIAL : 0);
	}
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
	pthread_once(&once, make_table);
	crc = ~crc;
	for (const uint8_t *p = bytes; size; size--, p++)
		crc = crc >> 8 ^ table[(crc ^ *p) & 0xff];
	return ~crc;
}
