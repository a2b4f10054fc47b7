// SPDX-License-Identifier: BSD-2-Clause
/* option.c - see option.h. */
#include "validate/option.h"

#include "base/macros.h"
#include "model/server_config.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

enum form { OPTION_WORD, OPTION_WORDS, OPTION_NUMBERS };

/* Of OpenSSL's lists, WORDS has all that names and operators are made of: "ALL:!aNULL:+HIGH:@SECLEVEL=0". */
static const char *const characters[] = {
	[OPTION_WORD] = LETTERS "-",
	[OPTION_WORDS] = LETTERS DIGITS " :!+@=,._-",
	[OPTION_NUMBERS] = DIGITS " ",
};

static const struct {
	const char *name;
	enum form form;
} rows[] = {
#define X(NAME, name, form) [OPTION_##NAME] = {name, form},
	OPTIONS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(rows) == OPTION_MAX, "every option has a row");

const struct option_left option_left[] = {
	{"requirepass, masterauth, masteruser, primaryauth, primaryuser, tls-key-file-pass, "
	 "tls-client-key-file-pass",
	 "secrets: they are neither asked for nor read; the decoy has a password of its own"},
	{"user, aclfile, rename-command",
	 "who may do what there is nobody else's business: the decoy has one user, and the names "
	 "of its commands"},
	{"dir, dbfilename, appenddirname, appendfilename, cluster-config-file, tls-cert-file, "
	 "tls-key-file, tls-client-cert-file, tls-client-key-file, tls-ca-cert-file, "
	 "tls-ca-cert-dir, tls-dh-params-file, include",
	 "they name files of the server: the decoy has a directory and a key of its own, of the "
	 "same kind"},
	{"port, tls-port, bind, unixsocket",
	 "the decoy listens on loopback, on ports of its own, one of them without TLS for the "
	 "drills that need it"},
	{"replicaof, slaveof, cluster-enabled, tls-replication, tls-cluster",
	 "the decoy talks to no other server"},
	{"logfile, syslog-enabled, pidfile, supervised, daemonize", "the decoy writes no log"},
	{"loadmodule, enable-module-command",
	 "a module may do anything when it is loaded, and its arguments may be secrets; "
	 "drill-mem-inject needs MODULE"},
};
const size_t option_left_count = ARRAY_SIZE(option_left);

const char *option_name(enum option_id id)
{
	return rows[id].name;
}

void option_set(struct options *o, enum option_id id, const char *value, size_t len)
{
	bool fits = len < OPTION_LEN && !memchr(value, '\0', len);

	o->state[id] = OPTION_REFUSED;
	o->value[id][0] = '\0';
	if (!fits)
		return;
	memcpy(o->value[id], value, len);
	o->value[id][len] = '\0';
	if (o->value[id][strspn(o->value[id], characters[rows[id].form])])
		o->value[id][0] = '\0';
	else
		o->state[id] = OPTION_TAKEN;
}

/* "save" may be there more than once, each line in addition; an empty one forgets those before. */
static void add_save(struct options *o, const char *value)
{
	char all[2 * OPTION_LEN];
	int n;

	n = snprintf(all, sizeof(all), "%s%s%s", value[0] ? o->value[OPTION_SAVE] : "",
		     value[0] && o->value[OPTION_SAVE][0] ? " " : "", value);
	option_set(o, OPTION_SAVE, all, (size_t)n);
}

static void take_directive(void *ctx, const char *directive, const char *value)
{
	struct options *o = ctx;

	for (size_t id = 0; id < OPTION_MAX; id++) {
		if (strcmp(rows[id].name, directive) != 0)
			continue;
		if (id == OPTION_SAVE)
			add_save(o, value);
		else
			option_set(o, id, value, strlen(value));
	}
	if (!strcmp(directive, "include"))
		snprintf(o->why, sizeof(o->why), "what it includes was not read");
}

void option_read_config(struct options *o, const char *text, size_t len)
{
	server_config_each(text, len, take_directive, o);
}

/* Its file comes as an include, and is read before. */
static void take_argument(void *ctx, const char *directive, const char *value)
{
	if (strcmp(directive, "include") != 0)
		take_directive(ctx, directive, value);
}

void option_read_args(struct options *o, const char *args, size_t len)
{
	server_config_args(args, len, take_argument, o);
}

/* One line for two numbers: before 7.0 servers take no more. */
static void write_save(const char *value, FILE *out)
{
	unsigned long seconds, changes;
	int n;

	fprintf(out, "save \"\"\n");
	while (sscanf(value, "%lu %lu%n", &seconds, &changes, &n) == 2) {
		fprintf(out, "save %lu %lu\n", seconds, changes);
		value += n;
	}
}

void option_write(const struct options *o, FILE *out)
{
	for (size_t id = 0; id < OPTION_MAX; id++) {
		if (o->state[id] != OPTION_TAKEN)
			continue;
		if (id == OPTION_SAVE)
			write_save(o->value[id], out);
		else if (o->value[id][0])
			fprintf(out, "%s \"%s\"\n", rows[id].name, o->value[id]);
	}
}

const char *option_unused(const struct options *o)
{
	if (o->why[0])
		return o->why;
	return o->from[0] ? "with the server's it does not start here" : "no decoy was started";
}

size_t option_count(const struct options *o)
{
	size_t n = 0;

	for (size_t id = 0; id < OPTION_MAX; id++)
		n += o->state[id] == OPTION_TAKEN;
	return n;
}

void option_bound(struct options *o)
{
	char value[OPTION_LEN];

	o->from[sizeof(o->from) - 1] = o->why[sizeof(o->why) - 1] = '\0';
	for (size_t id = 0; id < OPTION_MAX; id++) {
		if (o->state[id] != OPTION_TAKEN) {
			o->state[id] = (unsigned int)o->state[id] < OPTION_STATES ? o->state[id]
										  : OPTION_REFUSED;
			o->value[id][0] = '\0';
			continue;
		}
		memcpy(value, o->value[id], sizeof(value));
		option_set(o, id, value, strnlen(value, sizeof(value)));
	}
}
