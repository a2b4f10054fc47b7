/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * odd_client: a client whose segments come in ways that few clients choose, and that TCP allows.
 *
 *     odd_client HOST PORT [-t CA] [-f] [-p] [-x HEADERS] [-o] [-v BYTES] [-w MS] [-i MS] [-s]
 *
 * It says PING, in TLS with -t. -f: the first bytes ride on the SYN (TCP Fast Open). -p: it dials with MPTCP. -x
 * puts its data on the wire by hand, in IPv6 behind the extension headers named (hop dest route frag,
 * separated by commas), in IPv4 with IP options. -o: what it sends is urgent; with TLS a byte more, past
 * the library. -v stores a value of that many bytes and gets it back. -w: it does not read that long, behind a small window.
 * -i: it is idle that long, with keepalives. Says how many bytes it sent and got, as TCP has them; -s: and stays.
 */
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "tls.h"

#define MPTCP_PROTOCOL 262
#define MPTCP_LEVEL 284
#define MPTCP_INFO_OPTION 1
#define REPAIR_OFF -1 /* without a window probe */
#define SEND_QUEUE 2
#define RECV_QUEUE 1
#define PIECE 16384

static const char *headers;
static int fd, urgent;
static long sent, received;
static SSL *ssl;

static void set(int level, int option, int value, const char *name)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		trigger_die("%s", name);
}

/* ---- segments by hand ---------------------------------------------------------------------------- */

static uint32_t queue_seq(int queue)
{
	uint32_t seq;
	socklen_t len = sizeof(seq);

	set(IPPROTO_TCP, TCP_REPAIR_QUEUE, queue, "TCP_REPAIR_QUEUE");
	if (getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &len))
		trigger_die("TCP_QUEUE_SEQ");
	return seq;
}

static uint32_t sum(uint32_t so_far, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		so_far += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	return so_far;
}

/* Headers of the chain, written at `to`, the last one leading to TCP. Returns their length. */
static size_t chain(uint8_t *to, uint8_t *first)
{
	static const uint8_t pad[6] = {1, 4}; /* PadN: RFC 8200 §4.2 */
	char *list = strdup(headers), *save = NULL;
	uint8_t *next = first;
	size_t len = 0;

	for (char *h = strtok_r(list, ",", &save); h; h = strtok_r(NULL, ",", &save), len += 8) {
		uint8_t *at = to + len;

		memset(at, 0, 8);
		if (!strcmp(h, "hop") || !strcmp(h, "dest"))
			memcpy(at + 2, pad, sizeof(pad));
		else if (!strcmp(h, "route"))
			at[2] = 253; /* for experiments; no segments left */
		else if (!strcmp(h, "frag"))
			at[7] = 77; /* the only fragment: RFC 6946 */
		*next = !strcmp(h, "hop")     ? IPPROTO_HOPOPTS
			: !strcmp(h, "dest")  ? IPPROTO_DSTOPTS
			: !strcmp(h, "route") ? IPPROTO_ROUTING
					      : IPPROTO_FRAGMENT;
		next = at;
	}
	*next = IPPROTO_TCP;
	free(list);
	return len;
}

/* The socket takes it for sent, and its peer gets it from us. */
static void put_by_hand(const void *bytes, size_t len)
{
	struct sockaddr_in6 me, peer;
	socklen_t mine = sizeof(me), others = sizeof(peer);
	uint8_t packet[PIECE] = {}, *at = packet + sizeof(struct ip6_hdr);
	struct ip6_hdr *ip = (struct ip6_hdr *)packet;
	struct tcphdr *tcp;
	uint32_t seq, ack, check;
	int raw = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (raw < 0 || getsockname(fd, (struct sockaddr *)&me, &mine) ||
	    getpeername(fd, (struct sockaddr *)&peer, &others) || len > PIECE - 1000)
		trigger_die("by hand");
	set(IPPROTO_TCP, TCP_REPAIR, 1, "TCP_REPAIR");
	ack = queue_seq(RECV_QUEUE);
	seq = queue_seq(SEND_QUEUE);
	if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		trigger_die("send in repair");
	set(IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF, "TCP_REPAIR");
	at += chain(at, &ip->ip6_nxt);
	ip->ip6_flow = htonl(6u << 28);
	ip->ip6_hlim = 64;
	ip->ip6_src = me.sin6_addr;
	ip->ip6_dst = peer.sin6_addr;
	tcp = (struct tcphdr *)at;
	tcp->source = me.sin6_port;
	tcp->dest = peer.sin6_port;
	tcp->seq = htonl(seq);
	tcp->ack_seq = htonl(ack);
	tcp->doff = 5;
	tcp->ack = tcp->psh = 1;
	tcp->window = htons(500);
	memcpy(tcp + 1, bytes, len);
	check = sum(IPPROTO_TCP + sizeof(*tcp) + len, &ip->ip6_src, 32);
	check = sum(check, tcp, sizeof(*tcp) + len);
	while (check >> 16)
		check = (check & 0xffff) + (check >> 16);
	tcp->check = htons(~check & 0xffff);
	at += sizeof(*tcp) + len;
	ip->ip6_plen = htons(at - packet - sizeof(*ip));
	peer.sin6_port = 0;
	if (sendto(raw, packet, at - packet, 0, (struct sockaddr *)&peer, sizeof(peer)) < 0)
		trigger_die("send by hand");
	close(raw);
}

static void put_bytes(const void *bytes, size_t len)
{
	const char *b = bytes;

	sent += len;
	if (headers && strcmp(headers, "options")) {
		put_by_hand(bytes, len);
		return;
	}
	for (ssize_t n; len; len -= n, b += n) {
		n = send(fd, b, len, MSG_NOSIGNAL | (urgent ? MSG_OOB : 0));
		if (n <= 0)
			trigger_die("send");
	}
}

/* ---- with TLS or without ------------------------------------------------------------------------- */

/* What the library wants to send. */
static void flush_tls(void)
{
	char buf[PIECE];
	int n;

	while ((n = BIO_read(SSL_get_wbio(ssl), buf, 1200)) > 0)
		put_bytes(buf, n);
}

static ssize_t get_bytes(void *buf, size_t room)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n = poll(&p, 1, 10000) > 0 ? recv(fd, buf, room, 0) : -1;

	if (n > 0)
		received += n;
	return n;
}

static void feed_tls(void)
{
	char buf[PIECE];
	ssize_t n = get_bytes(buf, sizeof(buf));

	if (n <= 0)
		trigger_die("nothing came");
	BIO_write(SSL_get_rbio(ssl), buf, n);
}

static void say(const char *text, size_t len)
{
	if (!ssl) {
		put_bytes(text, len);
		return;
	}
	for (size_t n; len; len -= n, text += n) {
		n = len < PIECE ? len : PIECE;
		if (SSL_write(ssl, text, n) != (int)n)
			trigger_die("SSL_write");
		flush_tls();
	}
}

/* Reads exactly that much, of which nothing is kept. */
static void hear(size_t len)
{
	char buf[PIECE];
	int n;

	while (len) {
		size_t room = len < sizeof(buf) ? len : sizeof(buf);

		if (!ssl) {
			n = get_bytes(buf, room);
			if (n <= 0)
				trigger_die("no answer");
			len -= n;
			continue;
		}
		n = SSL_read(ssl, buf, room);
		if (n > 0)
			len -= n;
		else
			feed_tls();
	}
}

static void begin_tls(const char *ca)
{
	ssl = SSL_new(tls_context(ca, 0));
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(ssl);
	while (SSL_do_handshake(ssl) != 1) {
		flush_tls();
		feed_tls();
	}
	flush_tls();
}

static void value(size_t len, int wait_ms)
{
	char *text = malloc(len + 200);
	int at = sprintf(text, "*3\r\n$3\r\nSET\r\n$8\r\nv%07d\r\n$%zu\r\n", getpid(), len);

	for (size_t i = 0; i < len; i++)
		text[at + i] = (char)(i * 2654435761u >> 13);
	say(text, at + len);
	say("\r\n", 2);
	hear(strlen("+OK\r\n"));
	at = sprintf(text, "*2\r\n$3\r\nGET\r\n$8\r\nv%07d\r\n", getpid());
	say(text, at);
	usleep(wait_ms * 1000);
	at = sprintf(text, "$%zu\r\n\r\n", len);
	hear(at + len);
	free(text);
}

int main(int argc, char **argv)
{
	static const char ping[] = "*1\r\n$4\r\nPING\r\n", nop[4] = {1, 1, 1, 1};
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *to;
	struct tcp_info info = {};
	struct sockaddr_in6 me;
	socklen_t len = sizeof(me), info_len = sizeof(info), mp_len;
	int opt, fast = 0, mptcp = 0, wait_ms = 0, idle = 0, oob = 0, stay = 0, subflows = -1;
	uint8_t mp[200] = {};
	const char *ca = NULL;
	long bytes = 0, offset;

	while ((opt = getopt(argc, argv, "t:fpx:ov:w:i:s")) != -1) {
		if (opt == 't')
			ca = optarg;
		else if (opt == 'f')
			fast = 1;
		else if (opt == 'p')
			mptcp = 1;
		else if (opt == 'x')
			headers = optarg;
		else if (opt == 'o')
			oob = 1;
		else if (opt == 'v')
			bytes = atol(optarg);
		else if (opt == 'w')
			wait_ms = atoi(optarg);
		else if (opt == 'i')
			idle = atoi(optarg);
		else if (opt == 's')
			stay = 1;
		else
			return 2;
	}
	if (optind + 2 > argc || getaddrinfo(argv[optind], argv[optind + 1], &hints, &to))
		return 2;
	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, mptcp ? MPTCP_PROTOCOL : 0);
	if (fd < 0)
		trigger_die("socket");
	if (fast)
		set(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1, "TCP_FASTOPEN_CONNECT");
	if (wait_ms)
		set(SOL_SOCKET, SO_RCVBUF, 4096, "SO_RCVBUF");
	if (idle) {
		set(SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
		set(IPPROTO_TCP, TCP_KEEPIDLE, 1, "TCP_KEEPIDLE");
	}
	if (headers && !strcmp(headers, "options") &&
	    setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nop, sizeof(nop)))
		trigger_die("IP_OPTIONS");
	if (connect(fd, to->ai_addr, to->ai_addrlen))
		trigger_die("connect");
	if (!mptcp)
		set(IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
	urgent = oob && !ca;
	if (ca)
		begin_tls(ca);
	usleep(idle * 1000);
	say(ping, sizeof(ping) - 1);
	if (!urgent)
		hear(strlen("+PONG\r\n"));
	offset = sent;
	if (bytes)
		value(bytes, wait_ms);
	if (oob && ca) {
		urgent = 1;
		put_bytes("!", 1);
	}
	usleep(oob ? 100000 : 0);
	getsockname(fd, (struct sockaddr *)&me, &len);
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_len);
	mp_len = sizeof(mp);
	if (mptcp && !getsockopt(fd, MPTCP_LEVEL, MPTCP_INFO_OPTION, mp, &mp_len))
		subflows = mp[0]; /* of struct mptcp_info: those beyond the first */
	trigger_report("\"tid\":%d,\"port\":%d,\"sent\":%ld,\"received\":%ld,\"offset\":%ld,"
		       "\"syn_data\":%s,\"mptcp\":%s,\"subflows\":%d",
		       getpid(), ntohs(me.sin6_port), sent, received, offset,
		       info.tcpi_options & TCPI_OPT_SYN_DATA ? "true" : "false",
		       subflows >= 0 ? "true" : "false", subflows);
	while (stay)
		pause();
	return 0;
}
