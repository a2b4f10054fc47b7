/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * resp.h - says what the first bytes of a segment that is no TLS look like, and where in them a Redis
 * command's name would stand. It never says what the bytes are.
 *
 * Pure and bounded: reads at most RESP_LOOK bytes of a buffer of that size, zero padded.
 * RESP: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
#ifndef CACHEWARDEN_RESP_H
#define CACHEWARDEN_RESP_H

#include "event.h"
#include "map.h"

#define RESP_LOOK 64 /* "*1048576\r\n$24\r\n" and a name fit; power of two */
#define RESP_PRINTABLE_MIN 24 /* (97/256)^24: random bytes look printable once in 10^10 segments */

struct resp_look {
	__u8 bytes[RESP_LOOK]; /* in: the segment's first bytes, zero padded */
	__u32 len;	       /* in: how many */
	__u32 saw;	       /* out: enum saw_id */
	__u32 name;	       /* out: offset of a command's name, valid if name_len */
	__u32 name_len;	       /* out: 1..COMMAND_LEN, 0: none */
	/* Cursor. It lives here and not in a local, so that the BPF verifier, which follows a local's every
	 * value, sees one unknown number instead. */
	__u32 at;
	__u32 number;
	__u32 count;
};

static inline __u8 resp_byte(const struct resp_look *l, __u32 at)
{
	return l->bytes[at & (RESP_LOOK - 1)];
}

static inline int resp_digit(__u8 c)
{
	return c >= '0' && c <= '9';
}

static inline int resp_letter(__u8 c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Read a decimal number and CR LF at l->at into l->number and step behind it; 0 if none is there. */
static inline int resp_number(struct resp_look *l)
{
	l->number = 0;
	l->count = 0;
	for (int i = 0; i < 9; i++) {
		__u8 c = resp_byte(l, l->at);

		if (l->at >= l->len || !resp_digit(c))
			break;
		l->number = l->number * 10 + (c - '0');
		l->at++;
		l->count++;
	}
	if (!l->count || l->at + 2 > l->len)
		return 0;
	if (resp_byte(l, l->at) != '\r' || resp_byte(l, l->at + 1) != '\n')
		return 0;
	l->at += 2;
	return 1;
}

/* Length of the word at l->at that could be a command's name, into l->count. */
static inline void resp_word(struct resp_look *l)
{
	l->count = 0;
	for (int i = 0; i < COMMAND_LEN; i++) {
		__u8 c = resp_byte(l, l->at + i);

		if (l->at + i >= l->len ||
		    !(resp_letter(c) || resp_digit(c) || c == '_' || c == '-' || c == '.'))
			break;
		l->count++;
	}
}

static inline int resp_is_text(__u8 c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n' || c == '\t';
}

/* RFC 6101 appendix E: two-byte length with the high bit set, CLIENT-HELLO, then version 3.x or 2. */
static inline int resp_sslv2(const __u8 *b, __u32 len)
{
	return len >= 5 && (b[0] & 0x80) && b[2] == 1 && (b[3] == 3 || (b[3] == 0 && b[4] == 2));
}

/*
 * Look at l->bytes. l->saw is SAW_OTHER when nothing known is there. An inline command is a candidate
 * only: the caller looks the name up, and an unknown word is no command.
 */
static inline void resp_classify(struct resp_look *l)
{
	const __u8 *b = l->bytes;
	__u32 printable = 0, n;

	l->saw = SAW_OTHER;
	l->name_len = 0;
	if (!l->len || l->len > RESP_LOOK)
		return;
	for (int i = 0; i < RESP_PRINTABLE_MIN; i++) /* no early exit: one path for the verifier */
		printable += resp_is_text(b[i]);
	if (b[0] == '*' || b[0] == '$' || b[0] == ':' || b[0] == '%' || b[0] == '~' || b[0] == '>') {
		l->at = 1;
		if (!resp_number(l))
			return;
		l->saw = SAW_RESP_REPLY;
		if (b[0] != '*' || l->at >= l->len || resp_byte(l, l->at) != '$')
			return;
		l->at++;
		if (!resp_number(l))
			return;
		l->saw = SAW_RESP_COMMAND;
		resp_word(l);
		if (l->count == l->number) {
			l->name = l->at;
			l->name_len = l->count;
		}
		return;
	}
	if (l->len >= 5 && b[0] == '+' && b[1] == 'O' && b[2] == 'K' && b[3] == '\r' && b[4] == '\n') {
		l->saw = SAW_RESP_REPLY;
		return;
	}
	if (l->len >= 7 && b[0] == '+' && b[1] == 'P' && b[2] == 'O' && b[3] == 'N' && b[4] == 'G' &&
	    b[5] == '\r') {
		l->saw = SAW_RESP_REPLY;
		return;
	}
	if (l->len >= 5 && b[0] == '-' && b[1] >= 'A' && b[1] <= 'Z' && b[2] >= 'A' && b[2] <= 'Z' &&
	    b[3] >= 'A' && b[3] <= 'Z' && (printable >= l->len || printable >= 16)) {
		l->saw = SAW_RESP_REPLY; /* "-ERR", "-NOAUTH": an upper case code, then text */
		return;
	}
	if (resp_sslv2(b, l->len)) {
		l->saw = SAW_SSLV2_HELLO;
		return;
	}
	if (l->len >= 5 && b[0] == 'H' && b[1] == 'T' && b[2] == 'T' && b[3] == 'P' && b[4] == '/') {
		l->saw = SAW_HTTP;
		return;
	}
	if (printable >= RESP_PRINTABLE_MIN)
		l->saw = SAW_PRINTABLE;
	l->at = 0;
	resp_word(l);
	n = l->count;
	if (n < 3 || n >= l->len)
		return;
	if (resp_byte(l, n) == ' ' && resp_byte(l, n + 1) == '/' && n <= 7) {
		l->saw = SAW_HTTP;
	} else if (resp_byte(l, n) == ' ' || resp_byte(l, n) == '\r' || resp_byte(l, n) == '\n') {
		l->saw = SAW_INLINE;
		l->name = 0;
		l->name_len = n;
	}
}

/* Whether what was seen is plaintext on its own, in a stream whose record boundaries are not known. */
static inline int resp_certain(__u32 saw, int known_command)
{
	return saw == SAW_RESP_COMMAND || saw == SAW_RESP_REPLY || saw == SAW_HTTP ||
	       saw == SAW_PRINTABLE || (saw == SAW_INLINE && known_command);
}

#endif
