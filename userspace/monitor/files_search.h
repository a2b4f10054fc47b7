/* SPDX-License-Identifier: BSD-2-Clause */
/* files_search.h - files that an instance opened before the monitor started. */
#ifndef CACHEWARDEN_FILES_SEARCH_H
#define CACHEWARDEN_FILES_SEARCH_H

#include "model/instance.h"
#include "sensor/sensors.h"

/*
 * An instance was found running: look for what it opened before, by where it works, what it has open and the
 * configuration that names one of its ports. Each is told by an EVENT_FILE. Returns how many were found.
 */
size_t files_search(struct sensors *sensors, const struct instance *in);

#endif
