// SPDX-License-Identifier: BSD-2-Clause
/* server_config.c - see server_config.h. */
#include "model/server_config.h"

#include "base/macros.h"

#include <ctype.h>
#include <stdbool.h>
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

/* Split a line into its first word, in lower case, and the rest without quotes. NULL if there is no rest. */
static char *cut(char *line, char **ret_word)
{
	char *word = line + strspn(line, " \t"), *value = word + strcspn(word, " \t"), *end;

	*ret_word = word;
	if (!*word || *word == '#' || !*value)
		return NULL;
	*value++ = '\0';
	for (char *c = word; *c; c++)
		*c = (char)tolower((unsigned char)*c);
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
