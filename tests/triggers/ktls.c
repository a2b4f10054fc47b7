/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ktls: TLS whose records the kernel makes (the tls ULP), by OpenSSL's SSL_OP_ENABLE_KTLS.
 *
 *     ktls serve PORT CERT KEY
 *     ktls call HOST PORT CA -m 1.2|1.3 [-v BYTES] [-u] [-g]
 *
 * serve sends back what it receives, one connection after the other, and says of each its descriptor and whether the
 * kernel encrypts (send) and decrypts (recv). call sends so many bytes and compares what comes back, says the same of
 * its own side, and stays. -u: without the kernel's help. -g: goes on, one byte to and fro every 20 ms.
 */
#include <netinet/tcp.h>

#include "tls.h"

#define PIECE 16000

static const char *yes(int is)
{
	return is ? "true" : "false";
}

static int kernel_sends(SSL *ssl)
{
	return BIO_get_ktls_send(SSL_get_wbio(ssl));
}

static int kernel_receives(SSL *ssl)
{
	return BIO_get_ktls_recv(SSL_get_rbio(ssl));
}

static void serve_one(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);
	char buf[PIECE];
	int n, on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* as Redis does */
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		printf("{\"version\":\"%s\",\"fd\":%d,\"send\":%s,\"recv\":%s}\n",
		       SSL_get_version(ssl), fd, yes(kernel_sends(ssl)), yes(kernel_receives(ssl)));
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
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	signal(SIGPIPE, SIG_IGN);
	SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
	if (SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		trigger_die("certificate %s, key %s", cert, key);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8))
		trigger_die("listen on %s", port);
	while ((one = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		serve_one(ctx, one);
	return 1;
}

static long echo(SSL *ssl, long bytes)
{
	char want[PIECE], got[PIECE];
	long done = 0;

	while (done < bytes) {
		int len = bytes - done < PIECE ? (int)(bytes - done) : PIECE, n;

		for (int i = 0; i < len; i++)
			want[i] = (char)((done + i) * 2654435761u >> 13);
		if (SSL_write(ssl, want, len) != len)
			trigger_die("write");
		for (int have = 0; have < len; have += n) {
			n = SSL_read(ssl, got + have, len - have);
			if (n <= 0 || memcmp(got + have, want + have, n))
				trigger_die("what came back is not what was sent");
		}
		done += len;
	}
	return done;
}

int main(int argc, char **argv)
{
	int opt, version = 0, kernel = 1, goes_on = 0;
	long bytes = 1;
	SSL_CTX *ctx;
	SSL *ssl;

	while ((opt = getopt(argc, argv, "m:v:ug")) != -1) {
		if (opt == 'm')
			version = !strcmp(optarg, "1.2") ? TLS1_2_VERSION : TLS1_3_VERSION;
		else if (opt == 'v')
			bytes = atol(optarg);
		else if (opt == 'g')
			goes_on = 1;
		else
			kernel = 0;
	}
	if (optind + 4 > argc)
		return 2;
	argv += optind;
	if (!strcmp(argv[0], "serve"))
		return serve(argv[1], argv[2], argv[3]);
	ctx = tls_context(argv[3], version);
	if (kernel)
		SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
	ssl = tls_connect(ctx, argv[1], argv[2]);
	bytes = echo(ssl, bytes);
	trigger_report("\"tid\":%d,\"port\":%d,\"bytes\":%ld,\"send\":%s,\"recv\":%s", getpid(),
		       tls_port(ssl), bytes, yes(kernel_sends(ssl)), yes(kernel_receives(ssl)));
	while (goes_on && usleep(20000) == 0)
		echo(ssl, 1);
	while (1)
		pause();
}
