/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls/resp.h - classifies the first bytes of a segment that is not TLS, and finds where in them a
 * Redis command would be named. It never passes on the bytes themselves.
 *
 * Pure and bounded: reads at most RESP_SCAN bytes of a buffer of that size, zero padded.
 * RESP: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
#ifndef CACHEWARDEN_RESP_H
#define CACHEWARDEN_RESP_H

#include "event.h"
#include "map.h"

#define RESP_SCAN 64	      /* "*1048576\r\n$24\r\n" and a name fit; power of two */
#define RESP_PRINTABLE_MIN 24 /* (97/256)^24: random bytes look printable once in 10^10 segments */
#define RESP_TEXT_MIN 16

struct resp_scan {
	__u8 bytes[RESP_SCAN]; /* in: the segment's first bytes, zero padded */
	__u32 len;	       /* in: number of bytes */
	__u32 payload;	       /* out: enum payload_kind */
	__u32 named;	       /* out: word holds what may be a command's name */
	struct command_key word;
	/* Cursors. In memory and not in locals, whose every value the BPF verifier would follow. */
	__u32 at;
	__u32 number;
	__u32 count;
	__u32 printable;
};

#ifndef RESP_EACH
/*
 * Call step(i, &l) for i from 0 to n-1 until it returns non-zero. BPF defines its own on bpf_loop.
 */
#define RESP_EACH(n, step, l)                                                                      \
	do {                                                                                       \
		struct resp_scan *each_ = (l);                                                     \
                                                                                                   \
		for (__u32 i_ = 0; i_ < (n) && !step(i_, &each_); i_++)                            \
			;                                                                          \
	} while (0)
#endif

static inline __u8 resp_byte(const struct resp_scan *l, __u32 at)
{
	return l->bytes[at & (RESP_SCAN - 1)];
}

static inline int resp_digit(__u8 c)
{
	return c >= '0' && c <= '9';
}

static inline int resp_lower(__u8 c)
{
	return c >= 'a' && c <= 'z';
}

static inline int resp_upper(__u8 c)
{
	return c >= 'A' && c <= 'Z';
}

static long resp_number_step(__u32 i, struct resp_scan **ctx)
{
	struct resp_scan *l = *ctx;
	__u8 c = resp_byte(l, l->at);

	if (l->at >= l->len || !resp_digit(c))
		return 1;
	l->number = l->number * 10 + (c - '0');
	l->at++;
	l->count++;
	return 0;
}

/*
 * Read a decimal number and CR LF at l->at into l->number, and step behind it. Returns 0 if there
 * is none.
 */
static inline int resp_number(struct resp_scan *l)
{
	l->number = 0;
	l->count = 0;
	RESP_EACH(9, resp_number_step, l);
	if (!l->count || l->at + 2 > l->len)
		return 0;
	if (resp_byte(l, l->at) != '\r' || resp_byte(l, l->at + 1) != '\n')
		return 0;
	l->at += 2;
	return 1;
}

static long resp_word_step(__u32 i, struct resp_scan **ctx)
{
	struct resp_scan *l = *ctx;
	__u8 c = resp_byte(l, l->at + i);

	if (l->at + i >= l->len || i >= COMMAND_LEN)
		return 1;
	if (!resp_lower(c) && !resp_upper(c) && !resp_digit(c) && c != '_' && c != '-' && c != '.')
		return 1;
	l->word.name[i] = resp_lower(c) ? c - 0x20 : c;
	l->count++;
	return 0;
}

/* Copy the word at l->at, in upper case, to l->word, and its length to l->count. */
static inline void resp_word(struct resp_scan *l)
{
	l->count = 0;
	__builtin_memset(&l->word, 0, sizeof(l->word));
	RESP_EACH(COMMAND_LEN, resp_word_step, l);
}

static long resp_text_step(__u32 i, struct resp_scan **ctx)
{
	struct resp_scan *l = *ctx;
	__u8 c = resp_byte(l, i);

	if (!((c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n' || c == '\t'))
		return 1;
	l->printable++;
	return 0;
}

/* Is it text, of a length that random bytes do not reach by chance? */
static inline int resp_text(const struct resp_scan *l)
{
	return l->printable >= l->len || l->printable >= RESP_TEXT_MIN;
}

/*
 * RFC 6101 appendix E: two-byte length with the high bit set, CLIENT-HELLO, then version 3.x or 2.
 */
static inline int resp_sslv2(const __u8 *b, __u32 len)
{
	return len >= 5 && (b[0] & 0x80) && b[2] == 1 && (b[3] == 3 || (b[3] == 0 && b[4] == 2));
}

/*
 * Classify l->bytes into l->payload, PAYLOAD_OTHER if nothing is recognized. PAYLOAD_INLINE is only
 * a candidate: the caller looks the name up and calls resp_settle.
 */
static inline void resp_classify(struct resp_scan *l)
{
	const __u8 *b = l->bytes;
	__u32 n;

	l->payload = PAYLOAD_OTHER;
	l->named = 0;
	if (!l->len || l->len > RESP_SCAN)
		return;
	l->printable = 0;
	RESP_EACH(RESP_PRINTABLE_MIN, resp_text_step, l);
	if (b[0] == '*' || b[0] == '$' || b[0] == ':' || b[0] == '%' || b[0] == '~' ||
	    b[0] == '>') {
		l->at = 1;
		if (!resp_number(l))
			return;
		l->payload = PAYLOAD_RESP_REPLY;
		if (b[0] != '*' || l->at >= l->len || resp_byte(l, l->at) != '$')
			return;
		l->at++;
		if (!resp_number(l))
			return;
		l->payload = PAYLOAD_RESP_COMMAND;
		resp_word(l);
		l->named = l->count && l->count == l->number;
		return;
	}
	if (l->len >= 5 && b[0] == '+' && b[1] == 'O' && b[2] == 'K' && b[3] == '\r' &&
	    b[4] == '\n') {
		l->payload = PAYLOAD_RESP_REPLY;
		return;
	}
	if (l->len >= 7 && b[0] == '+' && b[1] == 'P' && b[2] == 'O' && b[3] == 'N' &&
	    b[4] == 'G' && b[5] == '\r') {
		l->payload = PAYLOAD_RESP_REPLY;
		return;
	}
	if (l->len >= 5 && b[0] == '-' && b[1] >= 'A' && b[1] <= 'Z' && b[2] >= 'A' &&
	    b[2] <= 'Z' && b[3] >= 'A' && b[3] <= 'Z' && resp_text(l)) {
		l->payload =
			PAYLOAD_RESP_REPLY; /* "-ERR", "-NOAUTH": an upper case code, then text */
		return;
	}
	if (resp_sslv2(b, l->len)) {
		l->payload = PAYLOAD_SSLV2_HELLO;
		return;
	}
	if (l->len >= 5 && b[0] == 'H' && b[1] == 'T' && b[2] == 'T' && b[3] == 'P' &&
	    b[4] == '/') {
		l->payload = PAYLOAD_HTTP_RESPONSE;
		return;
	}
	if (l->printable >= RESP_PRINTABLE_MIN)
		l->payload = PAYLOAD_PRINTABLE;
	l->at = 0;
	resp_word(l);
	n = l->count;
	if (n < 3 || n >= l->len)
		return;
	if (resp_byte(l, n) == ' ' && n <= 7 && resp_text(l) &&
	    (resp_byte(l, n + 1) == '/' ||
	     (resp_byte(l, n + 1) == '*' && resp_byte(l, n + 2) == ' ' &&
	      resp_byte(l, n + 3) == 'H'))) { /* "OPTIONS * HTTP/1.1" */
		l->payload = PAYLOAD_HTTP;
	} else if (resp_byte(l, n) == ' ' || resp_byte(l, n) == '\r' || resp_byte(l, n) == '\n') {
		l->payload = PAYLOAD_INLINE;
		l->named = 1;
	}
}

/* The final enum payload_kind, given whether the word is a known command. */
static inline __u32 resp_settle(const struct resp_scan *l, int known_command)
{
	if (l->payload != PAYLOAD_INLINE || known_command)
		return l->payload;
	return l->printable >= RESP_PRINTABLE_MIN ? PAYLOAD_PRINTABLE : PAYLOAD_OTHER;
}

/* Is that plaintext for certain, even in a stream whose record boundaries are unknown? */
static inline int resp_certain(__u32 payload, int known_command)
{
	return payload == PAYLOAD_RESP_COMMAND || payload == PAYLOAD_RESP_REPLY ||
	       payload == PAYLOAD_HTTP || payload == PAYLOAD_HTTP_RESPONSE ||
	       payload == PAYLOAD_PRINTABLE || (payload == PAYLOAD_INLINE && known_command);
}

#endif
