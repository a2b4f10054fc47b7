// SPDX-License-Identifier: BSD-2-Clause
/* clock.c - see clock.h. The offset between the clocks is never cached, because the wall clock may be set. */
#include "base/clock.h"

#include <inttypes.h>
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

static void utc(int64_t epoch_s, const char *fraction, char buf[CLOCK_UTC_LEN])
{
	time_t sec = (time_t)epoch_s;
	char date[24];
	struct tm tm;

	if (!gmtime_r(&sec, &tm) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm))
		snprintf(date, sizeof(date), "?");
	snprintf(buf, CLOCK_UTC_LEN, "%s%sZ", date, fraction);
}

void clock_text_utc_s(int64_t epoch_s, char buf[CLOCK_UTC_LEN])
{
	utc(epoch_s, "", buf);
}

void clock_text_utc(int64_t epoch_ms, char buf[CLOCK_UTC_LEN])
{
	int64_t s = epoch_ms / 1000, ms = epoch_ms % 1000;
	char fraction[8];

	if (ms < 0) {
		ms += 1000;
		s--;
	}
	snprintf(fraction, sizeof(fraction), ".%03u", (unsigned int)ms % 1000);
	utc(s, fraction, buf);
}

void clock_text_span(int64_t ms, char buf[CLOCK_SPAN_LEN])
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		int64_t n = ms / units[i].ms;

		ms %= units[i].ms;
		if (n && used < CLOCK_SPAN_LEN)
			used += (size_t)snprintf(buf + used, CLOCK_SPAN_LEN - used,
						 "%s%" PRId64 " %s", used ? " " : "", n,
						 units[i].unit);
	}
	if (ms && used < CLOCK_SPAN_LEN)
		used += (size_t)snprintf(buf + used, CLOCK_SPAN_LEN - used, "%s%" PRId64 " ms",
					 used ? " " : "", ms);
	if (!used)
		snprintf(buf, CLOCK_SPAN_LEN, "0 s");
}
