/* SPDX-License-Identifier: BSD-2-Clause */
/* baseline.h - what changed since an earlier verdict. */
#ifndef CACHEWARDEN_BASELINE_H
#define CACHEWARDEN_BASELINE_H

#include "validate/verdict.h"

/*
 * Compare with a report that write_json() wrote to that file: each check whose verdict was another one gets it as `before`.
 * Returns false with the reason in error if the file is none.
 */
bool baseline_compare(struct verdict_report *r, const char *file, char *error, size_t size);

#endif
