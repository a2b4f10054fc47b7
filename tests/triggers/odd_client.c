/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * odd_client: a Redis client whose segments come in ways TCP allows and few clients choose. It sends a
 * PING and waits for the reply.
 *
 *     -t CA        over TLS
 *     -f           the first bytes are on the SYN (TCP Fast Open)
 *     -p           over MPTCP
 *     -x HEADERS   hop, dest, route, frag, joined by commas: IPv6 data segments are built by hand with
 *                  these extension headers. options: IPv4 with IP options
 *     -o           its data is urgent (MSG_OOB); with -t one urgent byte past the library, at the end
 *     -v BYTES     store a value of that size and read it back
 *     -w MS        do not read the value's reply for that long, with a small receive window
 *     -i MS        be idle for that long before the PING, with keepalives
 *     -s           stay connected after the report
 *
 * Ground truth: "port"; "sent" and "received", bytes of the TCP stream; "offset", bytes sent before -v;
 * "syn_data", whether the SYN's data was acknowledged; "mptcp" and "subflows", those beyond the first.
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
#define BLOCK 16384
#define REPLY_MS 10000

static const char synopsis[] = "HOST PORT [-t CA] [-f] [-p] [-x HEADERS] [-o] [-v BYTES] [-w MS] "
			       "[-i MS] [-s]";

static struct {
	const char *ca, *headers;
	int fast_open, mptcp, urgent, stay;
	int wait_ms, idle_ms;
	long bytes;
} options;

static int fd, urgent_now;
static long sent, received;
static SSL *ssl;

static void set(int level, int option, int value, const char *name)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		trigger_die("%s", name);
}

/* ---- segments built by hand --------------------------------------------------------------------- */

static uint32_t queue_seq(int queue)
{
	uint32_t seq;
	socklen_t len = sizeof(seq);

	set(IPPROTO_TCP, TCP_REPAIR_QUEUE, queue, "TCP_REPAIR_QUEUE");
	if (getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &len))
		trigger_die("TCP_QUEUE_SEQ");
	return seq;
}

/* Writes the extension headers to `to` and links them from *first to TCP. Returns their length. */
static size_t add_extension_headers(uint8_t *to, uint8_t *first)
{
	static const uint8_t pad[6] = {1, 4}; /* PadN (RFC 8200 §4.2) */
	char *list = strdup(options.headers), *save = NULL;
	uint8_t *next = first;
	size_t len = 0;

	for (char *h = strtok_r(list, ",", &save); h; h = strtok_r(NULL, ",", &save), len += 8) {
		uint8_t *at = to + len;

		memset(at, 0, 8);
		if (!strcmp(h, "hop") || !strcmp(h, "dest"))
			memcpy(at + 2, pad, sizeof(pad));
		else if (!strcmp(h, "route"))
			at[2] = 253; /* experimental; no segments left */
		else if (!strcmp(h, "frag"))
			at[7] = 77; /* an atomic fragment (RFC 6946) */
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

/* Queues the bytes as already sent (TCP_REPAIR). Sets the sequence numbers a segment of them has. */
static void queue_as_sent(const void *bytes, size_t len, uint32_t *seq, uint32_t *ack)
{
	set(IPPROTO_TCP, TCP_REPAIR, 1, "TCP_REPAIR");
	*ack = queue_seq(RECV_QUEUE);
	*seq = queue_seq(SEND_QUEUE);
	if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		trigger_die("send in repair mode");
	set(IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF, "TCP_REPAIR");
}

static void send_by_hand(const void *bytes, size_t len)
{
	struct sockaddr_in6 own, peer;
	socklen_t own_len = sizeof(own), peer_len = sizeof(peer);
	uint8_t packet[BLOCK] = {}, *at = packet + sizeof(struct ip6_hdr);
	struct ip6_hdr *ip = (struct ip6_hdr *)packet;
	struct tcphdr *tcp;
	uint32_t seq, ack, sum;
	int raw = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (raw < 0 || getsockname(fd, (struct sockaddr *)&own, &own_len) ||
	    getpeername(fd, (struct sockaddr *)&peer, &peer_len) || len > BLOCK - 1000)
		trigger_die("raw socket");
	queue_as_sent(bytes, len, &seq, &ack);
	at += add_extension_headers(at, &ip->ip6_nxt);
	ip->ip6_flow = htonl(6u << 28);
	ip->ip6_hlim = 64;
	ip->ip6_src = own.sin6_addr;
	ip->ip6_dst = peer.sin6_addr;
	tcp = (struct tcphdr *)at;
	tcp->source = own.sin6_port;
	tcp->dest = peer.sin6_port;
	tcp->seq = htonl(seq);
	tcp->ack_seq = htonl(ack);
	tcp->doff = 5;
	tcp->ack = tcp->psh = 1;
	tcp->window = htons(500);
	memcpy(tcp + 1, bytes, len);
	sum = checksum_add(IPPROTO_TCP + sizeof(*tcp) + len, &ip->ip6_src, 32);
	tcp->check = checksum_finish(checksum_add(sum, tcp, sizeof(*tcp) + len));
	at += sizeof(*tcp) + len;
	ip->ip6_plen = htons(at - packet - sizeof(*ip));
	peer.sin6_port = 0;
	if (sendto(raw, packet, at - packet, 0, (struct sockaddr *)&peer, sizeof(peer)) < 0)
		trigger_die("send on the raw socket");
	close(raw);
}

/* ---- bytes, with TLS or without ----------------------------------------------------------------- */

static void send_bytes(const void *bytes, size_t len)
{
	const char *b = bytes;

	sent += len;
	if (options.headers && strcmp(options.headers, "options")) {
		send_by_hand(bytes, len);
		return;
	}
	for (ssize_t n; len; len -= n, b += n) {
		n = send(fd, b, len, MSG_NOSIGNAL | (urgent_now ? MSG_OOB : 0));
		if (n <= 0)
			trigger_die("send");
	}
}

static ssize_t receive_bytes(void *buf, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n = poll(&p, 1, REPLY_MS) > 0 ? recv(fd, buf, size, 0) : -1;

	if (n <= 0)
		trigger_die("no reply");
	received += n;
	return n;
}

/* Sends what the library has written. */
static void flush_tls(void)
{
	char buf[BLOCK];
	int n;

	while ((n = BIO_read(SSL_get_wbio(ssl), buf, 1200)) > 0)
		send_bytes(buf, n);
}

/* Gives the library what arrives next. */
static void feed_tls(void)
{
	char buf[BLOCK];
	ssize_t n = receive_bytes(buf, sizeof(buf));

	BIO_write(SSL_get_rbio(ssl), buf, n);
}

static void begin_tls(void)
{
	ssl = tls_in_memory(tls_context(options.ca, 0));
	while (SSL_do_handshake(ssl) != 1) {
		flush_tls();
		feed_tls();
	}
	flush_tls();
}

static void write_data(const char *data, size_t len)
{
	if (!ssl) {
		send_bytes(data, len);
		return;
	}
	for (size_t n; len; len -= n, data += n) {
		n = len < BLOCK ? len : BLOCK;
		if (SSL_write(ssl, data, n) != (int)n)
			trigger_die("SSL_write");
		flush_tls();
	}
}

/* Reads exactly len bytes and discards them. */
static void read_data(size_t len)
{
	char buf[BLOCK];

	while (len) {
		size_t size = len < sizeof(buf) ? len : sizeof(buf);
		int n = ssl ? SSL_read(ssl, buf, size) : (int)receive_bytes(buf, size);

		if (n > 0)
			len -= n;
		else
			feed_tls();
	}
}

static void store_and_read_back(size_t len)
{
	char *buf = malloc(len + 200);
	size_t head = value_set_command(buf, len);

	value_fill(buf + head, 0, len);
	write_data(buf, head + len);
	write_data("\r\n", 2);
	read_data(strlen("+OK\r\n"));
	write_data(buf, value_get_command(buf));
	usleep(options.wait_ms * 1000);
	read_data(sprintf(buf, "$%zu\r\n\r\n", len) + len);
	free(buf);
}

/* ---- the connection ----------------------------------------------------------------------------- */

static void connect_oddly(const char *host, const char *port)
{
	static const char nop[4] = {1, 1, 1, 1};
	struct addrinfo *to = net_resolve(host, port);

	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, options.mptcp ? MPTCP_PROTOCOL : 0);
	if (fd < 0)
		trigger_die("socket");
	if (options.fast_open)
		set(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1, "TCP_FASTOPEN_CONNECT");
	if (options.wait_ms)
		set(SOL_SOCKET, SO_RCVBUF, 4096, "SO_RCVBUF");
	if (options.idle_ms) {
		set(SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
		set(IPPROTO_TCP, TCP_KEEPIDLE, 1, "TCP_KEEPIDLE");
	}
	if (options.headers && !strcmp(options.headers, "options") &&
	    setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nop, sizeof(nop)))
		trigger_die("IP_OPTIONS");
	if (connect(fd, to->ai_addr, to->ai_addrlen))
		trigger_die("connect %s %s", host, port);
	freeaddrinfo(to);
	if (!options.mptcp)
		set(IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
}

static void report(long offset)
{
	struct tcp_info info = {};
	uint8_t mptcp_info[200] = {};
	socklen_t info_len = sizeof(info), mptcp_len = sizeof(mptcp_info);
	int subflows = -1;

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_len);
	if (options.mptcp &&
	    !getsockopt(fd, MPTCP_LEVEL, MPTCP_INFO_OPTION, mptcp_info, &mptcp_len))
		subflows = mptcp_info[0]; /* mptcpi_subflows */
	trigger_report("\"port\":%d,\"sent\":%ld,\"received\":%ld,\"offset\":%ld,"
		       "\"syn_data\":%s,\"mptcp\":%s,\"subflows\":%d",
		       net_port(fd), sent, received, offset,
		       trigger_bool(info.tcpi_options & TCPI_OPT_SYN_DATA),
		       trigger_bool(subflows >= 0), subflows);
}

static void parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "t:fpx:ov:w:i:s")) != -1) {
		if (opt == 't')
			options.ca = optarg;
		else if (opt == 'f')
			options.fast_open = 1;
		else if (opt == 'p')
			options.mptcp = 1;
		else if (opt == 'x')
			options.headers = optarg;
		else if (opt == 'o')
			options.urgent = 1;
		else if (opt == 'v')
			options.bytes = atol(optarg);
		else if (opt == 'w')
			options.wait_ms = atoi(optarg);
		else if (opt == 'i')
			options.idle_ms = atoi(optarg);
		else if (opt == 's')
			options.stay = 1;
		else
			trigger_usage(synopsis);
	}
	if (optind + 2 > argc)
		trigger_usage(synopsis);
}

int main(int argc, char **argv)
{
	static const char ping[] = "*1\r\n$4\r\nPING\r\n";
	long offset;

	parse(argc, argv);
	connect_oddly(argv[optind], argv[optind + 1]);
	urgent_now = options.urgent && !options.ca;
	if (options.ca)
		begin_tls();
	usleep(options.idle_ms * 1000);
	write_data(ping, sizeof(ping) - 1);
	if (!urgent_now) /* the server never sees the last urgent byte, and does not reply */
		read_data(strlen("+PONG\r\n"));
	offset = sent;
	if (options.bytes)
		store_and_read_back(options.bytes);
	if (options.urgent && options.ca) {
		urgent_now = 1;
		send_bytes("!", 1);
	}
	usleep(options.urgent ? 100000 : 0);
	report(offset);
	if (options.stay)
		trigger_stay();
	return 0;
}
