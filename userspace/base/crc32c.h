/* SPDX-License-Identifier: BSD-2-Clause */
/* crc32c.h - CRC-32C (Castagnoli, RFC 3720 B.4): finds damage, not tampering. */
#ifndef CACHEWARDEN_CRC32C_H
#define CACHEWARDEN_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of the bytes summed into crc so far, followed by these. Start with 0. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);

#endif
