/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mptcp: preloaded, it makes every TCP socket that a program asks for one of MPTCP, as mptcpize does.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MPTCP_PROTOCOL 262

int socket(int family, int type, int protocol)
{
	if ((family == AF_INET || family == AF_INET6) && (type & 0xf) == SOCK_STREAM &&
	    (protocol == 0 || protocol == IPPROTO_TCP))
		protocol = MPTCP_PROTOCOL;
	return (int)syscall(SYS_socket, family, type, protocol);
}
