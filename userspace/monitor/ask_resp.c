// SPDX-License-Identifier: BSD-2-Clause
/* ask_resp.c - see ask_resp.h. */
#include "monitor/ask_resp.h"

#include <stdio.h>
#include <string.h>

enum ask_resp ask_resp(struct ask_link *l, const char *const *words, char buf[ASK_RESP_MAX],
		       struct server_reply *ret)
{
	char request[2 * ASK_RESP_WORD + 256];
	size_t used = 0, n = 0, got = 0;
	int64_t len = 0;
	ssize_t part;
	bool sent;

	while (words[n])
		n++;
	used = (size_t)snprintf(request, sizeof(request), "*%zu\r\n", n);
	for (size_t i = 0; i < n && used < sizeof(request); i++)
		used += (size_t)snprintf(request + used, sizeof(request) - used, "$%zu\r\n%s\r\n",
					 strlen(words[i]), words[i]);
	sent = used < sizeof(request) && ask_link_write(l, request, used);
	explicit_bzero(request, sizeof(request));
	while (sent && len == 0 && got < ASK_RESP_MAX) {
		part = ask_link_read(l, buf + got, ASK_RESP_MAX - got);
		if (part <= 0)
			break;
		got += (size_t)part;
		len = server_reply_parse(buf, got, ret);
	}
	return len > 0 ? ASK_RESP_OK : len < 0 ? ASK_RESP_FOREIGN : ASK_RESP_LOST;
}
