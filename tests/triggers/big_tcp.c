/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * big_tcp: lets an interface build (GSO) and merge (GRO) TCP segments of up to BYTES, as newer versions of
 * ip(8) can. Fails where the kernel refuses the size or does not know the attribute.
 *
 * Ground truth: "size", which the kernel confirmed.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "trigger.h"

/* linux/if_link.h: 6.1 has the first two, 6.3 all */
#define GSO_MAX_SIZE 41
#define GRO_MAX_SIZE 58
#define GSO_IPV4_MAX_SIZE 63
#define GRO_IPV4_MAX_SIZE 64

struct request {
	struct nlmsghdr head;
	struct ifinfomsg link;
	struct {
		struct rtattr head;
		uint32_t value;
	} sizes[2];
};

static long transact(int fd, const void *request, size_t len, void *reply, size_t room)
{
	if (send(fd, request, len, 0) != (ssize_t)len)
		trigger_die("netlink");
	return recv(fd, reply, room, 0);
}

int main(int argc, char **argv)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), types[2], found = 0;
	_Alignas(struct nlmsghdr) char reply[16384];
	struct nlmsghdr *head = (struct nlmsghdr *)reply;
	struct request r = {.head = {.nlmsg_len = sizeof(r),
				     .nlmsg_type = RTM_NEWLINK,
				     .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK}};
	struct rtattr *a;
	size_t len;

	if (argc < 4)
		trigger_usage("DEVICE BYTES ipv4|ipv6");
	r.link.ifi_index = (int)if_nametoindex(argv[1]);
	types[0] = strcmp(argv[3], "ipv4") ? GSO_MAX_SIZE : GSO_IPV4_MAX_SIZE;
	types[1] = strcmp(argv[3], "ipv4") ? GRO_MAX_SIZE : GRO_IPV4_MAX_SIZE;
	for (int i = 0; i < 2; i++) {
		r.sizes[i].head.rta_len = sizeof(r.sizes[i]);
		r.sizes[i].head.rta_type = types[i];
		r.sizes[i].value = (uint32_t)atol(argv[2]);
	}
	if (transact(fd, &r, sizeof(r), reply, sizeof(reply)) < (long)sizeof(struct nlmsgerr) ||
	    head->nlmsg_type != NLMSG_ERROR)
		trigger_die("no acknowledgement");
	errno = -((struct nlmsgerr *)NLMSG_DATA(head))->error;
	if (errno)
		trigger_die("%s", argv[1]);
	/* read the sizes back: an older kernel ignores unknown attributes */
	r.head.nlmsg_type = RTM_GETLINK;
	r.head.nlmsg_flags = NLM_F_REQUEST;
	r.head.nlmsg_len = NLMSG_LENGTH(sizeof(r.link));
	len = transact(fd, &r, r.head.nlmsg_len, reply, sizeof(reply));
	if (!NLMSG_OK(head, len) || head->nlmsg_type != RTM_NEWLINK)
		trigger_die("no link in the reply");
	len = IFLA_PAYLOAD(head);
	for (a = IFLA_RTA(NLMSG_DATA(head)); RTA_OK(a, len); a = RTA_NEXT(a, len))
		found += (a->rta_type == types[0] || a->rta_type == types[1]) &&
			 *(uint32_t *)RTA_DATA(a) == r.sizes[0].value;
	if (found != 2) {
		errno = EOPNOTSUPP;
		trigger_die("%s", argv[1]);
	}
	trigger_report("\"size\":%u", r.sizes[0].value);
	return 0;
}
