/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decoy.h - a server for drills: the executable of another one with a configuration, a key and a directory of its own, on loopback, as
 * a user that nobody else is, where its executable is root's alone, else as the server's. It is permissive on purpose: it answers plaintext, TLS 1.1, and suites without encryption; but it runs
 * commands for nobody without its password.
 */
#ifndef CACHEWARDEN_DECOY_H
#define CACHEWARDEN_DECOY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DECOY_PATH 64
#define DECOY_PASSWORD 32

struct decoy_user {
	uid_t uid;
	gid_t gid;
};

/* Where a server listens. */
struct decoy_end {
	uint8_t ip[16]; /* IPv4 mapped */
	uint16_t port;	/* 0: nowhere */
};

#define DECOY_DATAGRAMS 3 /* descriptor of a UDP socket that it was given, and does not use */

struct decoy {
	pid_t pid;
	uid_t uid; /* of no other process, mostly */
	gid_t gid;
	uint16_t port, tls_port; /* on 127.0.0.1 */
	void *page;		 /* that it maps read-only */
	char dir[DECOY_PATH];
	char config[DECOY_PATH], key[DECOY_PATH];
	char library[DECOY_PATH];	   /* to load into it; empty: no place to execute it from */
	char password[DECOY_PASSWORD + 1]; /* strangers are refused every command */
};

/*
 * Start one like that process of that user, whose name may end with a port, and wait until it listens. Returns false with the reason in
 * why; stop it in all cases.
 */
bool decoy_start(struct decoy *d, pid_t like, const char *name, struct decoy_user u, char *why,
		 size_t size);
void decoy_stop(struct decoy *d);

/* The port of this end of a connection; 0: unknown. */
uint16_t decoy_peer_port(int fd);

/* One of its ports. */
struct decoy_end decoy_end(uint16_t port);

/* A connection, -1 and errno. What waits on it ends after a second. */
int decoy_connect(const struct decoy_end *to);

#endif
