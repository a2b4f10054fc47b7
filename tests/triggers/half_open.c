/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * half_open: connections that come to nothing, as many as there is room for.
 *
 *     syn A.B HOST PORT NUMBER       NUMBER SYNs, each from an address of its own in A.B.0.0/16, which nobody has: the
 *                                    server's answers are lost. Takes CAP_NET_RAW
 *     silent HOST PORT NUMBER        NUMBER connections that send nothing, to an address in 127/8. They stay
 *     begun HOST PORT NUMBER         the same; each sends the first two bytes of a handshake record
 *
 * Ground truth: "made", how many there were; "errno" of the first that failed.
 */
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "net.h"

#define FIRST_PORT 10000
#define SPARE_FDS 16
#define EACH 16000 /* connections from one address, which has some 28000 ports */

/* --- SYNs --- */

struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
};

static uint16_t tcp_checksum(const struct packet *p)
{
	const uint8_t rest[] = {0, IPPROTO_TCP, 0, sizeof(p->tcp)};
	uint32_t sum = checksum_add(0, &p->ip.saddr, 2 * sizeof(p->ip.saddr));

	return checksum_finish(
		checksum_add(checksum_add(sum, rest, sizeof(rest)), &p->tcp, sizeof(p->tcp)));
}

/* The last two bytes of its address are the number's, and its port if there are more. */
static void set_source(struct packet *p, in_addr_t net, uint32_t number)
{
	p->ip.saddr = net | htonl(number & 0xffff);
	p->tcp.source = htons((uint16_t)(FIRST_PORT + (number >> 16)));
	p->tcp.seq = htonl(number * 2654435761u);
	p->tcp.check = 0;
	p->tcp.check = tcp_checksum(p);
}

static void send_syns(const char *net, const struct sockaddr_in *to, long number)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), err = 0;
	char address[INET_ADDRSTRLEN];
	struct packet p = {
		.ip = {.version = 4,
		       .ihl = 5,
		       .tot_len = htons(sizeof(p)),
		       .ttl = 64,
		       .protocol = IPPROTO_TCP,
		       .daddr = to->sin_addr.s_addr},
		.tcp = {.dest = to->sin_port, .doff = 5, .syn = 1, .window = htons(65535)},
	};
	struct in_addr from;
	long made = 0;

	snprintf(address, sizeof(address), "%s.0.0", net);
	if (fd < 0 || !inet_aton(address, &from))
		trigger_die("raw socket, %s", address);
	for (long i = 0; i < number; i++) {
		set_source(&p, from.s_addr, (uint32_t)i);
		if (sendto(fd, &p, sizeof(p), 0, (const struct sockaddr *)to, sizeof(*to)) ==
		    sizeof(p))
			made++;
		else
			err = err ?: errno;
	}
	trigger_report("\"made\":%ld,\"errno\":%d", made, err);
}

/* --- connections --- */

/* Returns a socket that was connected from that address of loopback, or a negative errno. */
static int connect_from(uint32_t address, const struct sockaddr_in *to)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, err;

	if (fd >= 0 && !setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) &&
	    !bind(fd, (struct sockaddr *)&from, sizeof(from)) &&
	    !connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		return fd;
	err = errno;
	if (fd >= 0)
		close(fd);
	return -err;
}

struct made {
	long number;
	int err;
};

/* One process and one address have room for a part of them. */
__attribute__((noreturn)) static void hold(int report, uint32_t address,
					   const struct sockaddr_in *to, long number, int begin)
{
	struct rlimit files;
	struct made made = {};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getrlimit(RLIMIT_NOFILE, &files))
		trigger_die("getrlimit");
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	while (made.number < number && !made.err) {
		int fd = connect_from(address, to);

		if (fd >= 0 && begin && write(fd, "\x16\x03", 2) != 2)
			fd = -errno;
		made.err = fd < 0 ? -fd : 0;
		made.number += fd >= 0;
	}
	if (write(report, &made, sizeof(made)) != sizeof(made))
		trigger_die("report");
	trigger_stay();
}

static void hold_all(const struct sockaddr_in *to, long number, int begin)
{
	struct made all = {}, one;
	struct rlimit files;
	long each = EACH;
	int ends[2], children = 0;

	if (pipe(ends) || getrlimit(RLIMIT_NOFILE, &files))
		trigger_die("pipe");
	if ((long)files.rlim_max - SPARE_FDS < each)
		each = (long)files.rlim_max - SPARE_FDS;
	for (long left = number; left > 0; left -= each) {
		pid_t pid = fork();

		if (pid < 0)
			trigger_die("fork");
		children++;
		if (!pid)
			hold(ends[1], INADDR_LOOPBACK + (uint32_t)children, to,
			     left < each ? left : each, begin);
	}
	close(ends[1]);
	while (children-- && read(ends[0], &one, sizeof(one)) == sizeof(one)) {
		all.number += one.number;
		all.err = all.err ?: one.err;
	}
	trigger_report("\"made\":%ld,\"errno\":%d", all.number, all.err);
	trigger_stay();
}

int main(int argc, char **argv)
{
	int syn = argc == 6 && !strcmp(argv[1], "syn");
	struct sockaddr_in to = {.sin_family = AF_INET};

	if (!syn && (argc != 5 || (strcmp(argv[1], "silent") && strcmp(argv[1], "begun"))))
		trigger_usage("syn A.B HOST PORT NUMBER | silent|begun HOST PORT NUMBER");
	if (!inet_aton(argv[2 + syn], &to.sin_addr))
		trigger_die("address %s", argv[2 + syn]);
	to.sin_port = htons((uint16_t)atoi(argv[3 + syn]));
	if (syn)
		send_syns(argv[2], &to, atol(argv[5]));
	else
		hold_all(&to, atol(argv[4]), !strcmp(argv[1], "begun"));
	return 0;
}
