/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decoy.h - a server for drills: the executable of another one, with its options if they are known (see option.h), but with a key and a
 * directory of its own, on loopback. Mostly it runs as a user that nobody else is: with the server's uid, whoever has taken over the
 * server could take over the decoy as well, which is outside of the server's unit and container. It answers plaintext on one of its ports, and for some
 * drills it is told to accept old TLS; but it runs commands for nobody without its password.
 */
#ifndef CACHEWARDEN_DECOY_H
#define CACHEWARDEN_DECOY_H

#include "validate/decoy_type.h"

/* Start one and wait until it listens. Returns false with the reason in why; stop it in all cases. */
bool decoy_start(struct decoy *d, const struct decoy_like *like, char *why, size_t size);
void decoy_stop(struct decoy *d);

/* The port of this end of a connection; 0: unknown. */
uint16_t decoy_peer_port(int fd);

/* A connection for commands, on its UNIX socket, where no monitor of the network stops them; -1: none. */
int decoy_commands(const struct decoy *d);

/* One of its ports. */
struct decoy_end decoy_end(uint16_t port);

/* A connection, -1 and errno. What waits on it ends after a second. */
int decoy_connect(const struct decoy_end *to);

#endif
