// SPDX-License-Identifier: BSD-2-Clause
/* look_server.c - asks the server, in three processes without rights: what its sockets do, its configuration, its certificate. */
#include "validate/look.h"

#include "base/secret.h"
#include "monitor/sock_diag.h"
#include "tls/facts.h"
#include "validate/confine.h"
#include "validate/probe.h"
#include "validate/talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 15
#define PASSWORD_VARIABLE "CACHEWARDEN_PASSWORD"

struct job {
	struct facts *f;
	const struct look_login *login;
	char *error; /* the operator's files are of no use; shared */
	size_t size;
	struct talk talk;
	struct ask_link old; /* with the client certificate, TLS 1.2 at most */
	struct probe_trust trust;
	char ca_name[PATH_LEN];
};

/* --- its sockets --- */

static void probe_addresses(void *ctx)
{
	struct job *j = ctx;

	for (size_t i = 0; i < j->f->wire.addresses; i++)
		probe_address(&j->f->wire.address[i]);
}

/* --- its configuration --- */

static bool refuse(struct job *j, const char *why)
{
	snprintf(j->error, j->size, "%s", why);
	return false;
}

static bool read_password(struct job *j)
{
	const char *file = j->login->password_file, *password = getenv(PASSWORD_VARIABLE);
	char why[512];

	if (file &&
	    secret_read_line(file, j->talk.password, sizeof(j->talk.password), why, sizeof(why)))
		return refuse(j, why);
	if (file || !password)
		return true;
	if (strlen(password) >= sizeof(j->talk.password))
		return refuse(j, PASSWORD_VARIABLE ": too long");
	memcpy(j->talk.password, password, strlen(password) + 1);
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
	if (!a->cert)
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
	char where[PATH_LEN + 64];

	if (!f->wire.unix_socket[0])
		return -1;
	look_path(f, f->wire.unix_socket, where, sizeof(where));
	return ask_link_unix(where, f->pid);
}

static bool prepare_talk(void *ctx)
{
	struct job *j = ctx;
	struct process_status st;

	j->talk.unix_fd = -1;
	if (!read_password(j) || !identify(j, &j->talk.link) || look_status(j->f->pid, &st))
		return false;
	unsetenv(PASSWORD_VARIABLE);
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

static bool prepare_sessions(void *ctx)
{
	struct job *j = ctx;
	const char *own = j->f->config.value[DIR_TLS_CA];

	j->trust = (struct probe_trust){.host_name = j->f->host_name, .ca_name = "the system's"};
	if (j->login->ca)
		snprintf(j->ca_name, sizeof(j->ca_name), "%s", j->login->ca);
	else if (own[0] == '/')
		look_path(j->f, own, j->ca_name, sizeof(j->ca_name));
	if (j->ca_name[0]) {
		j->trust.ca_name = j->login->ca ?: "its tls-ca-cert-file";
		j->trust.ca = fopen(j->ca_name, "re");
		if (!j->trust.ca && j->login->ca) {
			snprintf(j->error, j->size, "%s: %s", j->login->ca, strerror(errno));
			return false;
		}
	}
	if (!identify(j, &j->old))
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

bool look_server(struct facts *f, const struct look_login *a, char *error, size_t size)
{
	struct job j = {.f = f, .login = a, .size = size};
	struct confined c = {
		.ctx = &j, .network_of = f->wire.same_network ? 0 : f->pid, .seconds = SECONDS};

	j.error = confine_alloc(size);
	if (!j.error) {
		snprintf(error, size, "out of memory");
		return false;
	}
	c.work = probe_addresses;
	if (f->wire.addresses)
		confine(&c, f->wire.why, sizeof(f->wire.why));
	/* stays if it does not come to an answer */
	snprintf(f->config.why, sizeof(f->config.why), "the server was not asked");
	c.prepare = prepare_talk;
	c.work = talk;
	confine(&c, f->config.why, sizeof(f->config.why));
	c.prepare = prepare_sessions;
	c.work = probe_all_sessions;
	if (!j.error[0] && f->wire.addresses && !f->wire.why[0])
		confine(&c, f->wire.why, sizeof(f->wire.why));
	snprintf(error, size, "%s", j.error);
	confine_free(j.error, size);
	return !error[0];
}
