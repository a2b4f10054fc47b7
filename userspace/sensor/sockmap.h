/* SPDX-License-Identifier: BSD-2-Clause */
/* sockmap.h - BPF programs that are attached to sockmaps, and whose they are. */
#ifndef CACHEWARDEN_SOCKMAP_H
#define CACHEWARDEN_SOCKMAP_H

#include "sensor/sensors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOCKMAP_TEXT_LEN 128

/*
 * Describe the program with that id in words: type, id, name, tag, who loaded it, and a process that holds it or the
 * sockmap that it is attached to: "sk_msg program 12 redirect, tag 0123456789abcdef, of uid 0, held by meshd(345)". The
 * process is looked for among all descriptors of the host, not more often than every ten seconds, and else left out.
 * Returns false if the program is gone.
 */
bool sockmap_text(struct sensors *s, uint32_t program, char *buf, size_t size);

#endif
