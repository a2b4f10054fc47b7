// SPDX-License-Identifier: BSD-2-Clause
/* reset.c - see reset.h. sock_diag(7) with SOCK_DESTROY. */
#include "monitor/reset.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 diag;
};

struct reply {
	struct nlmsghdr head;
	union {
		struct nlmsgerr err;
		struct inet_diag_msg found;
		char room[512];
	};
};

static void request_fill(struct request *r, const struct conn_info *c)
{
	size_t skip = c->ipv6 ? 0 : 12, len = c->ipv6 ? 16 : 4;
	uint64_t cookie = c->cookie ?: ~0ull; /* INET_DIAG_NOCOOKIE: by addresses and ports alone */

	*r = (struct request){
		.head = {.nlmsg_len = sizeof(*r)},
		.diag = {.sdiag_family = c->ipv6 ? AF_INET6 : AF_INET,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = ~0u,
			 .id = {.idiag_sport = htons(c->ends.local_port),
				.idiag_dport = htons(c->ends.remote_port),
				.idiag_cookie = {(uint32_t)cookie, (uint32_t)(cookie >> 32)}}},
	};
	memcpy(r->diag.id.idiag_src, c->ends.local_ip + skip, len);
	memcpy(r->diag.id.idiag_dst, c->ends.remote_ip + skip, len);
}

/* Send a request and read the reply. Returns 0 or a negative errno. */
static int exchange(int fd, struct request *r, uint16_t type, uint16_t flags, struct reply *ret)
{
	*ret = (struct reply){};
	r->head.nlmsg_type = type;
	r->head.nlmsg_flags = NLM_F_REQUEST | flags;
	if (send(fd, r, sizeof(*r), 0) < 0 || recv(fd, ret, sizeof(*ret), 0) < 0)
		return -errno;
	return ret->head.nlmsg_type == NLMSG_ERROR ? ret->err.error : 0;
}

/*
 * Look up the connection's cookie first: once the connection is gone, the kernel matches the listening socket instead, and
 * SOCK_DESTROY without a cookie would close that.
 */
static int resolve_cookie(int fd, struct request *r)
{
	struct reply reply;
	int err = exchange(fd, r, SOCK_DIAG_BY_FAMILY, 0, &reply);

	if (err)
		return err;
	if (reply.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -EBADMSG;
	if (reply.found.id.idiag_dport != r->diag.id.idiag_dport)
		return -ENOENT;
	memcpy(r->diag.id.idiag_cookie, reply.found.id.idiag_cookie,
	       sizeof(r->diag.id.idiag_cookie));
	return 0;
}

/* Open the network namespace of pid. Returns 0, 1 if it is the monitor's own, or a negative errno. */
static int netns_open(pid_t pid, int *ret_fd)
{
	struct stat own, other;
	char path[48];

	if (!pid)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (stat(path, &other))
		return errno == ENOENT ? -ESRCH : -errno;
	if (stat("/proc/self/ns/net", &own))
		return -errno;
	if (other.st_ino == own.st_ino)
		return 1;
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

/* Open a sock_diag socket in the network namespace of pid. Returns it or a negative errno. */
static int diag_socket(pid_t pid)
{
	int target = -1, own, fd, err = netns_open(pid, &target);

	if (err == 1) {
		fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
		return fd < 0 ? -errno : fd;
	}
	if (err)
		return err;
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(target, CLONE_NEWNET))
		err = -errno;
	fd = err ? -1 : socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (!err && fd < 0)
		err = -errno;
	if (own >= 0 && setns(own, CLONE_NEWNET) && !err)
		err = -errno;
	if (own >= 0)
		close(own);
	close(target);
	if (err && fd >= 0)
		close(fd);
	return err ?: fd;
}

int reset_connection(const struct conn_info *conn, pid_t pid, const char **ret_step)
{
	struct timeval limit = {.tv_usec = 200000};
	int fd = diag_socket(pid), err;
	struct reply reply;
	struct request r;

	*ret_step = "the network namespace of its server";
	if (fd < 0)
		return fd;
	*ret_step = "sock_diag";
	request_fill(&r, conn);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	err = conn->cookie ? 0 : resolve_cookie(fd, &r);
	if (!err)
		err = exchange(fd, &r, SOCK_DESTROY, NLM_F_ACK, &reply);
	if (!err && reply.head.nlmsg_type != NLMSG_ERROR)
		err = -EBADMSG;
	close(fd);
	return err;
}
