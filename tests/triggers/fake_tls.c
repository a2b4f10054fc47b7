/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_tls: both ends of a connection that looks like TLS record by record and carries commands in the
 * clear, as a modified server and client could. `serve`, run from a copy named redis-server, is
 * monitored as a server and answers one connection after the other; `dial` sends a GET.
 *
 *     data        application data from the first byte on, no handshake
 *     handshake   the same in handshake records
 *     early       a real TLS 1.3 ClientHello that offers no early data, then application data at once
 *     nohello     a real ClientHello, and a ServerHello cut short
 *     nokeys      real TLS 1.2 hellos, then application data without ChangeCipherSpec
 *
 * Ground truth of dial: "port", "sent" and "received" (bytes).
 */
#include "tls.h"

#define REPLY_MS 100

static const char synopsis[] = "serve PORT HOW CERT KEY | dial PORT HOW CA";

static const char get[] = "*2\r\n$3\r\nGET\r\n$16\r\nmarble-staircase\r\n";
static const char reply[] = "$16\r\nhazel-lighthouse\r\n";

static int fd;
static long sent, received;
static char got[65536];

static void send_bytes(const void *bytes, size_t len)
{
	if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		trigger_die("send");
	sent += len;
}

static void send_record(int type, const char *text)
{
	char record[5 + 256] = {(char)type, 3, 3, 0, (char)strlen(text)};

	memcpy(record + 5, text, strlen(text));
	send_bytes(record, 5 + strlen(text));
}

/* What comes until nothing more does for a moment. Returns its length, 0 at the end. */
static ssize_t receive(void)
{
	struct timeval patience = {.tv_sec = TLS_REPLY_TIMEOUT_S},
		       quiet = {.tv_usec = REPLY_MS * 1000};
	ssize_t len = 0, n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while ((n = recv(fd, got + len, sizeof(got) - len, 0)) > 0) {
		len += n;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof(quiet));
	}
	received += len;
	return len;
}

/* What an end of OpenSSL's writes in answer to the bytes received. */
static void send_flight(SSL *ssl, ssize_t len)
{
	char flight[16384];
	int n;

	BIO_write(SSL_get_rbio(ssl), got, (int)len);
	SSL_do_handshake(ssl);
	n = BIO_read(SSL_get_wbio(ssl), flight, sizeof(flight));
	if (n <= 0)
		trigger_die("no flight");
	send_bytes(flight, n);
}

static SSL *server_in_memory(const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		trigger_die("certificate");
	ssl = SSL_new(ctx);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(ssl);
	return ssl;
}

static void answer(const char *how, const char *cert, const char *key)
{
	static const char cut_short[] = {22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3};
	ssize_t len = receive();

	if (!strcmp(how, "data") || !strcmp(how, "handshake")) {
		send_record(*how == 'd' ? 23 : 22, reply);
		return;
	}
	if (!strcmp(how, "nohello"))
		send_bytes(cut_short, sizeof(cut_short));
	else
		send_flight(server_in_memory(cert, key), len);
	if (strcmp(how, "early"))
		receive();
	send_record(23, reply);
}

static void ask(const char *how, const char *ca)
{
	int version = !strcmp(how, "nokeys") ? TLS1_2_VERSION : TLS1_3_VERSION;

	if (!strcmp(how, "data") || !strcmp(how, "handshake")) {
		send_record(*how == 'd' ? 23 : 22, get);
	} else {
		send_flight(tls_in_memory(tls_context(ca, version)), 0);
		if (strcmp(how, "early"))
			receive();
		send_record(23, get);
	}
	receive();
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "serve")) {
		int listener = net_listen(atoi(argv[2]), SOCK_CLOEXEC);

		while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
			answer(argv[3], argv[4], argv[5]);
			receive();
			close(fd);
		}
		trigger_die("accept");
	}
	if (argc != 5 || strcmp(argv[1], "dial"))
		trigger_usage(synopsis);
	fd = net_connect("127.0.0.1", argv[2]);
	ask(argv[3], argv[4]);
	trigger_report("\"port\":%d,\"sent\":%ld,\"received\":%ld", net_port(fd), sent, received);
	return 0;
}
