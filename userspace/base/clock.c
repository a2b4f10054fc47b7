// SPDX-License-Identifier: BSD-2-Clause
/* clock.c - see clock.h. The offset between the clocks is never cached, because the wall clock may be set. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t ns_of(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * (int64_t)NS_PER_SEC + ts.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
	return ns_of(CLOCK_BOOTTIME);
}

uint64_t clock_mono_ns(void)
{
	return ns_of(CLOCK_MONOTONIC);
}

uint64_t clock_suspended_ns(void)
{
	int64_t before, boot, after;

	do { /* until no other process ran between the two clocks */
		before = ns_of(CLOCK_MONOTONIC);
		boot = ns_of(CLOCK_BOOTTIME);
		after = ns_of(CLOCK_MONOTONIC);
	} while (after - before > (int64_t)NS_PER_MS);
	return boot > before ? (uint64_t)(boot - before) : 0;
}

int64_t clock_epoch_ms(uint64_t boot_ns)
{
	int64_t boot = ns_of(CLOCK_BOOTTIME), real = ns_of(CLOCK_REALTIME);

	return ((int64_t)boot_ns + real - boot) / (int64_t)NS_PER_MS;
}

void clock_text(int64_t epoch_ms, char *buf, size_t size)
{
	time_t sec = epoch_ms / 1000;
	char date[24], zone[8];
	struct tm tm;

	localtime_r(&sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(buf, size, "%s.%03d%.3s:%.2s", date, (int)(epoch_ms % 1000), zone, zone + 3);
}
