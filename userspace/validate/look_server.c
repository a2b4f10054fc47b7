// SPDX-License-Identifier: BSD-2-Clause
/* look_server.c - asks the server, in three processes without rights: what its sockets do, its configuration, its certificate. */
#include "validate/look.h"

#include "base/secret.h"
#include "monitor/sock_diag.h"
#include "tls/facts.h"
#include "validate/confine.h"
#include "validate/inside.h"
#include "validate/probe.h"
#include "validate/talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 15
#define ERROR_LEN 1024

/* What a process that asks the server returns. */
struct answers {
	struct facts facts;
	char error[ERROR_LEN]; /* the operator's files are of no use */
};

struct job {
	struct facts *f; /* of answers */
	const struct look_login *login;
	char *error; /* the same */
	size_t size;
	struct talk talk;
	struct ask_link old; /* with the client certificate, TLS 1.2 at most */
	struct probe_trust trust;
};

static bool refuse(struct job *j, const char *why)
{
	snprintf(j->error, j->size, "%s", why);
	return false;
}

/* The variable must not be there any more when a process is started, nor be seen in /proc/PID/environ. */
static bool take_password(struct talk *t, char *error, size_t size)
{
	char *password = getenv(PASSWORD_VARIABLE);
	size_t len = password ? strlen(password) : 0;

	if (!password)
		return true;
	if (len < sizeof(t->password))
		memcpy(t->password, password, len + 1);
	else
		snprintf(error, size, "%s: too long", PASSWORD_VARIABLE);
	explicit_bzero(password, len);
	unsetenv(PASSWORD_VARIABLE);
	return len < sizeof(t->password);
}

static void forget_password(struct job *j)
{
	explicit_bzero(j->talk.password, sizeof(j->talk.password));
}

/* --- its sockets --- */

static bool prepare_probe(void *ctx)
{
	forget_password(ctx);
	return true;
}

static void probe_addresses(void *ctx)
{
	struct job *j = ctx;

	for (size_t i = 0; i < j->f->wire.addresses; i++)
		probe_address(&j->f->wire.address[i]);
}

/* --- its configuration --- */

static bool read_password(struct job *j)
{
	const char *file = j->login->password_file;
	char why[512];

	if (j->talk.withheld[0])
		forget_password(j);
	else if (file && secret_read_line(file, j->talk.password, sizeof(j->talk.password), why,
					  sizeof(why)))
		return refuse(j, why);
	return true;
}

static bool identify(struct job *j, struct ask_link *l)
{
	const struct look_login *a = j->login;
	char why[1024];
	const char *wrong;
	int fd;

	if (!ask_link_init(l)) {
		snprintf(why, sizeof(why), "OpenSSL: %s", l->why);
		return refuse(j, why);
	}
	if (!a->cert || j->talk.withheld[0])
		return true;
	fd = secret_open(a->key, why, sizeof(why));
	if (fd < 0)
		return refuse(j, why);
	wrong = ask_link_identify(l, a->cert, fd);
	if (!wrong)
		return true;
	snprintf(why, sizeof(why), "%s, %s: %s", a->cert, a->key, wrong);
	return refuse(j, why);
}

/* -1 if there is none, or another process listens there by now. */
static int open_unix(const struct facts *f)
{
	int root = inside_root(f->pid), found = -1, fd = -1;
	char where[64];

	if (root >= 0 && f->wire.unix_socket[0])
		found = inside_find(root, f->wire.unix_socket);
	snprintf(where, sizeof(where), "/proc/self/fd/%d", found);
	if (found >= 0) {
		fd = ask_link_unix(where, f->pid);
		close(found);
	}
	if (root >= 0)
		close(root);
	return fd;
}

/* Whoever is not expected gets neither the password nor the client certificate. */
static void withhold(struct job *j, uint32_t uid)
{
	const struct look_login *a = j->login;

	if ((a->password_file || a->cert || j->talk.password[0]) &&
	    !look_expects(uid, a->server_uid))
		snprintf(
			j->talk.withheld, sizeof(j->talk.withheld),
			"nothing secret is sent to uid %u, which is neither redis, valkey, root nor this user; if it is right, give --server-user %u",
			uid, uid);
}

/* The operator's file of trusted certificates. */
static bool open_ca(struct job *j, const char *ca)
{
	j->trust = (struct probe_trust){
		.host_name = j->f->host_name, .ca_name = ca, .ca = fopen(ca, "re")};
	if (!j->trust.ca)
		snprintf(j->error, j->size, "%s: %s", ca, strerror(errno));
	return j->trust.ca;
}

static bool prepare_talk(void *ctx)
{
	struct job *j = ctx;
	struct process_status st;

	j->talk.unix_fd = -1;
	if (look_status(j->f->pid, &st))
		return false;
	withhold(j, st.uid[1]);
	if (!read_password(j) || !identify(j, &j->talk.link) ||
	    (j->login->ca && !open_ca(j, j->login->ca)))
		return false;
	j->talk.trust = j->login->ca ? &j->trust : NULL;
	j->talk.uid = st.uid[1];
	j->talk.user = j->login->user;
	j->talk.unix_fd = open_unix(j->f);
	return true;
}

static void talk(void *ctx)
{
	struct job *j = ctx;

	j->talk.link.diag = sock_diag_open(0);
	talk_to_server(&j->talk, &j->f->wire, &j->f->config);
}

/* --- its certificate --- */

/* The server's own file of trusted certificates. Returns NULL with the reason in why if there is none to read. */
static FILE *open_own_ca(const struct facts *f, char *why, size_t size)
{
	const char *path = f->config.value[DIR_TLS_CA];
	int root, fd;

	if (!path[0] || path[0] != '/') {
		snprintf(why, size, "%s",
			 path[0] ? "its tls-ca-cert-file is a relative path"
				 : "it has a tls-ca-cert-dir");
		return NULL;
	}
	root = inside_root(f->pid);
	fd = root >= 0 ? inside_read(root, path) : root;
	if (root >= 0)
		close(root);
	if (fd >= 0)
		return fdopen(fd, "r");
	snprintf(why, size, "%.100s: %s", path,
		 fd == -EINVAL ? "not a file of certificates" : look_text(-fd));
	return NULL;
}

/* What clients trust, by the operator or else by the server. No other store stands in for one that cannot be read. */
static bool choose_trust(struct job *j)
{
	const struct facts_config *c = &j->f->config;
	const char *ca = j->login->ca;

	j->trust = (struct probe_trust){.host_name = j->f->host_name, .ca_name = "the system's"};
	if (ca)
		return open_ca(j, ca);
	if (c->why[0] || (!c->value[DIR_TLS_CA][0] && !c->value[DIR_TLS_CA_DIR][0]))
		return true;
	j->trust.ca_name = "its tls-ca-cert-file";
	j->trust.ca = open_own_ca(j->f, j->f->wire.trust_why, sizeof(j->f->wire.trust_why));
	return true;
}

static bool prepare_sessions(void *ctx)
{
	struct process_status st;
	struct job *j = ctx;

	if (look_status(j->f->pid, &st))
		return false;
	withhold(j, st.uid[1]);
	forget_password(j);
	if (!choose_trust(j) || !identify(j, &j->old))
		return false;
	ask_link_tolerate(&j->old, TLS_1_2);
	return true;
}

static void probe_all_sessions(void *ctx)
{
	struct job *j = ctx;

	for (size_t i = 0; i < j->f->wire.addresses; i++)
		probe_sessions(&j->f->wire.address[i], &j->trust, &j->old);
}

/*
 * Do one step in a process of its own, in memory that is shared with no other step: what it started may outlive it. Of what it
 * returns, only wire and config are taken.
 */
static void step(struct job *j, struct facts *f, bool (*prepare)(void *ctx),
		 void (*work)(void *ctx), char *why, size_t why_size, char *error)
{
	struct answers *a = confine_alloc(sizeof(*a));
	const struct confined c = {.prepare = prepare,
				   .work = work,
				   .ctx = j,
				   .network_of = f->wire.same_network ? 0 : f->pid,
				   .seconds = SECONDS};
	char failed[FACTS_WHY] = "";

	if (!a) {
		snprintf(why, why_size, "out of memory");
		return;
	}
	a->facts = *f;
	j->f = &a->facts;
	j->error = a->error;
	j->size = sizeof(a->error);
	confine(&c, failed, sizeof(failed));
	f->wire = a->facts.wire;
	f->config = a->facts.config;
	memcpy(error, a->error, ERROR_LEN - 1);
	error[ERROR_LEN - 1] = '\0';
	confine_free(a, sizeof(*a));
	facts_bound(f);
	if (failed[0])
		snprintf(why, why_size, "%s", failed);
}

bool look_server(struct facts *f, const struct look_login *a, char *error, size_t size)
{
	struct job j = {.login = a};
	char wrong[ERROR_LEN] = "";

	if (!take_password(&j.talk, error, size))
		return false;
	if (f->wire.addresses)
		step(&j, f, prepare_probe, probe_addresses, f->wire.why, sizeof(f->wire.why),
		     wrong);
	/* stays if it does not come to an answer */
	snprintf(f->config.why, sizeof(f->config.why), "the server was not asked");
	step(&j, f, prepare_talk, talk, f->config.why, sizeof(f->config.why), wrong);
	if (option_count(&f->config.options))
		snprintf(f->config.options.from, sizeof(f->config.options.from), "CONFIG GET");
	forget_password(&j);
	if (!wrong[0] && f->wire.addresses && !f->wire.why[0])
		step(&j, f, prepare_sessions, probe_all_sessions, f->wire.why, sizeof(f->wire.why),
		     wrong);
	snprintf(error, size, "%s", wrong);
	return !error[0];
}
