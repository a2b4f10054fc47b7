/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_inject: speaks TLS, then writes plaintext to the same socket, past the library.
 *
 *     -m 1.2|1.3   the only version to offer
 *     -n PINGS     so many PINGs over TLS first; 3 if not given
 *     -s BYTES     plaintext in segments of that size
 *
 * Ground truth: "port"; "offset", the stream offset of the first byte that is not TLS (the handshake
 * included); "result", bytes of plaintext sent.
 */
#include <netinet/tcp.h>

#include "tls.h"

static const char synopsis[] = "HOST PORT CA [-m 1.2|1.3] [-n PINGS] [-s BYTES]";

int main(int argc, char **argv)
{
	static const char plain[] = "*2\r\n$3\r\nGET\r\n$6\r\nmarble\r\n";
	const size_t size = sizeof(plain) - 1;
	size_t segment = size, n;
	int opt, version = 0, on = 1, fd, port;
	long pings = 3, sent = 0, offset;
	SSL *ssl;

	while ((opt = getopt(argc, argv, "m:n:s:")) != -1) {
		if (opt == 'm')
			version = tls_version(optarg);
		else if (opt == 'n')
			pings = atol(optarg);
		else if (opt == 's')
			segment = atol(optarg);
		else
			trigger_usage(synopsis);
	}
	if (optind + 3 > argc)
		trigger_usage(synopsis);
	ssl = tls_connect(tls_context(argv[optind + 2], version), argv[optind], argv[optind + 1]);
	fd = SSL_get_fd(ssl);
	port = net_port(fd);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while (pings--)
		tls_ping(ssl);
	offset = BIO_number_written(SSL_get_wbio(ssl));
	for (size_t at = 0; at < size; at += n) {
		n = size - at < segment ? size - at : segment;
		if (send(fd, plain + at, n, MSG_NOSIGNAL) == (ssize_t)n)
			sent += n;
	}
	usleep(100000); /* for the server to read it before the connection ends */
	close(fd);
	trigger_report("\"port\":%d,\"offset\":%ld,\"result\":%ld", port, offset, sent);
	return 0;
}
