/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * largest_packet: measures the longest packet the interfaces of this network namespace carry, from "ready" on its
 * output until SIGTERM. It copies one byte of each packet and discards it.
 *
 * Ground truth: "largest", a length in bytes without the link-layer header.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <sys/socket.h>

#include "trigger.h"

static volatile sig_atomic_t ended;

static void end(int sig)
{
	ended = 1;
}

int main(void)
{
	struct sigaction act = {.sa_handler = end};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	long largest = 0, n;
	char byte;

	sigaction(SIGTERM, &act, NULL);
	if (fd < 0)
		trigger_die("packet socket");
	printf("ready\n");
	fflush(stdout);
	while (!ended) {
		n = recv(fd, &byte, 1, MSG_TRUNC);
		if (n > largest)
			largest = n;
	}
	trigger_report("\"largest\":%ld", largest);
	return 0;
}
