/* SPDX-License-Identifier: BSD-2-Clause */
/* mptcp: preloaded into a program, turns each TCP socket it makes into an MPTCP one, as mptcpize does. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MPTCP_PROTOCOL 262
#define SOCK_TYPE_MASK 0xf

int socket(int family, int type, int protocol)
{
	if ((family == AF_INET || family == AF_INET6) && (type & SOCK_TYPE_MASK) == SOCK_STREAM &&
	    (protocol == 0 || protocol == IPPROTO_TCP))
		protocol = MPTCP_PROTOCOL;
	return (int)syscall(SYS_socket, family, type, protocol);
}
