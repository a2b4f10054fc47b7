// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmdline.c - see cmdline.h. Arguments are kept by what they look like, never because a list names a program's secret
 * options: such a list is never complete.
 */
#include "model/cmdline.h"

#include "base/macros.h"
#include "base/textw.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A password may begin with a slash: only what lies in one of these is taken for a path. */
static const char *const roots[] = {
	"bin",	"boot", "dev", "etc",  "home", "lib", "lib64", "media", "mnt", "opt",
	"proc", "root", "run", "sbin", "srv",  "sys", "tmp",   "usr",	"var",
};

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("._/+-@:", c));
}

static size_t plain_length(const char *word)
{
	size_t n = 0;

	while (is_plain(word[n]))
		n++;
	return n;
}

static bool is_path(const char *word)
{
	size_t first;

	if (word[0] != '/' || word[plain_length(word)])
		return false;
	first = strcspn(word + 1, "/");
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		if (strlen(roots[i]) == first && !strncmp(word + 1, roots[i], first))
			return true;
	}
	return false;
}

static bool is_number(const char *word, uint32_t number)
{
	char *end;

	return number && word[0] >= '1' && word[0] <= '9' && strtoul(word, &end, 10) == number &&
	       !*end;
}

/* A shell is shown as "-bash" if it is a login shell. */
static void put_program(struct textw *t, const char *word)
{
	size_t n = plain_length(word);

	textw_put(t, "%.*s%s", (int)n, word, word[n] ? "*" : "");
}

static void put_option(struct textw *t, const char *word)
{
	size_t n = 2; /* "-p" */

	if (word[1] == '-') {
		while (word[n] == '-' || (is_plain(word[n]) && !strchr("./+@:", word[n])))
			n++;
	}
	if (strlen(word) > n && word[n] == '=')
		n++;
	textw_put(t, "%.*s%s", (int)n, word, word[n] ? "*" : "");
}

static void put_word(struct textw *t, const char *word, uint32_t target)
{
	if (word[0] == '-' && is_plain(word[1]) && word[1] != '/')
		put_option(t, word);
	else if (is_path(word) || is_number(word, target))
		textw_put(t, "%s", word);
	else
		textw_put(t, "*");
}

void cmdline_redact(const char *args, size_t len, size_t total, uint32_t target, char *buf,
		    size_t size)
{
	char copy[CMDLINE_LEN + 1] = "", line[CMDLINE_LEN] = "";
	struct textw t = {line, sizeof(line), 0, false, false};
	const char *end;

	if (len > CMDLINE_LEN)
		len = CMDLINE_LEN;
	memcpy(copy, args, len);
	end = copy + len;
	for (const char *word = copy; word < end; word += strlen(word) + 1) {
		if (word != copy)
			textw_put(&t, " ");
		if (word == copy)
			put_program(&t, word);
		else if (total > len && word + strlen(word) >= end)
			break; /* only a part of it is here */
		else
			put_word(&t, word, target);
	}
	if (total > len)
		textw_put(&t, "...");
	if (size) {
		strncpy(buf, line, size - 1);
		buf[size - 1] = '\0';
	}
}
