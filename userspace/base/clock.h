/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h - converts CLOCK_BOOTTIME, which events carry, to wall-clock time in UTC. */
#ifndef CACHEWARDEN_CLOCK_H
#define CACHEWARDEN_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_SEC 1000000000ull
#define NS_PER_MS 1000000ull

uint64_t clock_boot_ns(void);

/* A CLOCK_BOOTTIME instant in milliseconds since the epoch, by the wall clock as it is set now. */
int64_t clock_epoch_ms(uint64_t boot_ns);

/* "HH:MM:SS.mmm" in UTC, 13 bytes with the terminator. */
void clock_text(int64_t epoch_ms, char *buf, size_t size);

#endif
