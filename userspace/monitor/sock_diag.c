// SPDX-License-Identifier: BSD-2-Clause
/* sock_diag.c - see sock_diag.h. */
#include "monitor/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
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
	uint64_t cookie =
		c->cookie ?: ~0ull; /* INET_DIAG_NOCOOKIE: match by addresses and ports alone */

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

int sock_diag_netns(pid_t pid, int *ret_fd)
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

static int open_here(void)
{
	struct timeval limit = {.tv_usec = 200000};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

int sock_diag_open(pid_t pid)
{
	int target = -1, own, fd, err = sock_diag_netns(pid, &target);

	if (err)
		return err == 1 ? open_here() : err;
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(target, CLONE_NEWNET))
		err = -errno;
	fd = err ?: open_here();
	if (own >= 0 && setns(own, CLONE_NEWNET) && fd >= 0) {
		err = -errno;
		close(fd);
		fd = err;
	}
	if (own >= 0)
		close(own);
	close(target);
	return fd;
}

int sock_diag_find(int fd, const struct conn_info *c, struct inet_diag_msg *ret)
{
	struct reply reply;
	struct request r;
	int err;

	request_fill(&r, c);
	err = exchange(fd, &r, SOCK_DIAG_BY_FAMILY, 0, &reply);
	if (err)
		return err;
	if (reply.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -EBADMSG;
	/* if the connection is gone, the kernel matches the listening socket instead */
	if (reply.found.id.idiag_dport != r.diag.id.idiag_dport)
		return -ENOENT;
	*ret = reply.found;
	return 0;
}

int sock_diag_destroy(int fd, const struct conn_info *c)
{
	struct reply reply;
	struct request r;
	int err;

	request_fill(&r, c);
	err = exchange(fd, &r, SOCK_DESTROY, NLM_F_ACK, &reply);
	return err ?: reply.head.nlmsg_type == NLMSG_ERROR ? 0 : -EBADMSG;
}
