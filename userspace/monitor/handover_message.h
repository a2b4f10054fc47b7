/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handover_message.h - what a monitor and the one that takes over from it say to each other: one word and its numbers in a
 * packet, as text. No I/O.
 */
#ifndef CACHEWARDEN_HANDOVER_MESSAGE_H
#define CACHEWARDEN_HANDOVER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANDOVER_VERSION 1 /* of these messages, and of the maps that go with the first */
#define HANDOVER_MESSAGE_LEN 64

enum handover_word {
	HANDOVER_HELLO, /* version, place in the chain; from the first, with descriptors */
	HANDOVER_READY, /* version; from the second: all is attached, nothing is reported yet */
	HANDOVER_AT, /* CLOCK_BOOTTIME in ns, epoch ms; from the first: who reports changes then */
	HANDOVER_DONE, /* from the first: its log, its sockets and its output are closed */
	HANDOVER_WORDS
};

struct handover_message {
	enum handover_word word;
	uint64_t number[2]; /* 0 where the word has none */
};

/* Returns the length of the text, without a NUL. */
size_t handover_put(const struct handover_message *m, char text[HANDOVER_MESSAGE_LEN]);

/* Is that exactly one message? If not, *ret is untouched. */
bool handover_parse(const char *text, size_t len, struct handover_message *ret);

#endif
