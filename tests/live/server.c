/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server.c - real Redis servers in scratch directories, and a client that speaks TLS or plaintext to them.
 *
 * No file of a server in /proc that needs a ptrace check is opened here: the monitor would report it.
 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A self-signed certificate, which is also the CA file. */
const char *cert_path(void)
{
	const char *cert = str("%s/cert.pem", scratch);
	EVP_PKEY *key;
	X509_NAME *name;
	X509 *x;
	FILE *f;

	if (!access(cert, R_OK))
		return cert;
	key = EVP_EC_gen("P-256");
	x = X509_new();
	require(key && x, "no key");
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -86400);
	X509_gmtime_adj(X509_getm_notAfter(x), 2 * 86400);
	X509_set_pubkey(x, key);
	name = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)"cachewarden test", -1, -1, 0);
	X509_set_issuer_name(x, name);
	require(X509_sign(x, key, EVP_sha256()), "no certificate");
	f = fopen(key_path(), "we");
	require(f && !fchmod(fileno(f), 0600) &&
			PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) && !fclose(f),
		"write %s: %s", key_path(), strerror(errno));
	f = fopen(cert, "we");
	require(f && PEM_write_X509(f, x) && !fclose(f), "write %s: %s", cert, strerror(errno));
	EVP_PKEY_free(key);
	X509_free(x);
	return cert;
}

const char *key_path(void)
{
	return str("%s/key.pem", scratch);
}

void key_copy(const char *to)
{
	file_write(to, file_read(key_path()));
	require(!chmod(to, 0600), "chmod %s: %s", to, strerror(errno));
}

/* ---- servers ------------------------------------------------------------------------------------ */

struct server *server_prepare(const struct server_opts *o)
{
	static unsigned int nr;
	struct server *s = calloc(1, sizeof(*s));
	const char *base = o->exe ? strrchr(o->exe, '/') + 1 : "redis-server";
	const char *cert = cert_path();

	s->name = strdup(base);
	s->tls_port = o->tls_port ?: port_free();
	s->plain_port = o->plain ? port_free() : 0;
	snprintf(s->dir, sizeof(s->dir), "%s/server.%u", scratch, ++nr);
	snprintf(s->config, sizeof(s->config), "%s/redis.conf", s->dir);
	snprintf(s->log, sizeof(s->log), "%s/redis.log", s->dir);
	require(!mkdir(s->dir, 0750), "mkdir %s: %s", s->dir, strerror(errno));
	snprintf(s->key, sizeof(s->key), "%s/key.pem", s->dir);
	key_copy(s->key);
	file_write(s->config,
		   str("port %d\ntls-port %d\nbind %s\ndir %s\nlogfile %s\n"
		       "tls-cert-file %s\ntls-key-file %s\ntls-ca-cert-file %s\n"
		       "tls-auth-clients no\nsave \"\"\ndaemonize %s\npidfile %s/pid\n"
		       "%s\n",
		       s->plain_port, s->tls_port, o->bind ?: "127.0.0.1", s->dir, s->log, cert,
		       s->key, cert, o->daemonize ? "yes" : "no", s->dir, o->extra ?: ""));
	return s;
}

void server_ready(struct server *s)
{
	require(file_wait(s->log, "Ready to accept connections", 8000), "server %s not up: %s",
		s->dir, file_read(s->log));
}

void server_run_with(struct server *s, void (*setup)(void))
{
	unlink(s->log); /* server_ready() must not find what an earlier run wrote */
	s->pid = child_start((const char *const[]){REDIS_SERVER, s->config, NULL},
			     &(struct child_opts){.setup = setup});
	server_ready(s);
}

void server_run(struct server *s)
{
	server_run_with(s, NULL);
}

struct server *server_start(const struct server_opts *o)
{
	struct server *s = server_prepare(o);
	struct child_opts child = o->child;

	child.out = child.err = str("%s/stderr", s->dir);
	s->pid =
		child_start((const char *const[]){o->exe ?: REDIS_SERVER, s->config, NULL}, &child);
	server_ready(s);
	if (o->daemonize) {
		child_wait(s->pid, 2000);
		s->pid = atoi(file_read(str("%s/pid", s->dir)));
		require(s->pid > 1, "server %s left no pid file", s->dir);
		child_adopt(s->pid);
	}
	return s;
}

const char *pid_of(const struct server *s)
{
	return str("%d", s->pid);
}

void server_stop(struct server *s, int sig)
{
	child_stop(s->pid, sig, 3000);
}

pid_t server_thread(const struct server *s)
{
	DIR *dir = opendir(str("/proc/%d/task", s->pid));
	struct dirent *e;
	pid_t tid = 0;

	while (dir && !tid && (e = readdir(dir)))
		if (atoi(e->d_name) != s->pid)
			tid = atoi(e->d_name);
	if (dir)
		closedir(dir);
	require(tid, "server %d has no second thread", s->pid);
	return tid;
}

/* ---- a client ----------------------------------------------------------------------------------- */

struct client {
	int fd;
	SSL *ssl;
	char reply[65536];
};

struct client *client_open(const struct server *s, const char *host, bool tls)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *to;
	struct client *c = calloc(1, sizeof(*c));
	struct timeval limit = {.tv_sec = 5L * patience};
	SSL_CTX *ctx;

	require(!getaddrinfo(host, str("%d", tls ? s->tls_port : s->plain_port), &hints, &to),
		"address %s", host);
	c->fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	require(!connect(c->fd, to->ai_addr, to->ai_addrlen), "connect: %s", strerror(errno));
	freeaddrinfo(to);
	if (!tls)
		return c;
	ctx = SSL_CTX_new(TLS_client_method());
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(c->ssl, c->fd);
	require(SSL_connect(c->ssl) == 1, "TLS handshake with %s failed", s->dir);
	return c;
}

int client_port(const struct client *c)
{
	struct sockaddr_in6 me = {};
	socklen_t len = sizeof(me);

	getsockname(c->fd, (struct sockaddr *)&me, &len);
	return ntohs(me.sin6_port);
}

void client_bytes(const struct client *c, uint64_t *sent, uint64_t *received)
{
	*sent += BIO_number_written(SSL_get_wbio(c->ssl));
	*received += BIO_number_read(SSL_get_rbio(c->ssl));
}

/* Whether a complete reply has arrived: a line, or a bulk string. */
static bool reply_whole(const char *reply, size_t len)
{
	const char *line = memchr(reply, '\n', len);

	if (!line || reply[0] != '$' || reply[1] == '-')
		return line;
	return len >= (size_t)(line + 1 - reply) + atol(reply + 1) + 2;
}

void client_ask(struct client *c, const char *command)
{
	char words[8192] = "", request[8300], *copy = strdup(command), *save = NULL;
	size_t len = 0, n = 0;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save), n++)
		len += snprintf(words + len, sizeof(words) - len, "$%zu\r\n%s\r\n", strlen(w), w);
	free(copy);
	len = snprintf(request, sizeof(request), "*%zu\r\n%s", n, words);
	if (c->ssl)
		require(SSL_write(c->ssl, request, len) == (int)len, "TLS write failed");
	else
		require(send(c->fd, request, len, MSG_NOSIGNAL) == (ssize_t)len, "send: %s",
			strerror(errno));
}

static size_t client_read(struct client *c, size_t at)
{
	size_t room = sizeof(c->reply) - at - 1;
	ssize_t r = c->ssl ? SSL_read(c->ssl, c->reply + at, room)
			   : recv(c->fd, c->reply + at, room, 0);

	require(r > 0, "no whole reply");
	return r;
}

void client_skip(struct client *c, size_t bytes)
{
	for (size_t got = 0; got < bytes;)
		got += client_read(c, 0);
}

void client_wait(struct client *c, int bytes)
{
	long long end = now_ms() + 5000 * patience;
	int unread = 0;

	while (!ioctl(c->fd, FIONREAD, &unread) && unread < bytes) {
		require(now_ms() < end, "%d bytes came, not %d", unread, bytes);
		sleep_ms(5);
	}
}

const char *client_do(struct client *c, const char *command)
{
	size_t got = 0;

	client_ask(c, command);
	while (!reply_whole(c->reply, got))
		got += client_read(c, got);
	c->reply[got] = 0;
	return c->reply;
}

void client_close(struct client *c)
{
	if (c->ssl)
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	close(c->fd);
	free(c);
}

static void answers(const struct server *s, const char *command, const char *reply)
{
	struct client *c = client_open(s, "127.0.0.1", true);
	const char *got = client_do(c, command);

	require(!strncmp(got, reply, strlen(reply)), "%s: %s", command, got);
	client_close(c);
}

void server_save(const struct server *s)
{
	answers(s, "SAVE", "+OK");
}

void server_responds(const struct server *s)
{
	answers(s, "PING", "+PONG");
}
