/* SPDX-License-Identifier: BSD-2-Clause */
/* control_json.h - the client's end of requests that are answered with a JSON object. */
#ifndef CACHEWARDEN_CONTROL_JSON_H
#define CACHEWARDEN_CONTROL_JSON_H

#include "monitor/control.h"

#include <jansson.h>

/*
 * Ask a monitor, as control_query(). Returns 0 or a negative errno: -EBADMSG if there is no whole object, which is how a monitor of another version
 * says that it does not know the request. *ret is to be freed.
 */
int control_query_json(const char *dir, pid_t pid, char request, uint64_t number, json_t **ret);

#endif
