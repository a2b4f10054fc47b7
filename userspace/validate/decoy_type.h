/* SPDX-License-Identifier: BSD-2-Clause */
/* decoy_type.h - what is known of a decoy, and of the server that it is to be like: see decoy.h. */
#ifndef CACHEWARDEN_DECOY_TYPE_H
#define CACHEWARDEN_DECOY_TYPE_H

#include "validate/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DECOY_PATH 64
#define DECOY_PASSWORD 32

/* What it accepts for the drills that need it: TLS 1.1, and suites without encryption. */
#define DECOY_PROTOCOLS "TLSv1.1 TLSv1.2 TLSv1.3"
#define DECOY_CIPHERS "ALL:eNULL:@SECLEVEL=0"

struct decoy_user {
	uid_t uid;
	gid_t gid;
};

/* The server that it is to be like. */
struct decoy_like {
	pid_t pid;
	const char *name; /* that it is called by; a port may follow */
	struct decoy_user user;
	bool rsa; /* its key is one of RSA, else of an elliptic curve */
	const struct options *options;
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
	bool rsa;
	bool like_server; /* it has the server's options, else permissive ones of its own */
	char dir[DECOY_PATH];
	char config[DECOY_PATH], key[DECOY_PATH];
	char data[DECOY_PATH], socket[DECOY_PATH]; /* where it may write */
	char library[DECOY_PATH];	   /* to load into it; empty: no place to execute it from */
	char password[DECOY_PASSWORD + 1]; /* strangers are refused every command */
};

#endif
