/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * far_host: a host behind a tun device, whose TCP does what it is told.
 *
 *     far_host PORT CA FROM STEP...
 *
 * The device is made in the network namespace this runs in, 10.77.0.1 is on this side of it. The host is 10.77.0.2
 * and dials PORT there from port FROM, always with the same initial sequence number. Steps, one after the other:
 *
 *     syn      a SYN, and its answer awaited
 *     ack      the handshake's last ACK, alone
 *     tM-N     bytes M up to N of a TLS ClientHello (t0-: all of it), on a segment that acknowledges
 *     pM-N     the same of a PING in plaintext
 *     hM-N     the same of a record header and that PING
 *     xM-N     the same of a handshake record that holds text, as a certificate does
 *     ...@K    they begin at byte K of the stream, which may be negative, and not where they belong
 *     ...!     without the ACK flag: RFC 9293 §3.10.7.4 has it dropped
 *     late     another SYN, with the ClientHello's first 100 bytes
 *     rst      a reset
 *     hear     an answer awaited
 *
 * Says its port, how long the ClientHello is, how many bytes came back, and whether a reset did.
 */
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "tls.h"

#define FIRST_SEQ 1000000
#define TEXT_LEN 1200 /* of the certificate's record */
#define HEAR_MS 3000
#define STEP_MS 30 /* until the other side has dealt with a segment */

struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t data[1400];
};

static int tun;
static uint16_t server_port, own_port;
static uint32_t expected; /* the server's next byte */
static uint32_t next;	  /* ours, counted from the SYN */
static long received;
static int resets, answered; /* answered: its SYN-ACK came */

static void device(void)
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	struct sockaddr_in *at = (struct sockaddr_in *)&r.ifr_addr;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tun < 0 || ioctl(tun, TUNSETIFF, &r))
		trigger_die("tun");
	*at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a4d0001)};
	if (ioctl(s, SIOCSIFADDR, &r))
		trigger_die("address");
	at->sin_addr.s_addr = htonl(0xffffff00);
	if (ioctl(s, SIOCSIFNETMASK, &r) || ioctl(s, SIOCGIFFLAGS, &r))
		trigger_die("netmask");
	r.ifr_flags |= IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &r))
		trigger_die("up");
	close(s);
}

static uint32_t sum(uint32_t so_far, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		so_far += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	return so_far;
}

static uint16_t folded(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons(~s & 0xffff);
}

static void put(const char *flags, uint32_t at, const void *data, size_t len)
{
	struct packet p = {
		.ip = {.version = 4,
		       .ihl = 5,
		       .ttl = 64,
		       .protocol = IPPROTO_TCP,
		       .tot_len = htons(sizeof(p.ip) + sizeof(p.tcp) + len),
		       .saddr = htonl(0x0a4d0002),
		       .daddr = htonl(0x0a4d0001)},
		.tcp = {.source = htons(own_port),
			.dest = htons(server_port),
			.seq = htonl(FIRST_SEQ + at),
			.ack_seq = htonl(expected),
			.doff = sizeof(p.tcp) / 4,
			.syn = !!strchr(flags, 's'),
			.rst = !!strchr(flags, 'r'),
			.ack = !!strchr(flags, 'a'),
			.psh = len > 0,
			.window = htons(60000)},
	};
	uint32_t s;

	memcpy(p.data, data, len);
	p.ip.check = folded(sum(0, &p.ip, sizeof(p.ip)));
	s = sum(IPPROTO_TCP + sizeof(p.tcp) + len, &p.ip.saddr, 8);
	p.tcp.check = folded(sum(s, &p.tcp, sizeof(p.tcp) + len));
	if (write(tun, &p, sizeof(p.ip) + sizeof(p.tcp) + len) < 0)
		trigger_die("write to the device");
}

/* Takes what comes until nothing came for so long, or an answer. */
static void take(int ms, int answer)
{
	struct pollfd fd = {.fd = tun, .events = POLLIN};
	struct packet p;

	while (!(answer && (received || resets)) && poll(&fd, 1, ms) > 0) {
		ssize_t n = read(tun, &p, sizeof(p));
		ssize_t data = n - (ssize_t)sizeof(p.ip) - 4 * p.tcp.doff;

		if (n < (ssize_t)(sizeof(p.ip) + sizeof(p.tcp)) || p.ip.version != 4 ||
		    p.ip.protocol != IPPROTO_TCP || p.tcp.dest != htons(own_port))
			continue;
		resets += p.tcp.rst;
		if (p.tcp.syn) {
			answered = 1;
			expected = ntohl(p.tcp.seq) + 1;
		} else if (data > 0 && ntohl(p.tcp.seq) == expected) {
			expected += data;
			received += data;
		}
	}
}

static size_t client_hello(const char *ca, char *to, size_t room)
{
	SSL *ssl = SSL_new(tls_context(ca, 0));
	int n;

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(ssl);
	SSL_do_handshake(ssl);
	n = BIO_read(SSL_get_wbio(ssl), to, room);
	if (n <= 0)
		trigger_die("ClientHello");
	return n;
}

static void piece(const char *step, const char *bytes, size_t len)
{
	char *end;
	size_t from = strtoul(step + 1, &end, 10), to = len;
	long at;

	if (*end++ != '-')
		trigger_die("step %s", step);
	if (*end >= '0' && *end <= '9')
		to = strtoul(end, &end, 10);
	if (from >= to || to > len)
		trigger_die("no bytes %s", step);
	at = *end == '@' ? strtol(end + 1, &end, 10) : (long)from;
	put(*end == '!' ? "" : "a", 1 + at, bytes + from, to - from);
	if (*end != '!' && at == (long)from && 1 + to > next)
		next = 1 + to;
}

int main(int argc, char **argv)
{
	static const char ping[] = "*1\r\n$4\r\nPING\r\n";
	/* record header and handshake header, RFC 5246 §7.4.6: a record of 1195 bytes */
	static const char certificate[] = {0x16, 3, 3,	       1195 >> 8,	   1195 & 0xff,
					   11,	 0, 1191 >> 8, (char)(1191 & 0xff)};
	static const char headed[] = "\x17\x03\x03\x40\x00*1\r\n$4\r\nPING\r\n";
	char hello[sizeof(((struct packet *)0)->data)], text[TEXT_LEN];
	size_t hello_len;

	if (argc < 5)
		return 2;
	server_port = atoi(argv[1]);
	own_port = atoi(argv[3]);
	hello_len = client_hello(argv[2], hello, sizeof(hello));
	device();
	for (size_t i = 0; i < TEXT_LEN; i++)
		text[i] = "http://crl.example/ca.crl "[i % 26];
	memcpy(text, certificate, sizeof(certificate));
	for (char **step = argv + 4; *step; step++) {
		if (!strcmp(*step, "syn")) {
			answered = 0;
			next = 1;
			put("s", 0, "", 0);
		} else if (!strcmp(*step, "ack")) {
			put("a", 1, "", 0);
		} else if (!strcmp(*step, "rst")) {
			put("r", next, "", 0);
		} else if (!strcmp(*step, "hear")) {
			take(HEAR_MS, 1);
		} else if (**step == 't') {
			piece(*step, hello, hello_len);
		} else if (**step == 'p') {
			piece(*step, ping, sizeof(ping) - 1);
		} else if (**step == 'h' && strcmp(*step, "hear")) {
			piece(*step, headed, sizeof(headed) - 1);
		} else if (**step == 'x') {
			piece(*step, text, sizeof(text));
		} else if (!strcmp(*step, "late")) {
			put("s", 0, hello, 100);
		} else {
			trigger_die("step %s", *step);
		}
		take(STEP_MS, 0);
		if (!answered)
			trigger_die("no answer to the SYN");
	}
	trigger_report("\"tid\":%d,\"port\":%d,\"hello\":%zu,\"received\":%ld,\"reset\":%s",
		       getpid(), own_port, hello_len, received, resets ? "true" : "false");
	return 0;
}
