// SPDX-License-Identifier: BSD-2-Clause
/* file_kind.c - see file_kind.h. */
#include "model/file_kind.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LINE_LEN 1024

/* Libraries, locales, certificates of the system: opened by every program, secret of none. */
static const char *const public_places[] = {"/usr/lib", "/usr/share/", "/lib", "/proc/",
					    "/sys/",	"/dev/",       NULL};

/* Configuration of the C library and of OpenSSL, which every server reads. */
static const char *const public_names[] = {"resolv.conf",   "host.conf",   "nsswitch.conf",
					   "gai.conf",	    "ld.so.conf",  "openssl.cnf",
					   "ld.so.preload", "ld.so.cache", NULL};

/* Directives that tell a server's configuration from any other text. */
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

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static bool listed(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (!strcmp(*list, name))
			return true;
	}
	return false;
}

static bool is_public(const char *path, const char *name)
{
	for (const char *const *place = public_places; *place; place++) {
		if (!strncmp(path, *place, strlen(*place)))
			return true;
	}
	return listed(public_names, name);
}

static bool begins(const char *head, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !memcmp(head, with, n);
}

static bool has(const char *head, size_t len, const char *word)
{
	return memmem(head, len, word, strlen(word)) != NULL;
}

static bool is_data(const char *name, const char *head, size_t len)
{
	/* an RDB file's magic: Redis, and Valkey since 9 */
	return begins(head, len, "REDIS0") || begins(head, len, "VALKEY0") ||
	       ends_with(name, ".rdb") || ends_with(name, ".aof") || ends_with(name, ".manifest");
}

/* The lines of the NSS key log format. */
static bool is_keylog(const char *head, size_t len)
{
	return begins(head, len, "CLIENT_RANDOM ") || begins(head, len, "# SSL/TLS secrets log") ||
	       has(head, len, "_TRAFFIC_SECRET ") || has(head, len, "_TRAFFIC_SECRET_0 ");
}

static bool is_acl(const char *name, const char *head, size_t len)
{
	return ends_with(name, ".acl") || (begins(head, len, "user ") && has(head, len, " on"));
}

static void ignore(void *ctx, const char *directive, const char *value)
{
}

unsigned int file_kind(const char *path, bool written, const char *head, size_t len)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	if (is_public(path, name) || begins(head, len, "\177ELF"))
		return 0;
	if (is_data(name, head, len))
		return FILE_DATA;
	if (has(head, len, "PRIVATE KEY-----") || ends_with(name, ".key"))
		return FILE_KEY;
	if (is_keylog(head, len))
		return FILE_KEYLOG;
	if (is_acl(name, head, len))
		return FILE_ACL;
	if (ends_with(name, ".conf") || (!written && file_kind_config(head, len, ignore, NULL) > 1))
		return FILE_CONFIG;
	return 0;
}

unsigned int file_kind_exposed(unsigned int kind)
{
	switch (kind) {
	case FILE_DATA:
		return FINDING_EXPOSED_DATA;
	case FILE_CONFIG:
		return FINDING_EXPOSED_CONFIG;
	case FILE_ACL:
		return FINDING_EXPOSED_ACL;
	case FILE_KEY:
	case FILE_KEYLOG:
		return FINDING_EXPOSED_KEY;
	default:
		return 0;
	}
}

static bool is_directive(const char *word)
{
	for (size_t i = 0; i < COUNT(directives); i++) {
		if (!strcmp(directives[i], word))
			return true;
	}
	return false;
}

/* Cut a line into its first word, in lower case, and the rest without quotes. NULL if there is no rest. */
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

size_t file_kind_config(const char *text, size_t len,
			void (*fn)(void *ctx, const char *directive, const char *value), void *ctx)
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
