/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_sample.h - an HTTP server on loopback in a process of its own. It answers every request with the status in the
 * file "answer" (200 if there is none), with what is in the file "reply" as the body, and appends its head and body to the file "requests".
 */
#ifndef CACHEWARDEN_HTTP_SAMPLE_H
#define CACHEWARDEN_HTTP_SAMPLE_H

#include "tls_sample.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <strings.h>
#include <sys/wait.h>

#define HTTP_ROOM (1u << 20)

static pid_t http_server;
static unsigned int http_port;

/* --- in the server --- */

struct http_peer {
	int fd;
	SSL *ssl; /* NULL: plain */
};

static inline ssize_t http_read(const struct http_peer *p, char *buf, size_t size)
{
	return p->ssl ? SSL_read(p->ssl, buf, (int)size) : read(p->fd, buf, size);
}

static inline bool http_is_whole(const char *request, size_t len)
{
	const char *body = strstr(request, "\r\n\r\n"),
		   *length = strcasestr(request, "\r\nContent-Length: ");

	return body && length &&
	       len >= (size_t)(body + 4 - request) + strtoul(length + 18, NULL, 10);
}

static inline void http_serve(const struct http_peer *p)
{
	static char request[HTTP_ROOM];
	char answer[1024], status[64] = "200 OK", reply[512];
	size_t len = 0;
	ssize_t n;
	int fd;

	request[0] = '\0';
	while (!http_is_whole(request, len)) {
		n = http_read(p, request + len, sizeof(request) - 1 - len);
		if (n <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
	}
	if (sample_read(sample_path("answer"))[0])
		snprintf(status, sizeof(status), "%.60s", sample_read(sample_path("answer")));
	fd = open(sample_path("requests"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (write(fd, request, len) != (ssize_t)len || write(fd, "\n\n", 2) != 2)
		_exit(1);
	close(fd);
	snprintf(reply, sizeof(reply), "%.500s", sample_read(sample_path("reply")));
	n = snprintf(
		answer, sizeof(answer),
		"HTTP/1.1 %s\r\nContent-Length: %zu\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n%s",
		status, strlen(reply), reply);
	if (p->ssl)
		SSL_write(p->ssl, answer, (int)n);
	else if (write(p->fd, answer, (size_t)n) != n)
		_exit(1);
}

static inline SSL_CTX *http_context(const char *certificate)
{
	SSL_CTX *ctx = certificate ? SSL_CTX_new(TLS_server_method()) : NULL;
	char file[64];

	if (!ctx)
		return NULL;
	snprintf(file, sizeof(file), "%s.pem", certificate);
	SSL_CTX_use_certificate_file(ctx, sample_path(file), SSL_FILETYPE_PEM);
	snprintf(file, sizeof(file), "%s.key", certificate);
	SSL_CTX_use_PrivateKey_file(ctx, sample_path(file), SSL_FILETYPE_PEM);
	SSL_CTX_load_verify_locations(ctx, sample_path("ca.pem"), NULL);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ctx;
}

static inline void http_run(int listener, const char *certificate)
{
	SSL_CTX *ctx = http_context(certificate);

	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		struct http_peer p = {.fd = accept(listener, NULL, NULL)};

		if (ctx) {
			p.ssl = SSL_new(ctx);
			SSL_set_fd(p.ssl, p.fd);
		}
		if (!ctx || SSL_accept(p.ssl) == 1)
			http_serve(&p);
		if (p.ssl)
			SSL_shutdown(p.ssl);
		SSL_free(p.ssl);
		close(p.fd);
	}
}

/* --- in the test --- */

/* On http_port. certificate: it speaks TLS, and demands a certificate of our authority. */
static inline void http_start(const char *certificate)
{
	int listener = hanging_listener(http_port);

	http_server = fork();
	if (!http_server)
		http_run(listener, certificate);
	close(listener);
}

static inline void http_stop(void)
{
	if (http_server) {
		kill(http_server, SIGKILL);
		waitpid(http_server, NULL, 0);
	}
	http_server = 0;
}

static inline const char *http_requests(void)
{
	return sample_read(sample_path("requests"));
}

/* How many of the requests hold that text. */
static inline unsigned int http_count(const char *text)
{
	unsigned int n = 0;

	for (const char *at = http_requests(); (at = strstr(at, text)); at++)
		n++;
	return n;
}

#endif
