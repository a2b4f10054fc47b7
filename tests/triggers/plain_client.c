/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_client: connects and sends bytes that are not TLS.
 *
 *     -k KIND      resp (COMMAND as a RESP array; the default), inline (COMMAND as an inline command), http,
 *                  sslv2, printable, random
 *     -c COMMAND   PING if not given
 *     -s BYTES     in segments of that size
 *     -a           the first data is on the last ACK of the TCP handshake
 *     -n TIMES     send it that often
 *
 * Ground truth: "port"; "sent" and "received", numbers of bytes; "errno" of the send that failed.
 */
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>

#include "net.h"

#define REPLY_MS 150 /* without data for that long, the reply is complete */

static const char synopsis[] = "HOST PORT [-k KIND] [-c COMMAND] [-s BYTES] [-a] [-n TIMES]";

static size_t make_resp(char *buf, size_t size, char *command)
{
	char words[4096] = "", *save = NULL;
	size_t len = 0, n = 0;

	for (char *w = strtok_r(command, " ", &save); w; w = strtok_r(NULL, " ", &save), n++)
		len += snprintf(words + len, sizeof(words) - len, "$%zu\r\n%s\r\n", strlen(w), w);
	return snprintf(buf, size, "*%zu\r\n%s", n, words);
}

static size_t make_payload(char *buf, size_t size, const char *kind, char *command)
{
	/* CLIENT-HELLO: length, type 1, version 0.2, then sizes */
	static const char sslv2[] = "\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x07\x00\xc0"
				    "0123456789abcdef";

	if (!strcmp(kind, "http"))
		return snprintf(buf, size, "GET /%s HTTP/1.1\r\nHost: cache\r\n\r\n", command);
	if (!strcmp(kind, "inline"))
		return snprintf(buf, size, "%s\r\n", command);
	if (!strcmp(kind, "printable"))
		return snprintf(buf, size, "this is not what a server expects to hear\r\n");
	if (!strcmp(kind, "sslv2")) {
		memcpy(buf, sslv2, sizeof(sslv2) - 1);
		return sizeof(sslv2) - 1;
	}
	if (!strcmp(kind, "random")) {
		buf[0] = '\xc5'; /* neither a TLS type nor printable */
		return getrandom(buf + 1, 255, 0) + 1;
	}
	return make_resp(buf, size, command);
}

static int connect_to(const char *host, const char *port, int data_on_ack)
{
	struct addrinfo *to = net_resolve(host, port);
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, off = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (data_on_ack)
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
	if (connect(fd, to->ai_addr, to->ai_addrlen))
		trigger_die("connect %s %s", host, port);
	freeaddrinfo(to);
	return fd;
}

/* Returns 0 or an errno. */
static int send_payload(int fd, const char *payload, size_t size, size_t segment, long *sent)
{
	for (size_t at = 0, n; at < size; at += n) {
		n = size - at < segment ? size - at : segment;
		if (send(fd, payload + at, n, MSG_NOSIGNAL) < 0)
			return errno;
		*sent += n;
	}
	return 0;
}

static long count_reply(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[4096];
	long received = 0;
	ssize_t n;

	while (poll(&p, 1, REPLY_MS) > 0 && (n = recv(fd, buf, sizeof(buf), 0)) > 0)
		received += n;
	return received;
}

int main(int argc, char **argv)
{
	char payload[8192], command[2048] = "PING";
	const char *kind = "resp";
	long sent = 0, received = 0, times = 1;
	size_t size, segment = sizeof(payload);
	int opt, fd, data_on_ack = 0, err = 0;

	while ((opt = getopt(argc, argv, "k:c:s:an:")) != -1) {
		if (opt == 'k')
			kind = optarg;
		else if (opt == 'c')
			snprintf(command, sizeof(command), "%s", optarg);
		else if (opt == 's')
			segment = atol(optarg);
		else if (opt == 'n')
			times = atol(optarg);
		else if (opt == 'a')
			data_on_ack = 1;
		else
			trigger_usage(synopsis);
	}
	if (optind + 2 > argc)
		trigger_usage(synopsis);
	fd = connect_to(argv[optind], argv[optind + 1], data_on_ack);
	size = make_payload(payload, sizeof(payload), kind, command);
	while (times--) {
		if (!err)
			err = send_payload(fd, payload, size, segment, &sent);
		received += count_reply(fd);
	}
	trigger_report("\"port\":%d,\"sent\":%ld,\"received\":%ld,\"errno\":%d", net_port(fd), sent,
		       received, err);
	return 0;
}
