// SPDX-License-Identifier: BSD-2-Clause
/* crc32c.c - see crc32c.h. Eight bytes at a time: a table says what a byte does to the sum that many bytes later. */
#include "base/crc32c.h"

#include <pthread.h>

#define POLYNOMIAL 0x82f63b78u /* its bits reversed */
#define STRIDE 8

static uint32_t table[STRIDE][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		table[0][i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[0][i] = table[0][i] >> 1 ^ (table[0][i] & 1 ? POLYNOMIAL : 0);
	}
	for (int later = 1; later < STRIDE; later++) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t before = table[later - 1][i];

			table[later][i] = before >> 8 ^ table[0][before & 0xff];
		}
	}
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	pthread_once(&once, make_table);
	crc = ~crc;
	for (; size >= STRIDE; size -= STRIDE, p += STRIDE) {
		crc = table[7][(crc ^ p[0]) & 0xff] ^ table[6][(crc >> 8 ^ p[1]) & 0xff] ^
		      table[5][(crc >> 16 ^ p[2]) & 0xff] ^ table[4][crc >> 24 ^ p[3]] ^
		      table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
	}
	for (; size; size--, p++)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return ~crc;
}
