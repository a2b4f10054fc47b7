// SPDX-License-Identifier: BSD-2-Clause
/* server_name.c - see server_name.h. */
#include "model/server_name.h"

#include <stdio.h>
#include <string.h>

#define DIGITS 10
#define NAME_LEN 64

const char *const server_names[] = {"redis-server",   "valkey-server",	 "keydb-server",
				    "redis-sentinel", "valkey-sentinel", NULL};

size_t server_name_prefix(const char *name, unsigned int i, char *buf, size_t size)
{
	size_t len = strlen(name);

	if (i > DIGITS || len + (i ? 2 : 1) > size)
		return 0;
	memcpy(buf, name, len + 1);
	if (!i)
		return len + 1;
	buf[len] = '-';
	buf[len + 1] = (char)('0' + i - 1);
	return len + 2;
}

bool server_name_in_title(const char *title)
{
	const char *slash = strrchr(title, '/'), *base = slash ? slash + 1 : title;
	char word[NAME_LEN], prefix[NAME_LEN];
	size_t len;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(base, " "), base);
	for (const char *const *name = server_names; *name; name++) {
		for (unsigned int i = 0;
		     (len = server_name_prefix(*name, i, prefix, sizeof(prefix))); i++) {
			if (!strncmp(word, prefix, len))
				return true;
		}
	}
	return false;
}
