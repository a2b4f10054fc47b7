// SPDX-License-Identifier: BSD-2-Clause
/* http_address.c - see http_address.h. */
#include "base/http_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* "HOST:PORT" or "[HOST]:PORT", taken apart. */
static int split(const char *text, char host[256], char port[8])
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0, digits;

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (len && memchr(text, ':', len)) {
		return -EINVAL; /* an IPv6 address needs its brackets */
	}
	if (!len || len >= 256)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	digits = strspn(colon + 1, "0123456789");
	if (!digits || digits > 5 || colon[1 + digits] || strtoul(colon + 1, NULL, 10) > 65535)
		return -EINVAL;
	memcpy(port, colon + 1, digits + 1);
	return 0;
}

static int parse_unix(struct http_address *a, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->addr;

	if (path[0] != '/' || strlen(path) >= sizeof(un->sun_path))
		return -EINVAL;
	*a = (struct http_address){.len = sizeof(*un)};
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, strlen(path));
	return 0;
}

int http_address_parse(struct http_address *a, const char *text, bool numeric)
{
	struct addrinfo *found,
		hints = {.ai_socktype = SOCK_STREAM,
			 .ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : 0)};
	char host[256], port[8];
	int err;

	if (!strncmp(text, "unix:", 5))
		return parse_unix(a, text + 5);
	err = split(text, host, port);
	if (err)
		return err;
	if (getaddrinfo(host, port, &hints, &found))
		return numeric ? -EINVAL : -EHOSTUNREACH;
	*a = (struct http_address){.len = found->ai_addrlen};
	memcpy(&a->addr, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

bool http_address_is_local(const char *text)
{
	struct http_address a;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a.addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a.addr;

	if (http_address_parse(&a, text, true))
		return false;
	switch (a.addr.ss_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(v4->sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	default:
		return false;
	}
}
