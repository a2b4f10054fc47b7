/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * largest: how long the longest packet is that this network namespace saw, as its interfaces have it, until it
 * is told to end (SIGTERM). A capture that keeps no byte.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <sys/socket.h>

#include "trigger.h"

static volatile sig_atomic_t over;

static void end(int sig)
{
	over = 1;
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
	while (!over) {
		n = recv(fd, &byte, 1, MSG_TRUNC);
		if (n > largest)
			largest = n;
	}
	trigger_report("\"tid\":%d,\"largest\":%ld", getpid(), largest);
	return 0;
}
