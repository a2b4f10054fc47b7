/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd: a handshake that is begun, left alone while many others are begun, and then finished.
 *
 *     crowd HOST PORT VERSION OTHERS
 *
 * The first byte of a ClientHello that offers VERSION (1.0 or 1.2) alone is sent; OTHERS connections that say one
 * byte each are opened, and stay; then comes the rest, and PING.
 */
#include "tls.h"

static int dial(const char *host, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		trigger_die("connect %s %s", host, port);
	return fd;
}

static void say(int fd, const void *bytes, int len)
{
	if (write(fd, bytes, (size_t)len) != len)
		trigger_die("write");
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	BIO *hello = BIO_new(BIO_s_mem());
	SSL *ssl = SSL_new(ctx);
	char bytes[4096];
	int version, fd, len, others;

	if (argc < 5)
		return 2;
	version = strcmp(argv[3], "1.0") ? TLS1_2_VERSION : TLS1_VERSION;
	others = atoi(argv[4]);
	SSL_set_min_proto_version(ssl, version);
	SSL_set_max_proto_version(ssl, version);
	SSL_set_cipher_list(ssl, "ALL:@SECLEVEL=0");
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), hello);
	SSL_connect(ssl); /* wants an answer */
	len = BIO_read(hello, bytes, sizeof(bytes));
	if (len < 2)
		trigger_die("no hello");
	fd = dial(argv[1], argv[2]);
	say(fd, bytes, 1);
	for (int i = 0; i < others; i++)
		say(dial(argv[1], argv[2]), bytes, 1);
	say(fd, bytes + 1, len - 1);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1)
		trigger_die("handshake (%s)", ERR_reason_error_string(ERR_get_error()) ?: "closed");
	if (!tls_ping(ssl))
		trigger_die("ping");
	trigger_report("\"tid\":%d,\"port\":%d,\"others\":%d,\"version\":\"%s\"", getpid(),
		       tls_port(ssl), others, SSL_get_version(ssl));
	tls_close(ssl);
	return 0;
}
