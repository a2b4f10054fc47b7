// SPDX-License-Identifier: BSD-2-Clause
/* talk.c - see talk.h. */
#include "validate/talk.h"

#include "model/server_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const directives[] = {
	[DIR_DIR] = "dir",
	[DIR_DBFILENAME] = "dbfilename",
	[DIR_APPENDONLY] = "appendonly",
	[DIR_APPENDDIRNAME] = "appenddirname",
	[DIR_APPENDFILENAME] = "appendfilename",
	[DIR_SAVE] = "save",
	[DIR_ACLFILE] = "aclfile",
	[DIR_TLS_KEY] = "tls-key-file",
	[DIR_TLS_CLIENT_KEY] = "tls-client-key-file",
	[DIR_TLS_CA] = "tls-ca-cert-file",
	[DIR_TLS_CA_DIR] = "tls-ca-cert-dir",
	[DIR_TLS_REPLICATION] = "tls-replication",
	[DIR_TLS_CLUSTER] = "tls-cluster",
	[DIR_CLUSTER_ENABLED] = "cluster-enabled",
	[DIR_UNIXSOCKET] = "unixsocket",
};
_Static_assert(sizeof(directives) / sizeof(directives[0]) == DIR_MAX, "every directive has a name");

const char *talk_directive(enum directive d)
{
	return directives[d];
}

struct conversation {
	struct talk *t;
	struct facts_wire *wire;
	struct facts_config *config;
	char buf[ASK_RESP_MAX];
};

#define ASK(c, reply, ...) ask(c, (const char *const[]){__VA_ARGS__, NULL}, reply)

/* Returns NULL, or why there is no reply. An error is a reply. */
static const char *ask(struct conversation *c, const char *const *words, struct server_reply *ret)
{
	switch (ask_resp(&c->t->link, words, c->buf, ret)) {
	case ASK_RESP_OK:
		return NULL;
	case ASK_RESP_FOREIGN:
		return "the reply is none of Redis";
	default:
		return c->t->link.why;
	}
}

/* Whether a command is run, by its reply. An error that may pass says neither. */
static enum known is_run(const struct server_reply *r)
{
	if (r->kind != REPLY_ERROR)
		return YES;
	return server_reply_passes(r) ? UNKNOWN : NO;
}

/* --- as a stranger --- */

static bool ask_as_stranger(struct conversation *c)
{
	struct server_reply r = {};
	const char *why = ASK(c, &r, "INFO", "server");

	if (!why) {
		c->wire->open = is_run(&r);
		why = ASK(c, &r, "CONFIG", "GET", "dir");
	}
	if (!why) {
		c->wire->config_open = is_run(&r);
		why = c->wire->config_open == UNKNOWN ? server_reply_error(&r) : NULL;
	}
	if (why)
		snprintf(c->wire->open_why, sizeof(c->wire->open_why), "%s", why);
	return !why;
}

/* --- with the password --- */

static bool fail(struct conversation *c, const char *what, const char *why)
{
	snprintf(c->config->why, sizeof(c->config->why), "%.60s: %.180s", what, why);
	return false;
}

bool talk_may_authenticate(const struct talk *t, const char **ret_why)
{
	if (!t->trust || t->on_unix)
		return true;
	*ret_why = "it speaks no TLS";
	return t->link.ssl && probe_trusts(ask_link_chain(&t->link), t->trust, ret_why);
}

static bool authenticate(struct conversation *c)
{
	const char *user = c->t->user, *password = c->t->password, *why;
	char untrusted[FACTS_WHY];
	struct server_reply r = {};

	if (c->t->withheld[0])
		return fail(c, "AUTH", c->t->withheld);
	if (!password[0])
		return true;
	if (!talk_may_authenticate(c->t, &why)) {
		snprintf(untrusted, sizeof(untrusted),
			 "no password is sent to a server that --ca does not vouch for: %s", why);
		return fail(c, "AUTH", untrusted);
	}
	why = user ? ASK(c, &r, "AUTH", user, password) : ASK(c, &r, "AUTH", password);
	if (!why && r.kind != REPLY_STATUS)
		why = server_reply_error(&r);
	return !why || fail(c, "AUTH", why);
}

static bool get(struct conversation *c, const char *directive, char *ret, size_t size)
{
	struct server_reply r = {};
	const char *why = ASK(c, &r, "CONFIG", "GET", directive);

	if (!why && r.kind == REPLY_ERROR)
		why = server_reply_error(&r);
	if (why && !c->t->password[0])
		return fail(c, "CONFIG GET, without a password", why);
	if (why)
		return fail(c, "CONFIG GET", why);
	if (r.kind == REPLY_PAIR && r.len < size && !memchr(r.text, '\0', r.len)) {
		memcpy(ret, r.text, r.len);
		ret[r.len] = '\0';
	} else if (r.kind == REPLY_PAIR) {
		return fail(c, directive, "the value is too long");
	}
	return true;
}

/* A line of INFO. It is there even if it is empty. */
static void get_info(struct conversation *c, const char *section, const char *name, char *ret,
		     size_t size)
{
	struct server_reply r = {};
	const char *why = ASK(c, &r, "INFO", section), *text = NULL;
	size_t len = 0;

	if (!why && r.kind == REPLY_ERROR)
		why = server_reply_error(&r);
	if (!why && r.kind == REPLY_TEXT)
		len = server_reply_info(&r, name, &text);
	if (!why && (!text || len >= size))
		why = "it does not say";
	if (why)
		snprintf(c->config->info_why, sizeof(c->config->info_why), "INFO %s, %s: %.180s",
			 section, name, why);
	else
		snprintf(ret, size, "%.*s", (int)len, text);
}

static void ask_info(struct conversation *c)
{
	get_info(c, "server", "config_file", c->config->file, sizeof(c->config->file));
	get_info(c, "replication", "role", c->config->role, sizeof(c->config->role));
}

/* May the default user run it? A server that runs it for nobody says so in a directive, since Redis 7.0. */
static enum known may_default(struct conversation *c, const char *enabled, const char *const *words)
{
	char value[16] = "";
	struct server_reply r = {};
	const char *why;

	if (enabled && get(c, enabled, value, sizeof(value)) && !strcmp(value, "no"))
		return NO;
	why = ask(c, words, &r);
	if (!why && r.kind == REPLY_ERROR)
		why = server_reply_error(&r);
	if (why) {
		snprintf(c->config->acl_why, sizeof(c->config->acl_why), "ACL DRYRUN: %s", why);
		return UNKNOWN;
	}
	return r.kind == REPLY_STATUS ? YES : NO;
}

#define MAY_DEFAULT(c, enabled, ...)                                                               \
	may_default(c, enabled,                                                                    \
		    (const char *const[]){"ACL", "DRYRUN", "default", __VA_ARGS__, NULL})

/* What a decoy gets, too: never all that there is (CONFIG GET *), which has secrets. */
static void ask_options(struct conversation *c)
{
	struct server_reply r;
	const char *why = NULL;

	for (size_t id = 0; !why && id < OPTION_MAX; id++) {
		r = (struct server_reply){};
		why = ASK(c, &r, "CONFIG", "GET", option_name(id));
		if (!why && r.kind == REPLY_PAIR)
			option_set(&c->config->options, id, r.text, r.len);
	}
}

static void converse(struct conversation *c)
{
	bool ok = ask_as_stranger(c);

	if (!ok)
		fail(c, "INFO", c->wire->open_why);
	ok = ok && authenticate(c);
	for (int d = 0; ok && d < DIR_MAX; d++)
		ok = get(c, directives[d], c->config->value[d], sizeof(c->config->value[d]));
	if (!ok)
		return;
	ask_info(c);
	if (c->config->options.wanted)
		ask_options(c);
	c->config->may_debug = MAY_DEFAULT(c, "enable-debug-command", "DEBUG", "HELP");
	c->config->may_module = MAY_DEFAULT(c, "enable-module-command", "MODULE", "LIST");
	c->config->may_config = MAY_DEFAULT(c, NULL, "CONFIG", "SET", "maxmemory", "0");
}

/* --- ways to the server --- */

static bool connect_to(struct talk *t, const struct facts_address *a)
{
	struct conn_ends unused;

	return ask_link_connect(&t->link, a->ip, a->port, &unused) &&
	       ask_link_verify(&t->link, t->uid);
}

static bool open_tcp(struct talk *t, const struct facts_address *a, const char **ret_why)
{
	if (connect_to(t, a) && (a->plain || ask_link_encrypt(&t->link) == ASK_PEER_TLS))
		return true;
	*ret_why = t->link.why;
	ask_link_close(&t->link);
	return false;
}

bool talk_may_send_plain(const struct facts_wire *w, const struct facts_address *a)
{
	bool certain = a->plain && !w->why[0] && !w->addresses_cut;

	for (size_t i = 0; i < w->addresses; i++) {
		const struct facts_address *other = &w->address[i];
		bool refused = other->bus && !other->tls && !other->unsure[0];

		certain = certain && (other->plain || refused);
	}
	return certain;
}

static bool open_first(struct talk *t, const struct facts_wire *w, bool bus, size_t *tried,
		       const char **ret_why)
{
	for (size_t i = 0; i < w->addresses; i++) {
		if (!w->address[i].tls || w->address[i].bus != bus)
			continue;
		++*tried;
		if (open_tcp(t, &w->address[i], ret_why))
			return true;
	}
	return false;
}

/*
 * TLS, else its UNIX socket, else plaintext, but no password where there could be TLS: none is sent in the clear for want of
 * a client certificate, or because an address was slow. What is the bus of a cluster by its number is tried only for want
 * of another. *ret_why is about the last one tried.
 */
static bool open_way(struct talk *t, const struct facts_wire *w, const char **ret_why)
{
	size_t tls = 0;

	*ret_why = "it listens on no address that answers";
	if (open_first(t, w, false, &tls, ret_why))
		return true;
	if (t->unix_fd >= 0) {
		ask_link_use(&t->link, t->unix_fd);
		t->on_unix = true;
		return true;
	}
	if (!tls && open_first(t, w, true, &tls, ret_why))
		return true;
	for (size_t i = 0; i < w->addresses && !tls; i++) {
		const struct facts_address *a = &w->address[i];

		if (!a->plain)
			continue;
		if (t->password[0] && !talk_may_send_plain(w, a))
			*ret_why =
				"no password is sent in plaintext, since not every address was seen to have no TLS";
		else if (open_tcp(t, a, ret_why))
			return true;
	}
	return false;
}

void talk_to_server(struct talk *t, struct facts_wire *wire, struct facts_config *config)
{
	struct conversation *c = calloc(1, sizeof(*c));
	const char *why;

	if (!c)
		return;
	*c = (struct conversation){.t = t, .wire = wire, .config = config};
	config->why[0] = '\0';
	if (open_way(t, wire, &why)) {
		converse(c);
		ask_link_close(&t->link);
	} else {
		fail(c, "no connection for commands", why);
		snprintf(wire->open_why, sizeof(wire->open_why), "%s", config->why);
	}
	explicit_bzero(t->password, sizeof(t->password));
	free(c);
}
