/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.h - tls_load() on a plain buffer: ctx points at its first byte. Include it before the parsers
 * in include/tls/, which read all their bytes through tls_load().
 */
#ifndef STREAMS_LOAD_H
#define STREAMS_LOAD_H

#include <linux/types.h>

static inline __attribute__((always_inline)) __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	const __u8 *bytes = ctx;
	__u64 v = 0;

	for (__u32 i = 0; i < n; i++)
		v |= (__u64)bytes[off + i] << (8 * i);
	return v;
}

#endif
