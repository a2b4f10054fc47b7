/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client: the benign twin of the TLS attacks: all it sends is TLS. Each connection does a handshake
 * and a PING.
 *
 *     -n TIMES     so many connections, one after the other; 1 if not given
 *     -v BYTES     store values of 1, 10, 100 ... BYTES bytes, read them back and compare
 *     -m 1.2|1.3   the only version to offer
 *     -k           rekey afterwards: a key update, in 1.2 a renegotiation
 *     -r           every second connection resumes the session of the one before
 *
 * Ground truth: "port" of the last connection; "result", connections; "bytes" of values; "resumed",
 * connections; "rekeyed", whether the last one got new keys.
 */
#include "tls.h"

#define WRITE_MAX (1 << 20)

static const char synopsis[] = "HOST PORT CA [-n TIMES] [-v BYTES] [-m 1.2|1.3] [-k] [-r]";

static void write_all(SSL *ssl, const char *buf, size_t len)
{
	while (len) {
		int n = SSL_write(ssl, buf, len > WRITE_MAX ? WRITE_MAX : len);

		if (n <= 0)
			trigger_die("write");
		buf += n;
		len -= n;
	}
}

/* buf: room for len bytes. */
static void expect(SSL *ssl, const char *want, size_t len, char *buf)
{
	for (size_t got = 0; got < len;) {
		int n = SSL_read(ssl, buf + got, len - got);

		if (n <= 0 || memcmp(buf + got, want + got, n))
			trigger_die("the reply differs from what was stored");
		got += n;
	}
}

/* SET and GET are pipelined; short ones share a write. Returns len. */
static long store_and_read_back(SSL *ssl, size_t len)
{
	char *request = malloc(len + 256), *want = malloc(len + 64), *buf = malloc(len + 64);
	size_t at = value_set_command(request, len), end = sprintf(want, "+OK\r\n$%zu\r\n", len);

	value_fill(request + at, 0, len);
	memcpy(want + end, request + at, len);
	memcpy(want + end + len, "\r\n", 2);
	at += len;
	memcpy(request + at, "\r\n", 2);
	at += 2;
	at += value_get_command(request + at);
	write_all(ssl, request, at);
	expect(ssl, want, end + len + 2, buf);
	free(request);
	free(want);
	free(buf);
	return len;
}

/* Returns whether the peer agreed. */
static int renew_keys(SSL *ssl)
{
	int ok = SSL_version(ssl) == TLS1_3_VERSION
			 ? SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1
			 : SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1;

	if (ok)
		tls_ping(ssl);
	return ok;
}

int main(int argc, char **argv)
{
	long times = 1, biggest = 0, done = 0, bytes = 0, resumed = 0;
	int opt, version = 0, keys = 0, rekeyed = 0, port = 0, resume = 0;
	SSL_SESSION *previous = NULL;
	SSL_CTX *ctx;

	while ((opt = getopt(argc, argv, "n:v:m:kr")) != -1) {
		if (opt == 'n')
			times = atol(optarg);
		else if (opt == 'v')
			biggest = atol(optarg);
		else if (opt == 'm')
			version = tls_version(optarg);
		else if (opt == 'k')
			keys = 1;
		else if (opt == 'r')
			resume = 1;
		else
			trigger_usage(synopsis);
	}
	if (optind + 3 > argc)
		trigger_usage(synopsis);
	ctx = tls_context(argv[optind + 2], version);
	for (; done < times; done++) {
		SSL *ssl = tls_connect_resumed(ctx, argv[optind], argv[optind + 1], previous);

		resumed += SSL_session_reused(ssl);
		port = net_port(SSL_get_fd(ssl));
		tls_ping(ssl);
		for (long len = 1; len <= biggest; len *= 10)
			bytes += store_and_read_back(ssl, len);
		if (keys)
			rekeyed = renew_keys(ssl);
		SSL_SESSION_free(previous);
		previous = resume && !SSL_session_reused(ssl) ? SSL_get1_session(ssl) : NULL;
		tls_close(ssl);
	}
	trigger_report("\"port\":%d,\"result\":%ld,\"bytes\":%ld,\"resumed\":%ld,\"rekeyed\":%s",
		       port, done, bytes, resumed, trigger_bool(rekeyed));
	return 0;
}
