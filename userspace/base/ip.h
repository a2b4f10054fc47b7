/* SPDX-License-Identifier: BSD-2-Clause */
/* ip.h - IP addresses as text. */
#ifndef CACHEWARDEN_IP_H
#define CACHEWARDEN_IP_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Write an address of 16 bytes, network order, IPv4 mapped, as text of its own family. */
static inline void ip_text(const uint8_t ip[16], bool ipv6, char *buf, size_t size)
{
	inet_ntop(ipv6 ? AF_INET6 : AF_INET, ipv6 ? ip : ip + 12, buf, (socklen_t)size);
}

#endif
