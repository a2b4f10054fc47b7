/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * old_hellos: connects NUMBER times, one after the other. Each time it sends a ClientHello that offers only TLS 1.0, reads
 * the server's answer, and closes.
 *
 * Ground truth: "made", how often the server answered with a handshake record.
 */
#include "tls.h"

#define HANDSHAKE_RECORD 22

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = tls_in_memory(ctx);
	char hello[4096], answer[8192];
	long number, made = 0;
	int len;

	if (argc != 4)
		trigger_usage("HOST PORT NUMBER");
	number = atol(argv[3]);
	SSL_set_min_proto_version(ssl, TLS1_VERSION);
	SSL_set_max_proto_version(ssl, TLS1_VERSION);
	SSL_set_cipher_list(ssl, "ALL:@SECLEVEL=0");
	SSL_connect(ssl); /* writes the hello, then waits for a reply */
	len = BIO_read(SSL_get_wbio(ssl), hello, sizeof(hello));
	if (len < 2)
		trigger_die("no ClientHello");
	for (long i = 0; i < number; i++) {
		int fd = net_connect(argv[1], argv[2]);

		if (write(fd, hello, (size_t)len) != len)
			trigger_die("write");
		made += read(fd, answer, sizeof(answer)) > 0 && answer[0] == HANDSHAKE_RECORD;
		close(fd);
	}
	trigger_report("\"made\":%ld", made);
	return 0;
}
