/* SPDX-License-Identifier: BSD-2-Clause */
/* timeline.h - an entry as an item of a timeline, as Timesketch reads it. Pure: no I/O. */
#ifndef CACHEWARDEN_TIMELINE_H
#define CACHEWARDEN_TIMELINE_H

#include <jansson.h>
#include <stdint.h>

/*
 * An object with message, datetime (ISO 8601, UTC), timestamp (microseconds), timestamp_desc, and the number of the entry; new. NULL: nothing
 * happened in it (keys, tallies, signs of life), or it is damaged.
 */
json_t *timeline_item(json_t *entry, uint64_t index);

#endif
