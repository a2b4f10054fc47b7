/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_inject: speaks TLS, then writes plaintext past the library onto the same socket.
 *
 *     tls_inject HOST PORT CA [-m 1.2|1.3] [-n PINGS] [-s BYTES]
 *
 * -s sends the plaintext in segments of that many bytes. Prints how many bytes it had sent until
 * then, the handshake included: that is the stream offset of the first byte that is no TLS.
 */
#include <netinet/tcp.h>

#include "tls.h"

int main(int argc, char **argv)
{
	static const char plain[] = "*2\r\n$3\r\nGET\r\n$6\r\nmarble\r\n";
	size_t piece = sizeof(plain) - 1, n;
	int opt, version = 0, on = 1, fd, port;
	long pings = 3, sent = 0, offset;
	SSL_CTX *ctx;
	SSL *ssl;

	while ((opt = getopt(argc, argv, "m:n:s:")) != -1) {
		if (opt == 'm')
			version = !strcmp(optarg, "1.2") ? TLS1_2_VERSION : TLS1_3_VERSION;
		else if (opt == 'n')
			pings = atol(optarg);
		else
			piece = atol(optarg);
	}
	if (optind + 3 > argc)
		return 2;
	ctx = tls_context(argv[optind + 2], version);
	ssl = tls_connect(ctx, argv[optind], argv[optind + 1]);
	port = tls_port(ssl);
	fd = SSL_get_fd(ssl);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while (pings--)
		if (!tls_ping(ssl))
			trigger_die("ping");
	offset = BIO_number_written(SSL_get_wbio(ssl));
	for (size_t at = 0; at < sizeof(plain) - 1; at += n) {
		n = sizeof(plain) - 1 - at < piece ? sizeof(plain) - 1 - at : piece;
		if (send(fd, plain + at, n, MSG_NOSIGNAL) == (ssize_t)n)
			sent += n;
	}
	usleep(100000);
	close(fd);
	trigger_report("\"tid\":%d,\"port\":%d,\"offset\":%ld,\"result\":%ld", getpid(), port,
		       offset, sent);
	return 0;
}
