/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry.h - what stands in the log: JSON in the shape of RFC 8785 (JCS), so that one content has one form: no white space,
 * keys sorted, integers only. Pure: no I/O.
 *
 *	{"kind":"incident","record":{...},"time":1795526837000}
 *
 * time is when it was logged, epoch milliseconds. An incident that is too large for one entry becomes several, each with a
 * part of its actions: "part":1,"parts":2. Of any other that is too large, what OCSF repeats is left out; then long texts are
 * cut, and end with "...".
 */
#ifndef CACHEWARDEN_ENTRY_H
#define CACHEWARDEN_ENTRY_H

#include "evidence/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY_MAX FRAME_ENTRY_MAX

/* Takes one entry. Returns 0 or a negative errno. */
typedef int (*entry_fn)(void *ctx, const char *entry, size_t len);

/*
 * Make the entries of a record, a JSON object, and hand each to fn. Returns 0; -EINVAL if it is no JSON object or has a
 * number that is no integer; -E2BIG if it does not fit; -ENOMEM; or what fn returned.
 */
int entry_make(const char *kind, int64_t time_ms, const char *record, size_t len, entry_fn fn,
	       void *ctx);

/* Is an entry of that kind? Looks only at its first bytes. */
bool entry_is(const char *entry, size_t len, const char *kind);

/* The text under that key of an entry's record. Returns its length, 0 if there is none or it is size or longer. */
size_t entry_text(const char *entry, size_t len, const char *key, char *buf, size_t size);

/* The number under that key of an entry's record. False: there is none. */
bool entry_number(const char *entry, size_t len, const char *key, uint64_t *ret);

/* When it was logged, epoch milliseconds; INT64_MAX if it does not say. */
int64_t entry_time(const char *entry, size_t len);

#endif
