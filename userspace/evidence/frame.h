/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame.h - the records of the write-ahead log: length, CRC-32C of length and entry, entry; both numbers of 32 bits,
 * little-endian. Pure: no I/O.
 */
#ifndef CACHEWARDEN_FRAME_H
#define CACHEWARDEN_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD 8
#define FRAME_ENTRY_MAX 32768

enum frame_error { FRAME_FINE, FRAME_END, FRAME_CUT, FRAME_LENGTH, FRAME_CHECKSUM };

/*
 * The record at *at of these bytes. On FRAME_FINE, *ret points to its entry and *at is behind it; FRAME_END: there is none
 * left; else what is wrong with it. *at is unchanged on all but FRAME_FINE.
 */
enum frame_error frame_next(const uint8_t *bytes, size_t size, size_t *at, const char **ret,
			    size_t *ret_len);
const char *frame_error_text(enum frame_error e);

/* Length of a record that is known to be good, its head included. */
size_t frame_len(const uint8_t *record);

/* Writes a record of FRAME_HEAD + len bytes. len is 1 to FRAME_ENTRY_MAX. */
void frame_put(uint8_t *buf, const char *entry, size_t len);

#endif
