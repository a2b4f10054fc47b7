/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ktls: TLS whose records the kernel builds (the tls ULP), with OpenSSL's SSL_OP_ENABLE_KTLS.
 *
 * serve is an echo server that handles one connection at a time. connect sends data, compares the echo and
 * stays connected.
 *
 *     -m 1.2|1.3   the only version to offer
 *     -v BYTES     how much to send; 1 if not given
 *     -u           without kTLS
 *     -g           go on after the report: one byte back and forth every 20 ms
 *
 * Ground truth: "send" and "recv", whether the kernel encrypts and decrypts. serve prints them for each
 * connection with "version" and "fd"; connect reports them with "port" and "bytes".
 */
#include <netinet/tcp.h>

#include "tls.h"

#define BLOCK 16000
#define ECHO_PAUSE_US 20000

static const char synopsis[] =
	"serve PORT CERT KEY | connect HOST PORT CA [-m 1.2|1.3] [-v BYTES] [-u] "
	"[-g]";

static const char *kernel_sends(SSL *ssl)
{
	return trigger_bool(BIO_get_ktls_send(SSL_get_wbio(ssl)));
}

static const char *kernel_receives(SSL *ssl)
{
	return trigger_bool(BIO_get_ktls_recv(SSL_get_rbio(ssl)));
}

static void serve_one(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);
	char buf[BLOCK];
	int n, on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* as Redis does */
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		printf("{\"version\":\"%s\",\"fd\":%d,\"send\":%s,\"recv\":%s}\n",
		       SSL_get_version(ssl), fd, kernel_sends(ssl), kernel_receives(ssl));
		fflush(stdout);
		while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0 && SSL_write(ssl, buf, n) == n)
			;
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	close(fd);
}

static int serve(const char *port, const char *cert, const char *key)
{
	int listener = net_listen(atoi(port), SOCK_CLOEXEC), fd;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	signal(SIGPIPE, SIG_IGN);
	SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
	if (SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		trigger_die("certificate %s, key %s", cert, key);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		serve_one(ctx, fd);
	return 1;
}

static void echo(SSL *ssl, long bytes)
{
	char want[BLOCK], got[BLOCK];

	for (long done = 0, len; done < bytes; done += len) {
		int n;

		len = bytes - done < BLOCK ? bytes - done : BLOCK;
		value_fill(want, done, len);
		if (SSL_write(ssl, want, (int)len) != len)
			trigger_die("write");
		for (int have = 0; have < len; have += n) {
			n = SSL_read(ssl, got + have, (int)len - have);
			if (n <= 0 || memcmp(got + have, want + have, n))
				trigger_die("the echo differs from what was sent");
		}
	}
}

int main(int argc, char **argv)
{
	int opt, version = 0, ktls = 1, go_on = 0;
	long bytes = 1;
	SSL_CTX *ctx;
	SSL *ssl;

	while ((opt = getopt(argc, argv, "m:v:ug")) != -1) {
		if (opt == 'm')
			version = tls_version(optarg);
		else if (opt == 'v')
			bytes = atol(optarg);
		else if (opt == 'g')
			go_on = 1;
		else if (opt == 'u')
			ktls = 0;
		else
			trigger_usage(synopsis);
	}
	if (optind + 4 > argc)
		trigger_usage(synopsis);
	argv += optind;
	if (!strcmp(argv[0], "serve"))
		return serve(argv[1], argv[2], argv[3]);
	ctx = tls_context(argv[3], version);
	if (ktls)
		SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
	ssl = tls_connect(ctx, argv[1], argv[2]);
	echo(ssl, bytes);
	trigger_report("\"port\":%d,\"bytes\":%ld,\"send\":%s,\"recv\":%s",
		       net_port(SSL_get_fd(ssl)), bytes, kernel_sends(ssl), kernel_receives(ssl));
	while (go_on && usleep(ECHO_PAUSE_US) == 0)
		echo(ssl, 1);
	trigger_stay();
}
