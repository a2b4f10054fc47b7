/* SPDX-License-Identifier: BSD-2-Clause */
/* custody.h - where a bundle comes from: who made it when, on which host, by which program; and what the clocks of the log's host said. */
#ifndef CACHEWARDEN_CUSTODY_H
#define CACHEWARDEN_CUSTODY_H

#include "attest/casefile.h"

/* custody.json, of this process now. blobs: as they are in the bundle; missing: those that are not, with the reason. Takes both. */
json_t *custody_json(const struct casefile *c, json_t *blobs, json_t *missing);

/* clock.json, made from the entries. */
json_t *clock_json(const struct casefile *c);

#endif
