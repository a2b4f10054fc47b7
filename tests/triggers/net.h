/* SPDX-License-Identifier: BSD-2-Clause */
/* net.h - TCP sockets and the Internet checksum, for the triggers that use the network. */
#ifndef TRIGGER_NET_H
#define TRIGGER_NET_H

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "trigger.h"

/* To be freed by freeaddrinfo(3). */
static inline struct addrinfo *net_resolve(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *to;

	if (getaddrinfo(host, port, &hints, &to))
		trigger_die("address %s %s", host, port);
	return to;
}

static inline int net_connect(const char *host, const char *port)
{
	struct addrinfo *to = net_resolve(host, port);
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen))
		trigger_die("connect %s %s", host, port);
	freeaddrinfo(to);
	return fd;
}

/* A listener on 127.0.0.1; port 0 takes a free one. flags: SOCK_CLOEXEC or 0. */
static inline int net_listen(int port, int flags)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8))
		trigger_die("listen on port %d", port);
	return fd;
}

/* The socket's own port, IPv4 or IPv6. */
static inline int net_port(int fd)
{
	struct sockaddr_in6 own = {};
	socklen_t len = sizeof(own);

	getsockname(fd, (struct sockaddr *)&own, &len);
	return ntohs(own.sin6_port);
}

/* RFC 1071: add the parts, each but the last of even length, then finish. */
static inline uint32_t checksum_add(uint32_t sum, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	return sum;
}

static inline uint16_t checksum_finish(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

/*
 * Writes n payload bytes of a value whose content does not repeat soon, from byte `offset` of it on.
 * Lost, doubled or reordered bytes show up in a comparison.
 */
static inline void value_fill(char *to, size_t offset, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (char)((offset + i) * 2654435761u >> 13);
}

/* A RESP command that stores a value of len bytes: all but the value and its CRLF. Returns its length. */
static inline size_t value_set_command(char *to, size_t len)
{
	return sprintf(to, "*3\r\n$3\r\nSET\r\n$8\r\nv%07d\r\n$%zu\r\n", getpid(), len);
}

/* The command that reads it back. Returns its length. */
static inline size_t value_get_command(char *to)
{
	return sprintf(to, "*2\r\n$3\r\nGET\r\n$8\r\nv%07d\r\n", getpid());
}

#endif
