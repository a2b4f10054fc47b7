/* SPDX-License-Identifier: BSD-2-Clause */
/* http_address.h - "HOST:PORT" or "unix:/PATH" as a socket address. */
#ifndef CACHEWARDEN_HTTP_ADDRESS_H
#define CACHEWARDEN_HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct http_address {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* numeric: HOST must be a number, so that no name server is asked. Returns 0, -EINVAL, or -EHOSTUNREACH: no such host. */
int http_address_parse(struct http_address *a, const char *text, bool numeric);

/* Is that an address, by number, that only this host can reach? */
bool http_address_is_local(const char *text);

#endif
