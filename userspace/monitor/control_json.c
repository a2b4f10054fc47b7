// SPDX-License-Identifier: BSD-2-Clause
/* control_json.c - see control_json.h. */
#include "monitor/control_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int collect(void *ctx, const char *bytes, size_t len)
{
	return fwrite(bytes, 1, len, ctx) == len ? 0 : -ENOMEM;
}

int control_query_json(const char *dir, pid_t pid, char request, uint64_t number, json_t **ret)
{
	const struct control_request ask = {.letter = request, .number = number};
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	json_t *object = NULL;
	int err;

	if (!to)
		return -ENOMEM;
	err = control_query(dir, pid, &ask, collect, to);
	if (fclose(to) && !err)
		err = -ENOMEM;
	if (err == -ECONNRESET) /* it closed without reading all of the request */
		err = -EBADMSG;
	if (!err)
		object = json_loadb(text, len, 0, NULL);
	if (!err && !json_is_object(object)) {
		json_decref(object);
		err = -EBADMSG;
	}
	free(text);
	if (!err)
		*ret = object;
	return err;
}
