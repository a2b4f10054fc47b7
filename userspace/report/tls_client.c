// SPDX-License-Identifier: BSD-2-Clause
/* tls_client.c - see tls_client.h. The socket blocks, for wait_ms at most. */
#include "report/tls_client.h"

#include "base/libssl.h"
#include "base/secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define KEEPALIVE_S 60
#define REFUSAL_MS                                                                                 \
	1000 /* a server of TLS 1.3 looks at our certificate after the handshake is over for us */

struct tls_client {
	SSL_CTX *ctx;
	SSL *ssl; /* NULL: no connection */
	int fd;
	unsigned int wait_ms;
	uint64_t written, acked; /* by the last connection, as of its end */
	char host[256], port[8];
	char name[256]; /* in the server's certificate */
	bool is_ip;
};

static bool fail(char *error, size_t size, const char *what, const char *why)
{
	snprintf(error, size, "%s: %s", what, why);
	return false;
}

/* --- set up --- */

/* "HOST:PORT", with brackets around an IPv6 address. */
static bool take_address(struct tls_client *c, const char *address)
{
	const char *colon = strrchr(address, ':');
	size_t bracket = address[0] == '[', len;

	if (!colon || (size_t)(colon - address) < 2 * bracket)
		return false;
	len = (size_t)(colon - address) - 2 * bracket;
	if (len >= sizeof(c->host) || strlen(colon + 1) >= sizeof(c->port))
		return false;
	memcpy(c->host, address + bracket, len);
	snprintf(c->port, sizeof(c->port), "%s", colon + 1);
	return true;
}

static bool use_key(SSL_CTX *ctx, const char *path, char *error, size_t size)
{
	int fd = secret_open(path, error, size);
	BIO *bio = fd >= 0 ? BIO_new_fd(fd, BIO_CLOSE) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, libssl_no_passphrase, NULL) : NULL;
	bool ok = key && libssl.SSL_CTX_use_PrivateKey(ctx, key) == 1;

	if (fd >= 0 && !ok)
		fail(error, size, path,
		     key ? "not the certificate's key" : "no private key that can be read");
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

static bool use_files(SSL_CTX *ctx, const char *ca, const char *cert, const char *key, char *error,
		      size_t size)
{
	if (ca ? libssl.SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1
	       : libssl.SSL_CTX_set_default_verify_paths(ctx) != 1)
		return fail(error, size, ca ?: "the system's authorities",
			    "no certificate that can be read");
	if (cert && libssl.SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return fail(error, size, cert, "no certificate that can be read");
	return !key || use_key(ctx, key, error, size);
}

SSL_CTX *tls_client_context(const char *ca, const char *cert, const char *key, char *error,
			    size_t size)
{
	/* no configuration file: it could name modules to load */
	bool loaded = libssl_load() && libssl.OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	SSL_CTX *ctx = loaded ? libssl.SSL_CTX_new(libssl.TLS_client_method()) : NULL;

	if (!ctx) {
		snprintf(error, size, "%s",
			 loaded ? strerror(ENOMEM)
				: "no libssl of the version that cachewarden was built with");
		return NULL;
	}
	if (use_files(ctx, ca, cert, key, error, size)) {
		libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
		libssl.SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		return ctx;
	}
	libssl.SSL_CTX_free(ctx);
	return NULL;
}

struct tls_client *tls_client_new(const struct tls_client_config *config, char *error, size_t size)
{
	struct tls_client *c = calloc(1, sizeof(*c));
	struct in6_addr ip;

	if (!c || !take_address(c, config->address)) {
		fail(error, size, config->address, strerror(c ? EINVAL : ENOMEM));
		free(c);
		return NULL;
	}
	c->fd = -1;
	c->wait_ms = config->wait_ms;
	snprintf(c->name, sizeof(c->name), "%s", config->server_name ?: c->host);
	c->is_ip = inet_pton(AF_INET, c->name, &ip) == 1 || inet_pton(AF_INET6, c->name, &ip) == 1;
	c->ctx = tls_client_context(config->ca, config->cert, config->key, error, size);
	if (c->ctx)
		return c;
	free(c);
	return NULL;
}

static void hang_up(struct tls_client *c)
{
	if (c->ssl) {
		c->acked = tls_client_acked(c);
		c->written = tls_client_written(c);
	}
	libssl.SSL_free(c->ssl);
	c->ssl = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void tls_client_free(struct tls_client *c)
{
	if (!c)
		return;
	if (c->ssl)
		libssl.SSL_shutdown(c->ssl);
	hang_up(c);
	libssl.SSL_CTX_free(c->ctx);
	free(c);
}

/* --- connecting --- */

/* Returns 0 or a negative errno. */
static int wait_connected(int fd, unsigned int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int err = 0;

	if (poll(&p, 1, (int)wait_ms) <= 0)
		return -ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return -err;
}

static void set_limits(int fd, unsigned int wait_ms)
{
	const struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000l};
	const unsigned int user_timeout = 2 * wait_ms;
	const int on = 1, idle = KEEPALIVE_S;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof(user_timeout));
}

/* Returns a descriptor or a negative errno. */
static int connect_to(const struct addrinfo *a, unsigned int wait_ms)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen))
		err = errno == EINPROGRESS ? wait_connected(fd, wait_ms) : -errno;
	if (err) {
		close(fd);
		return err;
	}
	fcntl(fd, F_SETFL, 0);
	set_limits(fd, wait_ms);
	return fd;
}

static bool dial(struct tls_client *c, char *error, size_t size)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found, *a;
	int err = getaddrinfo(c->host, c->port, &hints, &found);

	if (err)
		return fail(error, size, c->host, gai_strerror(err));
	for (a = found; a && c->fd < 0; a = a->ai_next)
		c->fd = connect_to(a, c->wait_ms);
	freeaddrinfo(found);
	if (c->fd >= 0)
		return true;
	fail(error, size, c->host, strerror(-c->fd));
	c->fd = -1;
	return false;
}

static bool expect_name(struct tls_client *c)
{
	X509_VERIFY_PARAM *param = libssl.SSL_get0_param(c->ssl);

	if (c->is_ip)
		return X509_VERIFY_PARAM_set1_ip_asc(param, c->name) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, c->name, 0) == 1 &&
	       libssl.SSL_ctrl(c->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			       c->name) == 1;
}

/* Why the last operation on the connection failed. */
static const char *why(const struct tls_client *c, int error)
{
	long verified = libssl.SSL_get_verify_result(c->ssl);

	if (verified != X509_V_OK)
		return X509_verify_cert_error_string(verified);
	if (ERR_peek_last_error())
		return libssl_reason("TLS failed");
	if (error == EAGAIN || error == EWOULDBLOCK)
		return "no answer in time";
	return error ? strerror(error) : "the server closed the connection";
}

/* Reads what the server may have sent: nothing that matters but an alert. Returns false if the connection has ended. */
static bool look_for_end(struct tls_client *c)
{
	char byte;
	int n;

	ERR_clear_error();
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	errno = 0;
	do
		n = libssl.SSL_read(c->ssl, &byte, 1);
	while (n > 0);
	n = libssl.SSL_get_error(c->ssl, n);
	fcntl(c->fd, F_SETFL, 0);
	return n == SSL_ERROR_WANT_READ;
}

static bool refused(struct tls_client *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};

	return libssl.SSL_version(c->ssl) >= TLS1_3_VERSION && poll(&p, 1, REFUSAL_MS) > 0 &&
	       !look_for_end(c);
}

bool tls_client_connect(struct tls_client *c, char *error, size_t size)
{
	bool ok;

	hang_up(c);
	if (!dial(c, error, size))
		return false;
	ERR_clear_error();
	errno = 0;
	c->ssl = libssl.SSL_new(c->ctx);
	c->written = c->acked = 0;
	ok = c->ssl && expect_name(c) && libssl.SSL_set_fd(c->ssl, c->fd) == 1 &&
	     libssl.SSL_connect(c->ssl) == 1 && !refused(c);
	if (ok)
		return true;
	fail(error, size, c->name, c->ssl ? why(c, errno) : strerror(ENOMEM));
	hang_up(c);
	return false;
}

bool tls_client_connected(struct tls_client *c)
{
	if (!c->ssl)
		return false;
	if (look_for_end(c))
		return true;
	hang_up(c);
	return false;
}

bool tls_client_write(struct tls_client *c, const char *text, size_t len, char *error, size_t size)
{
	ERR_clear_error();
	errno = 0;
	if (libssl.SSL_write(c->ssl, text, (int)len) == (int)len)
		return true;
	fail(error, size, c->name, why(c, errno));
	hang_up(c);
	return false;
}

uint64_t tls_client_written(const struct tls_client *c)
{
	return c->ssl ? BIO_number_written(libssl.SSL_get_wbio(c->ssl)) : c->written;
}

uint64_t tls_client_acked(const struct tls_client *c)
{
	int unacked = 0;

	if (!c->ssl || ioctl(c->fd, SIOCOUTQ, &unacked))
		return c->acked;
	return tls_client_written(c) - (uint64_t)unacked;
}
