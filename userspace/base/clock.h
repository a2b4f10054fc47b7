/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h - converts CLOCK_BOOTTIME, which events carry, to wall-clock time. */
#ifndef CACHEWARDEN_CLOCK_H
#define CACHEWARDEN_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_SEC 1000000000ull
#define NS_PER_MS 1000000ull

uint64_t clock_boot_ns(void);

/* CLOCK_MONOTONIC: stands still while the host is suspended. For how long something took. */
uint64_t clock_mono_ns(void);

/* How long the host was suspended since boot. */
uint64_t clock_suspended_ns(void);

/* A CLOCK_BOOTTIME instant in milliseconds since the epoch, by the wall clock as it is set now. */
int64_t clock_epoch_ms(uint64_t boot_ns);

/* "2026-11-27T14:03:09.123+01:00": ISO 8601 in local time, CLOCK_TEXT_LEN bytes with the terminator. */
#define CLOCK_TEXT_LEN 30
void clock_text(int64_t epoch_ms, char *buf, size_t size);

/* "2026-11-27T13:03:09.123Z", and "2026-11-27T13:03:09Z" of seconds: UTC (RFC 3339). "?" instead of the date if there is none. */
#define CLOCK_UTC_LEN 40
void clock_text_utc(int64_t epoch_ms, char buf[CLOCK_UTC_LEN]);
void clock_text_utc_s(int64_t epoch_s, char buf[CLOCK_UTC_LEN]);

/* "3 h 20 min 5 s" */
#define CLOCK_SPAN_LEN 64
void clock_text_span(int64_t ms, char buf[CLOCK_SPAN_LEN]);

#endif
