/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_script: a host behind a tun device that sends scripted TCP segments. The device is made in the network
 * namespace of this process; 10.77.0.1 is this side of it. The host is 10.77.0.2 and connects from port
 * FROM to PORT, always with the same initial sequence number. It performs the steps in order:
 *
 *     syn      send a SYN and wait for the SYN-ACK
 *     ack      send the last ACK of the TCP handshake without data
 *     tM-N     send bytes M up to N of a TLS ClientHello (t0-: all of it) with the ACK flag
 *     pM-N     the same of a PING in plaintext
 *     hM-N     the same of a record header followed by that PING
 *     xM-N     the same of a handshake record full of text, as a certificate has
 *     ...@K    at stream offset K, which may be negative, rather than M
 *     ...!     without the ACK flag, which the receiver drops (RFC 9293 §3.10.7.4)
 *     syn2     another SYN, with the first 100 bytes of the ClientHello
 *     rst      send a reset
 *     wait     wait for data or a reset
 *
 * Ground truth: "port", "hello" (length of the ClientHello), "received" (bytes) and "reset".
 */
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "tls.h"

#define FIRST_SEQ 1000000
#define CERTIFICATE_LEN 1200 /* the record of the x step */
#define SYN2_LEN 100
#define REPLY_MS 3000
#define STEP_MS 30 /* for the other side to process a segment */

struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t data[1400];
};

static int tun;
static uint16_t server_port, own_port;
static uint32_t expected; /* the server's next sequence number */
static uint32_t next;	  /* ours, relative to the SYN */
static long received;
static int resets, answered; /* answered: the SYN-ACK arrived */

static char hello[sizeof(((struct packet *)0)->data)], certificate[CERTIFICATE_LEN];
static size_t hello_len;

static void make_device(void)
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

/* flags: any of s(yn), r(st), a(ck). at: relative to the SYN. */
static void send_segment(const char *flags, uint32_t at, const void *data, size_t len)
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
	uint32_t sum = checksum_add(IPPROTO_TCP + sizeof(p.tcp) + len, &p.ip.saddr, 8);

	memcpy(p.data, data, len);
	p.ip.check = checksum_finish(checksum_add(0, &p.ip, sizeof(p.ip)));
	p.tcp.check = checksum_finish(checksum_add(sum, &p.tcp, sizeof(p.tcp) + len));
	if (write(tun, &p, sizeof(p.ip) + sizeof(p.tcp) + len) < 0)
		trigger_die("write to the device");
}

/* Receives until nothing arrives for that long; with until_reply also until data or a reset did. */
static void receive(int ms, int until_reply)
{
	struct pollfd fd = {.fd = tun, .events = POLLIN};
	struct packet p;

	while (!(until_reply && (received || resets)) && poll(&fd, 1, ms) > 0) {
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

static void make_payloads(const char *ca)
{
	/* record header and message header (RFC 5246 §7.4) of a record of 1195 bytes: one long hello */
	static const char header[] = {0x16, 3, 3,	  1195 >> 8,	      1195 & 0xff,
				      1,    0, 1191 >> 8, (char)(1191 & 0xff)};
	SSL *ssl = tls_in_memory(tls_context(ca, 0));
	int n;

	SSL_do_handshake(ssl); /* writes the hello, then waits for a reply */
	n = BIO_read(SSL_get_wbio(ssl), hello, sizeof(hello));
	if (n <= 0)
		trigger_die("no ClientHello");
	hello_len = n;
	for (size_t i = 0; i < CERTIFICATE_LEN; i++)
		certificate[i] = "http://crl.example/ca.crl "[i % 26];
	memcpy(certificate, header, sizeof(header));
}

/* A step such as t0-100@50!: letter, range, offset and flags. */
static void send_part(const char *step, const char *bytes, size_t len)
{
	char *end;
	size_t from = strtoul(step + 1, &end, 10), to = len;
	long at;

	if (*end++ != '-')
		trigger_die("step %s", step);
	if (*end >= '0' && *end <= '9')
		to = strtoul(end, &end, 10);
	if (from >= to || to > len)
		trigger_die("step %s: there are %zu bytes", step, len);
	at = *end == '@' ? strtol(end + 1, &end, 10) : (long)from;
	send_segment(*end == '!' ? "" : "a", 1 + at, bytes + from, to - from);
	if (*end != '!' && at == (long)from && 1 + to > next)
		next = 1 + to;
}

static void perform(const char *step)
{
	static const char ping[] = "*1\r\n$4\r\nPING\r\n";
	static const char record[] = "\x17\x03\x03\x40\x00*1\r\n$4\r\nPING\r\n";

	if (!strcmp(step, "syn")) {
		answered = 0;
		next = 1;
		send_segment("s", 0, "", 0);
	} else if (!strcmp(step, "ack")) {
		send_segment("a", 1, "", 0);
	} else if (!strcmp(step, "rst")) {
		send_segment("r", next, "", 0);
	} else if (!strcmp(step, "wait")) {
		receive(REPLY_MS, 1);
	} else if (!strcmp(step, "syn2")) {
		send_segment("s", 0, hello, SYN2_LEN);
	} else if (*step == 't') {
		send_part(step, hello, hello_len);
	} else if (*step == 'p') {
		send_part(step, ping, sizeof(ping) - 1);
	} else if (*step == 'h') {
		send_part(step, record, sizeof(record) - 1);
	} else if (*step == 'x') {
		send_part(step, certificate, sizeof(certificate));
	} else {
		trigger_die("step %s", step);
	}
	receive(STEP_MS, 0);
	if (!answered)
		trigger_die("no reply to the SYN");
}

int main(int argc, char **argv)
{
	if (argc < 5)
		trigger_usage("PORT CA FROM STEP...");
	server_port = atoi(argv[1]);
	own_port = atoi(argv[3]);
	make_payloads(argv[2]);
	make_device();
	for (char **step = argv + 4; *step; step++)
		perform(*step);
	trigger_report("\"port\":%d,\"hello\":%zu,\"received\":%ld,\"reset\":%s", own_port,
		       hello_len, received, trigger_bool(resets));
	return 0;
}
