/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * many_hellos: begins a handshake, opens many other connections in the middle of it, then finishes it. It sends
 * the first byte of a ClientHello that offers only VERSION (1.0 or 1.2), opens OTHERS connections that
 * send one byte each and stay open, then sends the rest of the hello and a PING.
 *
 * Ground truth: "port" of the handshake's connection, "others", and "version", what was negotiated.
 */
#include "tls.h"

static void send_bytes(int fd, const void *bytes, int len)
{
	if (write(fd, bytes, (size_t)len) != len)
		trigger_die("write");
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = tls_in_memory(ctx);
	char hello[4096];
	int version, fd, len, others;

	if (argc < 5)
		trigger_usage("HOST PORT 1.0|1.2 OTHERS");
	version = strcmp(argv[3], "1.0") ? TLS1_2_VERSION : TLS1_VERSION;
	others = atoi(argv[4]);
	SSL_set_min_proto_version(ssl, version);
	SSL_set_max_proto_version(ssl, version);
	SSL_set_cipher_list(ssl, "ALL:@SECLEVEL=0");
	SSL_connect(ssl); /* writes the hello, then waits for a reply */
	len = BIO_read(SSL_get_wbio(ssl), hello, sizeof(hello));
	if (len < 2)
		trigger_die("no ClientHello");
	fd = net_connect(argv[1], argv[2]);
	send_bytes(fd, hello, 1);
	for (int i = 0; i < others; i++)
		send_bytes(net_connect(argv[1], argv[2]), hello, 1);
	send_bytes(fd, hello + 1, len - 1);
	SSL_set_fd(ssl, fd);
	tls_handshake(ssl);
	tls_ping(ssl);
	trigger_report("\"port\":%d,\"others\":%d,\"version\":\"%s\"", net_port(fd), others,
		       SSL_get_version(ssl));
	tls_close(ssl);
	return 0;
}
