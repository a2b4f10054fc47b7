/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service.h - what a service and its manager say to each other, as systemd does it: sd_notify(3) by datagrams to $NOTIFY_SOCKET, the
 * watchdog, and a socket that the manager listens on ($LISTEN_FDS). Without a manager nothing is said. No libsystemd: it is three
 * variables and a datagram.
 */
#ifndef CACHEWARDEN_SERVICE_H
#define CACHEWARDEN_SERVICE_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct service {
	int fd; /* -1: there is no manager */
	struct sockaddr_un to;
	socklen_t len;
	uint64_t alive_every_ns; /* 0: no watchdog */
	uint64_t alive_ns;	 /* when it was last told */
	int listen_fd;		 /* -1: none */
};

/* Read the environment, and remove from it what is for this process alone. */
void service_open(struct service *s);
void service_close(struct service *s);

/* In a child that is to be the service: put into the environment what the manager said to this process. */
void service_pass(const struct service *s);

/* Lines of NAME=VALUE, "READY=1". What cannot be sent is not: the manager is gone, or will find out by its watchdog. */
__attribute__((format(printf, 2, 3))) void service_say(const struct service *s, const char *fmt,
						       ...);

/* The main loop goes round: feeds the watchdog, in a third of its time. */
void service_alive(struct service *s, uint64_t now_ns);

/* What it was told to read again will be in force once "READY=1" is said. */
void service_reloading(const struct service *s);

#endif
