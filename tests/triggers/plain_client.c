/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_client: connects and sends bytes that are no TLS.
 *
 *     plain_client HOST PORT [-k KIND] [-c COMMAND] [-s BYTES] [-a] [-n TIMES]
 *
 * Kinds: resp inline (COMMAND as a RESP array or an inline command) http sslv2 printable random. -s
 * sends segments of that many bytes, -a lets the first data ride on the handshake's third ACK, -n
 * sends it that often. Prints its port and how many bytes it sent and got, never which.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "trigger.h"

static size_t payload_make(char *buf, size_t room, const char *kind, char *command)
{
	char words[4096] = "", *save = NULL;
	size_t len = 0, n = 0;

	if (!strcmp(kind, "http"))
		return snprintf(buf, room, "GET /%s HTTP/1.1\r\nHost: cache\r\n\r\n", command);
	if (!strcmp(kind, "inline"))
		return snprintf(buf, room, "%s\r\n", command);
	if (!strcmp(kind, "printable"))
		return snprintf(buf, room, "this is not what a server expects to hear\r\n");
	if (!strcmp(kind, "sslv2")) /* CLIENT-HELLO: length, type 1, version 0.2, then sizes */
		return memcpy(buf,
			      "\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x07\x00\xc0"
			      "0123456789abcdef",
			      30),
		       30;
	if (!strcmp(kind, "random")) {
		buf[0] = '\xc5'; /* neither a TLS type nor printable */
		return getrandom(buf + 1, 255, 0) + 1;
	}
	for (char *w = strtok_r(command, " ", &save); w; w = strtok_r(NULL, " ", &save), n++)
		len += snprintf(words + len, sizeof(words) - len, "$%zu\r\n%s\r\n", strlen(w), w);
	return snprintf(buf, room, "*%zu\r\n%s", n, words);
}

static long reply_count(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[4096];
	long got = 0;
	ssize_t n;

	while (poll(&p, 1, 150) > 0 && (n = recv(fd, buf, sizeof(buf), 0)) > 0)
		got += n;
	return got;
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *to;
	char payload[8192], command[2048] = "PING";
	struct sockaddr_in6 me;
	socklen_t len = sizeof(me);
	const char *kind = "resp";
	long sent = 0, got = 0, times = 1;
	int opt, fd, on = 1, off = 0, ride = 0, err = 0;
	size_t size, piece = sizeof(payload), n;

	while ((opt = getopt(argc, argv, "k:c:s:an:")) != -1) {
		if (opt == 'k')
			kind = optarg;
		else if (opt == 'c')
			snprintf(command, sizeof(command), "%s", optarg);
		else if (opt == 's')
			piece = atol(optarg);
		else if (opt == 'n')
			times = atol(optarg);
		else
			ride = 1;
	}
	if (optind + 2 > argc || getaddrinfo(argv[optind], argv[optind + 1], &hints, &to))
		return 2;
	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (ride)
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
	if (connect(fd, to->ai_addr, to->ai_addrlen))
		trigger_die("connect");
	getsockname(fd, (struct sockaddr *)&me, &len);
	size = payload_make(payload, sizeof(payload), kind, command);
	while (times--) {
		for (size_t at = 0; at < size && !err; at += n) {
			n = size - at < piece ? size - at : piece;
			if (send(fd, payload + at, n, MSG_NOSIGNAL) < 0)
				err = errno;
			else
				sent += n;
		}
		got += reply_count(fd);
	}
	trigger_report("\"tid\":%d,\"port\":%d,\"sent\":%ld,\"received\":%ld,\"errno\":%d",
		       getpid(), ntohs(me.sin6_port), sent, got, err);
	return 0;
}
