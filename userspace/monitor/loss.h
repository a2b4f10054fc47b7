/* SPDX-License-Identifier: BSD-2-Clause */
/* loss.h - the kernel side's counters of what was not seen, by the names they have in tallies, in the status and as metrics. */
#ifndef CACHEWARDEN_LOSS_H
#define CACHEWARDEN_LOSS_H

#include "base/jsonw.h"
#include "map.h"

#include <stddef.h>

struct loss {
	enum counter_id id;
	const char *group, *name; /* rows of one group are adjacent */
};

extern const struct loss loss[];
extern const size_t losses;

/* One object for each group. value: by enum counter_id, COUNTER_MAX of them. Zeros, too. */
void losses_json(struct jsonw *j, const uint64_t value[]);

#endif
