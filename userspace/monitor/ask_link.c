// SPDX-License-Identifier: BSD-2-Clause
/* ask_link.c - see ask_link.h. */
#include "monitor/ask_link.h"

#include "base/libssl.h"
#include "monitor/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_MS 3000
#define VERDICT_MS 200 /* for a server to refuse a certificate */
#define LOOK_MS 20     /* between looks whether a connection was accepted */

#define TLS_ALERT 21
#define TLS_HANDSHAKE 22

static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool fail(struct ask_link *l, const char *why)
{
	l->why = why;
	return false;
}

static bool fail_late(struct ask_link *l)
{
	l->late = true;
	return fail(l, "no answer in time");
}

bool ask_link_init(struct ask_link *l)
{
	*l = (struct ask_link){.fd = -1, .diag = -1, .why = ""};
	if (!libssl_load())
		return fail(l, "no libssl of the version that cachewarden was built with");
	/* no configuration file: it could name modules to load */
	if (!libssl.OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return fail(l, libssl_reason("cannot be used"));
	l->ctx = libssl.SSL_CTX_new(libssl.TLS_client_method());
	if (!l->ctx)
		return fail(l, libssl_reason("out of memory"));
	libssl.SSL_CTX_set_verify(l->ctx, SSL_VERIFY_NONE, NULL);
	return true;
}

const char *ask_link_identify(struct ask_link *l, const char *cert, int key_fd)
{
	FILE *f = fdopen(key_fd, "r");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, libssl_no_passphrase, NULL) : NULL;
	bool ok = key && libssl.SSL_CTX_use_certificate_chain_file(l->ctx, cert) == 1 &&
		  libssl.SSL_CTX_use_PrivateKey(l->ctx, key) == 1;

	EVP_PKEY_free(key);
	if (f)
		fclose(f);
	else
		close(key_fd);
	return ok ? NULL : libssl_reason("no certificate and key in PEM form");
}

/* Called when a server asks for a certificate and there is none. */
static int certificate_asked(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct ask_link *l = libssl.SSL_get_ex_data(ssl, 0);

	l->asked = true;
	return 0;
}

void ask_link_tolerate(struct ask_link *l, int newest)
{
	libssl.SSL_CTX_set_security_level(l->ctx, 0);
	libssl.SSL_CTX_set_cipher_list(l->ctx, "ALL:COMPLEMENTOFALL");
	libssl.SSL_CTX_ctrl(l->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, 0, NULL);
	libssl.SSL_CTX_ctrl(l->ctx, SSL_CTRL_SET_MAX_PROTO_VERSION, newest, NULL);
	libssl.SSL_CTX_set_client_cert_cb(l->ctx, certificate_asked);
}

/* --- connections --- */

static bool wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, WAIT_MS) == 1;
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* A wildcard is reached by loopback. Returns the length. */
static socklen_t address_of(const uint8_t ip[16], uint16_t port, union address *ret)
{
	*ret = (union address){};
	if (!memcmp(ip, v4_mapped, sizeof(v4_mapped))) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		memcpy(&ret->v4.sin_addr, ip + sizeof(v4_mapped), sizeof(ret->v4.sin_addr));
		if (ret->v4.sin_addr.s_addr == htonl(INADDR_ANY))
			ret->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(port);
	memcpy(&ret->v6.sin6_addr, ip, sizeof(ret->v6.sin6_addr));
	if (IN6_IS_ADDR_UNSPECIFIED(&ret->v6.sin6_addr))
		ret->v6.sin6_addr = in6addr_loopback;
	return sizeof(ret->v6);
}

static uint16_t port_of(const union address *a)
{
	return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

static void ip_of(const union address *a, uint8_t ret[16])
{
	if (a->any.sa_family == AF_INET) {
		memcpy(ret, v4_mapped, sizeof(v4_mapped));
		memcpy(ret + sizeof(v4_mapped), &a->v4.sin_addr, sizeof(a->v4.sin_addr));
	} else {
		memcpy(ret, &a->v6.sin6_addr, sizeof(a->v6.sin6_addr));
	}
}

/* Of a connection between them, as the server sees it. */
static void ends_of(const union address *server, const union address *client, struct conn_ends *ret)
{
	ip_of(server, ret->local_ip);
	ip_of(client, ret->remote_ip);
	ret->local_port = port_of(server);
	ret->remote_port = port_of(client);
}

bool ask_link_connect(struct ask_link *l, const uint8_t ip[16], uint16_t port,
		      struct conn_ends *ret)
{
	union address to, own;
	socklen_t len = address_of(ip, port, &to), own_len = sizeof(own), size = sizeof(int);
	int err = 0;

	l->refused = l->late = false;
	address_of(ip, 0, &own);
	l->fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 || bind(l->fd, &own.any, len) || getsockname(l->fd, &own.any, &own_len))
		return fail(l, strerror(errno));
	ends_of(&to, &own, ret);
	if (connect(l->fd, &to.any, len))
		err = errno;
	if (err == EINPROGRESS && !wait_for(l->fd, POLLOUT))
		return fail_late(l);
	if (err == EINPROGRESS && getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &size))
		err = errno;
	l->refused = err == ECONNREFUSED;
	return !err || fail(l, strerror(err));
}

/* The connection as its other end sees it. */
static bool other_end(struct ask_link *l, struct conn_info *ret)
{
	union address own = {}, peer = {};
	socklen_t own_len = sizeof(own), peer_len = sizeof(peer);

	*ret = (struct conn_info){};
	if (getsockname(l->fd, &own.any, &own_len) || getpeername(l->fd, &peer.any, &peer_len))
		return fail(l, strerror(errno));
	ends_of(&peer, &own, &ret->ends);
	ret->ipv6 = own.any.sa_family == AF_INET6;
	return true;
}

bool ask_link_verify(struct ask_link *l, uint32_t uid)
{
	struct inet_diag_msg found = {};
	struct conn_info c;
	int err = 0;

	if (!other_end(l, &c))
		return false;
	for (int waited = 0; !err && !found.idiag_inode && waited < WAIT_MS; waited += LOOK_MS) {
		if (waited)
			usleep(LOOK_MS * 1000);
		err = sock_diag_find(l->diag, &c, &found);
	}
	if (err)
		return fail(l, "the kernel does not say who holds its other end");
	if (!found.idiag_inode)
		return fail(l, "the connection was not accepted in time");
	return found.idiag_uid == uid || fail(l, "its other end belongs to another user");
}

int ask_link_unix(const char *path, pid_t pid)
{
	int place = open(path, O_PATH | O_CLOEXEC), fd;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct ucred peer = {};
	socklen_t len = sizeof(peer);

	if (place < 0)
		return -1;
	/* a path may be too long for an address */
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d", place);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
			getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.pid != pid)) {
		close(fd);
		fd = -1;
	}
	close(place);
	return fd;
}

void ask_link_use(struct ask_link *l, int fd)
{
	l->fd = fd;
}

/* --- TLS --- */

/* Wait for what OpenSSL wants after it returned r. */
static bool wait_tls(struct ask_link *l, int r)
{
	int want = libssl.SSL_get_error(l->ssl, r);

	if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
		return fail(l, libssl_reason("the connection was closed"));
	return wait_for(l->fd, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT) || fail_late(l);
}

/* The first byte that comes back, without taking it; else -1, and *ret says why. */
static int first_byte(struct ask_link *l, enum ask_peer *ret)
{
	uint8_t byte;

	*ret = ASK_PEER_SILENT;
	if (!wait_for(l->fd, POLLIN)) {
		fail_late(l);
		return -1;
	}
	if (recv(l->fd, &byte, 1, MSG_PEEK) == 1)
		return byte;
	l->why = "the connection was closed";
	*ret = ASK_PEER_CLOSED;
	return -1;
}

/* Send the ClientHello without reading: what comes back is looked at first. */
static bool send_hello(struct ask_link *l)
{
	BIO *nothing = BIO_new(BIO_s_mem());
	int r;

	ERR_clear_error();
	l->ssl = libssl.SSL_new(l->ctx);
	if (!l->ssl || !nothing) {
		BIO_free(nothing);
		return fail(l, "out of memory");
	}
	l->asked = false;
	libssl.SSL_set_ex_data(l->ssl, 0, l);
	BIO_set_mem_eof_return(nothing, -1);
	libssl.SSL_set0_rbio(l->ssl, nothing);
	if (libssl.SSL_set_wfd(l->ssl, l->fd) != 1)
		return fail(l, libssl_reason("out of memory"));
	r = libssl.SSL_connect(l->ssl);
	if (libssl.SSL_get_error(l->ssl, r) != SSL_ERROR_WANT_READ)
		return fail(l, libssl_reason("the connection was closed"));
	return libssl.SSL_set_rfd(l->ssl, l->fd) == 1 || fail(l, libssl_reason("out of memory"));
}

/*
 * With TLS 1.3 a client is done before the server has judged its certificate. Look for what the server says then: an alert,
 * which would be lost behind what is written next, or session tickets.
 */
static bool is_accepted(struct ask_link *l)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	char byte;
	int r;

	if (libssl.SSL_version(l->ssl) != TLS1_3_VERSION || poll(&p, 1, VERDICT_MS) != 1)
		return true;
	ERR_clear_error();
	r = libssl.SSL_peek(l->ssl, &byte, 1);
	return r > 0 || libssl.SSL_get_error(l->ssl, r) == SSL_ERROR_WANT_READ ||
	       fail(l, libssl_reason("the connection was closed"));
}

enum ask_peer ask_link_encrypt(struct ask_link *l)
{
	enum ask_peer peer = ASK_PEER_SILENT;
	int first = send_hello(l) ? first_byte(l, &peer) : -1, r;

	if (first < 0)
		return peer;
	if (first != TLS_HANDSHAKE && first != TLS_ALERT) {
		l->why = "it does not speak TLS";
		return ASK_PEER_SILENT;
	}
	while ((r = libssl.SSL_connect(l->ssl)) != 1) {
		if (!wait_tls(l, r))
			return ASK_PEER_TLS_FAILED;
	}
	return is_accepted(l) ? ASK_PEER_TLS : ASK_PEER_TLS_FAILED;
}

STACK_OF(X509) * ask_link_chain(const struct ask_link *l)
{
	return l->ssl ? libssl.SSL_get_peer_cert_chain(l->ssl) : NULL;
}

bool ask_link_renegotiate(struct ask_link *l)
{
	int r;

	ERR_clear_error();
	if (libssl.SSL_renegotiate(l->ssl) != 1)
		return fail(l, libssl_reason("not possible"));
	while ((r = libssl.SSL_do_handshake(l->ssl)) != 1) {
		if (!wait_tls(l, r))
			return false;
	}
	return true;
}

enum ask_peer ask_link_greet(struct ask_link *l)
{
	static const char ping[] = "PING\r\n";
	enum ask_peer peer = ASK_PEER_CLOSED;
	char reply[128];
	int first = ask_link_write(l, ping, sizeof(ping) - 1) ? first_byte(l, &peer) : -1;
	ssize_t n;

	if (first < 0)
		return peer;
	if (first != '+' && first != '-') {
		l->why = first == TLS_ALERT ? "it speaks TLS" : "it speaks neither TLS nor RESP";
		return ASK_PEER_TLS_FAILED;
	}
	do { /* to the end of the line */
		n = ask_link_read(l, reply, sizeof(reply));
		if (n <= 0)
			return ASK_PEER_SILENT;
	} while (reply[n - 1] != '\n');
	return ASK_PEER_PLAIN;
}

/* --- bytes --- */

static bool write_tls(struct ask_link *l, const char *buf, size_t len)
{
	int r;

	ERR_clear_error();
	while ((r = libssl.SSL_write(l->ssl, buf, (int)len)) <= 0) {
		if (!wait_tls(l, r))
			return false;
	}
	return true;
}

bool ask_link_write(struct ask_link *l, const char *buf, size_t len)
{
	ssize_t n;

	if (l->ssl)
		return write_tls(l, buf, len);
	for (size_t done = 0; done < len; done += (size_t)n) {
		if (!wait_for(l->fd, POLLOUT))
			return fail_late(l);
		n = send(l->fd, buf + done, len - done, MSG_NOSIGNAL);
		if (n < 0)
			return fail(l, strerror(errno));
	}
	return true;
}

static ssize_t read_tls(struct ask_link *l, char *buf, size_t size)
{
	int r;

	ERR_clear_error();
	while ((r = libssl.SSL_read(l->ssl, buf, (int)size)) <= 0) {
		if (!wait_tls(l, r))
			return -1;
	}
	return r;
}

ssize_t ask_link_read(struct ask_link *l, char *buf, size_t size)
{
	ssize_t n;

	if (l->ssl)
		return read_tls(l, buf, size);
	if (!wait_for(l->fd, POLLIN)) {
		fail_late(l);
		return -1;
	}
	n = recv(l->fd, buf, size, 0);
	if (n <= 0)
		l->why = n ? strerror(errno) : "the connection was closed";
	return n;
}

void ask_link_close(struct ask_link *l)
{
	if (l->ssl) {
		libssl.SSL_shutdown(l->ssl);
		libssl.SSL_free(l->ssl);
		l->ssl = NULL;
	}
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
