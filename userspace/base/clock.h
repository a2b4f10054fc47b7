/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h - the kernel side stamps CLOCK_BOOTTIME; people read UTC. */
#ifndef CACHEWARDEN_CLOCK_H
#define CACHEWARDEN_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_SEC 1000000000ull
#define NS_PER_MS 1000000ull

uint64_t clock_boot_ns(void);

/* Milliseconds since the epoch of a CLOCK_BOOTTIME instant, by the clock as it is set now. */
int64_t clock_epoch_ms(uint64_t boot_ns);

/* "HH:MM:SS.mmm" UTC of an epoch time; buf holds at least 13 bytes. */
void clock_text(int64_t epoch_ms, char *buf, size_t size);

#endif
