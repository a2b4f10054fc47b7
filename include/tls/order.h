/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls/order.h - which records may come at the beginning of a direction, by their headers alone, for
 * client and server alike: first a handshake, with nothing but alerts in the clear until it ends,
 * and no application data without it (RFC 8446 §5 and appendix D.4, RFC 5246 §7).
 *
 * Versions and the other direction are considered where handshakes are read, see model/conn.c: TLS
 * 1.3 has application data without ChangeCipherSpec, and early data before the ServerHello.
 */
#ifndef CACHEWARDEN_TLS_ORDER_H
#define CACHEWARDEN_TLS_ORDER_H

#include "tls/stream.h"

enum tls_type {
	TLS_CHANGE_CIPHER_SPEC = 20,
	TLS_ALERT = 21,
	TLS_HANDSHAKE = 22,
	TLS_APPLICATION_DATA = 23,
	TLS_HEARTBEAT = 24, /* RFC 6520 */
};

enum tls_order {
	TLS_ORDER_ANY,	 /* encrypted by now, or not seen from the first byte */
	TLS_ORDER_BEGIN, /* no record so far, alerts excepted: a server may refuse with one */
	TLS_ORDER_CLEAR, /* handshake records */
	/* from here on not TLS, and final */
	TLS_ORDER_DATA, /* application data without a handshake */
	TLS_ORDER_WRONG,
};

/* The next enum tls_order, given a valid header. */
static inline __u32 tls_order_next(__u32 order, __u32 type, __u32 len)
{
	if (type == TLS_HANDSHAKE)
		return TLS_ORDER_CLEAR;
	if (type == TLS_ALERT) /* RFC 8446 §5.1: exactly one */
		return len == 2 ? order : TLS_ORDER_WRONG;
	if (order == TLS_ORDER_BEGIN)
		return type == TLS_APPLICATION_DATA ? TLS_ORDER_DATA : TLS_ORDER_WRONG;
	if (type == TLS_CHANGE_CIPHER_SPEC)
		return len == 1 ? TLS_ORDER_ANY : TLS_ORDER_WRONG;
	return TLS_ORDER_ANY;
}

#endif
