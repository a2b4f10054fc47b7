// SPDX-License-Identifier: BSD-2-Clause
/* server_config.c - see server_config.h. */
#include "model/server_config.h"

#include "base/macros.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_LEN 1024

/* Enough to tell a server's configuration from other text, not all directives there are. */
static const char *const directives[] = {
	"aclfile",
	"appenddirname",
	"appendfilename",
	"appendonly",
	"bind",
	"cluster-config-file",
	"cluster-enabled",
	"daemonize",
	"databases",
	"dbfilename",
	"dir",
	"include",
	"loadmodule",
	"logfile",
	"loglevel",
	"masterauth",
	"masteruser",
	"maxmemory",
	"pidfile",
	"port",
	"primaryauth",
	"protected-mode",
	"rename-command",
	"replicaof",
	"requirepass",
	"save",
	"sentinel",
	"slaveof",
	"supervised",
	"tcp-backlog",
	"tls-ca-cert-file",
	"tls-cert-file",
	"tls-client-key-file",
	"tls-key-file",
	"tls-port",
	"unixsocket",
	"user",
};

static bool is_directive(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
		if (!strcmp(directives[i], word))
			return true;
	}
	return false;
}

static void to_lower(char *word)
{
	for (; *word; word++)
		*word = (char)tolower((unsigned char)*word);
}

/* Split a line into its first word, in lower case, and the rest without quotes. NULL if there is no rest. */
static char *cut(char *line, char **ret_word)
{
	char *word = line + strspn(line, " \t"), *value = word + strcspn(word, " \t"), *end;

	*ret_word = word;
	if (!*word || *word == '#' || !*value)
		return NULL;
	*value++ = '\0';
	to_lower(word);
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && strchr(" \t\r", end[-1]))
		*--end = '\0';
	if (end - value >= 2 && (*value == '"' || *value == '\'') && end[-1] == *value) {
		end[-1] = '\0';
		value++;
	}
	return value;
}

size_t server_config_each(const char *text, size_t len,
			  void (*fn)(void *ctx, const char *directive, const char *value),
			  void *ctx)
{
	char line[LINE_LEN], *word, *value;
	size_t known = 0;

	for (const char *at = text, *end = text + len; at < end;) {
		const char *eol = memchr(at, '\n', (size_t)(end - at)) ?: end;
		size_t n = (size_t)(eol - at);

		if (n < sizeof(line) && !memchr(at, '\0', n)) {
			memcpy(line, at, n);
			line[n] = '\0';
			value = cut(line, &word);
			if (value) {
				known += is_directive(word);
				fn(ctx, word, value);
			}
		}
		at = eol + 1;
	}
	return known;
}

/* The next argument, NULL after the last. A cut off one does not count. */
static const char *next_arg(const char **at, const char *end)
{
	const char *arg = *at, *nul = arg < end ? memchr(arg, '\0', (size_t)(end - arg)) : NULL;

	*at = nul ? nul + 1 : end;
	return nul ? arg : NULL;
}

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] == '-';
}

void server_config_args(const char *args, size_t len,
			void (*fn)(void *ctx, const char *directive, const char *value), void *ctx)
{
	const char *at = args, *end = args + len, *arg;
	char word[64] = "", value[LINE_LEN];
	size_t used = 0;

	next_arg(&at, end); /* the program */
	arg = next_arg(&at, end);
	if (arg && arg[0] && arg[0] != '-') {
		fn(ctx, "include", arg);
		arg = next_arg(&at, end);
	}
	for (; arg; arg = next_arg(&at, end)) {
		if (is_option(arg)) {
			if (word[0] && used && used < sizeof(value))
				fn(ctx, word, value);
			snprintf(word, sizeof(word), "%s", arg + 2);
			to_lower(word);
			used = 0;
		} else if (word[0] && used < sizeof(value)) {
			used += (size_t)snprintf(value + used, sizeof(value) - used, "%s%s",
						 used ? " " : "", arg);
		}
	}
	if (word[0] && used && used < sizeof(value))
		fn(ctx, word, value);
}
