/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client: a well-behaved client; nothing it does is anything but TLS.
 *
 *     tls_client HOST PORT CA [-n TIMES] [-v BYTES] [-m 1.2|1.3] [-k] [-r]
 *
 * Each of the -n connections does a handshake and PING; -v also SETs and GETs values of 1, 10, 100
 * ... BYTES bytes, pipelined, and compares them; -k asks for new keys mid-stream (1.2:
 * renegotiation); -r: every second connection resumes the session of the one before.
 */
#include "tls.h"

static void write_all(SSL *ssl, const char *buf, size_t len)
{
	while (len) {
		int n = SSL_write(ssl, buf, len > 1 << 20 ? 1 << 20 : len);

		if (n <= 0)
			trigger_die("write");
		buf += n;
		len -= n;
	}
}

static void expect(SSL *ssl, const char *want, size_t len, char *buf)
{
	for (size_t got = 0; got < len;) {
		int n = SSL_read(ssl, buf + got, len - got);

		if (n <= 0 || memcmp(buf + got, want + got, n))
			trigger_die("reply is not what was stored");
		got += n;
	}
}

/* SET and GET in one go: two commands, one write where it is small. */
static long value(SSL *ssl, size_t len)
{
	char *request = malloc(len + 256), *want = malloc(len + 64), *buf = malloc(len + 64);
	size_t at, end;

	at = sprintf(request, "*3\r\n$3\r\nSET\r\n$8\r\nv%07d\r\n$%zu\r\n", getpid(), len);
	for (size_t i = 0; i < len; i++)
		request[at + i] = (char)(i * 2654435761u >> 13);
	end = sprintf(want, "+OK\r\n$%zu\r\n", len);
	memcpy(want + end, request + at, len);
	memcpy(want + end + len, "\r\n", 2);
	at += len;
	at += sprintf(request + at, "\r\n*2\r\n$3\r\nGET\r\n$8\r\nv%07d\r\n", getpid());
	write_all(ssl, request, at);
	expect(ssl, want, end + len + 2, buf);
	free(request);
	free(want);
	free(buf);
	return len;
}

static int new_keys(SSL *ssl)
{
	if (SSL_version(ssl) == TLS1_3_VERSION)
		return SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && tls_ping(ssl);
	return SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1 && tls_ping(ssl);
}

int main(int argc, char **argv)
{
	long times = 1, biggest = 0, done = 0, bytes = 0, resumed = 0;
	int opt, version = 0, keys = 0, renewed = 0, port = 0, resume = 0;
	SSL_SESSION *before = NULL;
	SSL_CTX *ctx;

	while ((opt = getopt(argc, argv, "n:v:m:kr")) != -1) {
		if (opt == 'n')
			times = atol(optarg);
		else if (opt == 'v')
			biggest = atol(optarg);
		else if (opt == 'm')
			version = !strcmp(optarg, "1.2") ? TLS1_2_VERSION : TLS1_3_VERSION;
		else if (opt == 'k')
			keys = 1;
		else
			resume = 1;
	}
	if (optind + 3 > argc)
		return 2;
	ctx = tls_context(argv[optind + 2], version);
	for (; done < times; done++) {
		SSL *ssl = tls_connect_again(ctx, argv[optind], argv[optind + 1], before);

		resumed += SSL_session_reused(ssl);
		port = tls_port(ssl);
		if (!tls_ping(ssl))
			trigger_die("ping");
		for (long len = 1; len <= biggest; len *= 10)
			bytes += value(ssl, len);
		if (keys)
			renewed = new_keys(ssl);
		SSL_SESSION_free(before);
		before = resume && !SSL_session_reused(ssl) ? SSL_get1_session(ssl) : NULL;
		tls_close(ssl);
	}
	trigger_report(
		"\"tid\":%d,\"port\":%d,\"result\":%ld,\"bytes\":%ld,\"resumed\":%ld,\"renewed\":%s",
		getpid(), port, done, bytes, resumed, renewed ? "true" : "false");
	return 0;
}
