// SPDX-License-Identifier: BSD-2-Clause
/* ask_session.c - see ask_session.h. A password is in no argument, no output and no log; errors are told by fixed texts. */
#include "monitor/ask_session.h"

#include "base/proc.h"
#include "base/secret.h"
#include "model/server_reply.h"
#include "monitor/ask_link.h"
#include "monitor/ask_resp.h"
#include "monitor/file_probe.h"
#include "monitor/sock_diag.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const ask_directives[ASK_VALUES] = {
	"dir",		"dbfilename",	       "appenddirname", "aclfile", "cluster-config-file",
	"tls-key-file", "tls-client-key-file", "include"};

struct session {
	const struct ask_question *q;
	struct ask_answer *answer;
	struct ask_link link;
	char password[ASK_RESP_WORD];
};

__attribute__((format(printf, 2, 3))) static bool fail(struct session *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->answer->reason, sizeof(s->answer->reason), fmt, args);
	va_end(args);
	return false;
}

/* --- files of the policy --- */

static bool read_password(struct session *s)
{
	const char *path = s->q->how->password_file;
	char why[ASK_REASON_LEN];

	if (!path || !secret_read_line(path, s->password, sizeof(s->password), why, sizeof(why)))
		return true;
	return fail(s, "%s", why);
}

static bool read_certificate(struct session *s)
{
	const struct policy_ask *how = s->q->how;
	char refusal[ASK_REASON_LEN];
	const char *why;
	int fd;

	if (!how->key)
		return true;
	fd = secret_open(how->key, refusal, sizeof(refusal));
	if (fd < 0)
		return fail(s, "%s", refusal);
	why = ask_link_identify(&s->link, how->cert, fd);
	return !why || fail(s, "%s, %s: %s", how->cert, how->key, why);
}

/* --- rights --- */

static void quieten(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	for (int i = 0; i < 3; i++)
		dup2(null, i);
	close_range(3, ~0u, 0); /* the monitor's BPF objects before all */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "cw-ask");
	prctl(PR_SET_DUMPABLE, 0);
	alarm(ASK_SECONDS);
}

/* From now on the session can do what nobody can. */
static bool drop_rights(struct session *s)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(s, "cannot give up root's rights: %s", strerror(errno));
	/* a change of user cleared both */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	if (setrlimit(RLIMIT_NPROC, &(struct rlimit){})) /* nothing outlives it */
		return fail(s, "cannot give up root's rights: %s", strerror(errno));
	return true;
}

static bool enter_network(struct session *s)
{
	int fd = -1, err = sock_diag_netns((pid_t)s->q->in->pid, &fd);

	if (!err && setns(fd, CLONE_NEWNET))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err < 0)
		return fail(s, "its network namespace cannot be entered: %s", strerror(-err));
	s->link.diag = sock_diag_open(0);
	return true;
}

/* --- the conversation --- */

/* Send a command and read its reply, which stays in buf. */
static bool ask(struct session *s, const char *const *words, char buf[ASK_RESP_MAX],
		struct server_reply *ret)
{
	enum ask_resp got = ask_resp(&s->link, words, buf, ret);

	if (got == ASK_RESP_OK)
		return true;
	s->answer->again = got == ASK_RESP_LOST;
	return fail(s, "%s: %s", words[0],
		    got == ASK_RESP_FOREIGN ? "the reply is none of Redis" : s->link.why);
}

static bool refused(struct session *s, const char *command, const struct server_reply *r)
{
	s->answer->again = server_reply_passes(r);
	return fail(s, "%s refused: %s", command, server_reply_error(r));
}

static bool authenticate(struct session *s, char buf[ASK_RESP_MAX])
{
	const char *user = s->q->how->user;
	const char *const words[] = {"AUTH", user ?: s->password, user ? s->password : NULL, NULL};
	struct server_reply r = {};

	if (!s->password[0])
		return true;
	if (!ask(s, words, buf, &r))
		return false;
	return r.kind == REPLY_STATUS || refused(s, "AUTH", &r);
}

static bool keep(struct session *s, size_t i, const char *text, size_t len)
{
	if (len >= ASK_VALUE_LEN || memchr(text, '\0', len))
		return fail(s, "%s: the value is no path", ask_directives[i]);
	memcpy(s->answer->value[i], text, len);
	s->answer->value[i][len] = '\0';
	return true;
}

static bool ask_parameter(struct session *s, size_t i, char buf[ASK_RESP_MAX])
{
	const char *const words[] = {"CONFIG", "GET", ask_directives[i], NULL};
	struct server_reply r = {};

	if (!ask(s, words, buf, &r))
		return false;
	if (r.kind == REPLY_PAIR)
		return keep(s, i, r.text, r.len);
	return r.kind == REPLY_NONE || refused(s, "CONFIG GET", &r);
}

/* The configuration file is no parameter. Without it there is less to protect, but not nothing. */
static void ask_config_file(struct session *s, char buf[ASK_RESP_MAX])
{
	const char *const words[] = {"INFO", "server", NULL};
	struct server_reply r = {};
	const char *path = "";
	size_t len;

	if (!ask(s, words, buf, &r))
		return;
	if (r.kind != REPLY_TEXT) {
		refused(s, "INFO", &r);
		return;
	}
	len = server_reply_info(&r, "config_file", &path);
	keep(s, ASK_VALUES - 1, path, len);
}

static void converse(struct session *s)
{
	char *buf = malloc(ASK_RESP_MAX);
	bool ok = buf && authenticate(s, buf);

	explicit_bzero(s->password, sizeof(s->password));
	for (size_t i = 0; ok && i < ASK_VALUES - 1; i++)
		ok = ask_parameter(s, i, buf);
	s->answer->answered = ok;
	if (ok)
		ask_config_file(s, buf);
	free(buf);
}

/* --- ways to the server --- */

/* Is it, by its number, the port of its cluster's bus? */
static bool is_bus(const struct instance *in, size_t i)
{
	return in->port[i] > 10000 && instance_listens(in, in->port[i] - 10000);
}

/* Its ports in the order in which they are tried, those of a bus last. Returns how many. */
static size_t order_ports(const struct instance *in, size_t ret[INSTANCE_PORTS])
{
	size_t n = 0;

	for (int bus = 0; bus < 2; bus++) {
		for (size_t i = 0; i < in->ports; i++) {
			if (is_bus(in, i) == bus)
				ret[n++] = i;
		}
	}
	return n;
}

static bool open_port(struct session *s, size_t i)
{
	const struct instance *in = s->q->in;
	struct ask_answer *a = s->answer;

	if (a->connections == ASK_CONNECTIONS ||
	    !ask_link_connect(&s->link, in->ip[i], in->port[i], &a->ends[a->connections]))
		return fail(s, "port %u: %s", in->port[i], s->link.why);
	__atomic_store_n(&a->connections, a->connections + 1, __ATOMIC_RELEASE);
	return ask_link_verify(&s->link, in->user) ||
	       fail(s, "port %u: %s", in->port[i], s->link.why);
}

/* Try TLS on each port. *ret_tls: one of them speaks it, but no handshake came of it. */
static bool open_tls(struct session *s, bool *ret_tls)
{
	const struct instance *in = s->q->in;
	size_t port[INSTANCE_PORTS], n = order_ports(in, port);
	enum ask_peer peer;

	*ret_tls = false;
	for (size_t i = 0; i < n; i++) {
		peer = open_port(s, port[i]) ? ask_link_encrypt(&s->link) : ASK_PEER_SILENT;
		if (peer == ASK_PEER_TLS)
			return true;
		if (!*ret_tls)
			fail(s, "port %u: %s", in->port[port[i]], s->link.why);
		*ret_tls = *ret_tls || peer == ASK_PEER_TLS_FAILED;
		ask_link_close(&s->link);
	}
	return false;
}

/* What answers a PING in plaintext at a port? The connection stays open. */
static enum ask_peer greet(struct session *s, size_t i)
{
	enum ask_peer peer = open_port(s, i)   ? ask_link_greet(&s->link)
			     : s->link.refused ? ASK_PEER_CLOSED
					       : ASK_PEER_SILENT;

	if (peer != ASK_PEER_PLAIN)
		fail(s, "port %u: %s", s->q->in->port[i], s->link.why);
	return peer;
}

/* It speaks plaintext at a port, and TLS at none. What does not answer may speak TLS. */
static bool open_plain(struct session *s)
{
	const struct instance *in = s->q->in;
	size_t port[INSTANCE_PORTS], n = order_ports(in, port), found = n;
	enum ask_peer peer;

	if (s->q->no_plaintext)
		return fail(s, "there is only plaintext, which the policy prevents");
	for (size_t i = 0; i < n; i++) {
		peer = greet(s, port[i]);
		ask_link_close(&s->link);
		if (peer == ASK_PEER_PLAIN && found == n)
			found = i;
		if (s->q->how->over != TRANSPORT_PLAIN && peer != ASK_PEER_PLAIN &&
		    peer != ASK_PEER_CLOSED)
			return false;
	}
	return found < n && greet(s, port[found]) == ASK_PEER_PLAIN;
}

/* unix_fd: a connection to its UNIX socket, made while there were rights to; -1: none. */
static bool open_way(struct session *s, int unix_fd)
{
	int64_t over = s->q->how->over == POLICY_UNSET ? TRANSPORT_ANY : s->q->how->over;
	bool tls = false;

	s->answer->again = true;
	fail(s, "it has no port");
	if (over == TRANSPORT_ANY || over == TRANSPORT_TLS) {
		s->answer->over = TRANSPORT_TLS;
		if (open_tls(s, &tls))
			return true;
		tls = tls || s->q->has_tls;
	}
	if (over == TRANSPORT_UNIX || (over == TRANSPORT_ANY && !tls)) {
		s->answer->over = TRANSPORT_UNIX;
		ask_link_use(&s->link, unix_fd);
		if (unix_fd >= 0)
			return true;
	}
	if (over == TRANSPORT_UNIX)
		return fail(s, "no UNIX socket of it is known, or it cannot be opened");
	s->answer->over = TRANSPORT_PLAIN;
	return (over == TRANSPORT_PLAIN || (over == TRANSPORT_ANY && !tls)) && open_plain(s);
}

static void run(struct session *s)
{
	const struct instance *in = s->q->in;
	char where[FILE_PROBE_PATH];
	int unix_fd = -1;

	if (!ask_link_init(&s->link)) {
		fail(s, "OpenSSL: %s", s->link.why);
		return;
	}
	if (!read_password(s) || !read_certificate(s))
		return;
	if (s->q->socket[0]) {
		file_probe_path(where, in, s->q->socket);
		unix_fd = ask_link_unix(where, (pid_t)in->pid);
	}
	if (!enter_network(s) || !drop_rights(s) || !open_way(s, unix_fd))
		return;
	s->answer->reason[0] = '\0'; /* of ports that were of no use */
	s->answer->again = false;
	converse(s);
	ask_link_close(&s->link);
}

void ask_session(const struct ask_question *q, struct ask_answer *ret)
{
	static struct session s;

	s = (struct session){.q = q, .answer = ret};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	quieten();
	run(&s);
	explicit_bzero(s.password, sizeof(s.password));
	ret->complete = true;
	_exit(0);
}
