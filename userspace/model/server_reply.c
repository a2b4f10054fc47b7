// SPDX-License-Identifier: BSD-2-Clause
/* server_reply.c - see server_reply.h. */
#include "model/server_reply.h"

#include "base/macros.h"

#include <ctype.h>
#include <string.h>

#define NUMBER_MAX 9 /* digits: no reply is that long */

/* The first line without its type and its end. Returns its length with both, 0 if it is not whole. */
static size_t line_of(const char *buf, size_t len, const char **ret, size_t *ret_len)
{
	const char *end = memmem(buf, len, "\r\n", 2);

	if (!end)
		return 0;
	*ret = buf + 1;
	*ret_len = (size_t)(end - buf) - 1;
	return (size_t)(end - buf) + 2;
}

/* -1 if it is no number; a bulk string that does not exist has the length -1, too. */
static int64_t number_of(const char *text, size_t len)
{
	int64_t n = 0;

	if (!len || len > NUMBER_MAX)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		n = n * 10 + (text[i] - '0');
	}
	return n;
}

static int64_t parse_text(const char *buf, size_t len, struct server_reply *ret)
{
	const char *line = buf;
	size_t digits = 0, used = line_of(buf, len, &line, &digits), size;
	int64_t n;

	if (!used)
		return 0;
	if (digits == 2 && !memcmp(line, "-1", 2)) {
		*ret = (struct server_reply){REPLY_NONE, line, 0};
		return (int64_t)used;
	}
	n = number_of(line, digits);
	if (buf[0] != '$' || n < 0)
		return -1;
	size = (size_t)n;
	if (len - used < size + 2)
		return 0;
	if (memcmp(buf + used + size, "\r\n", 2))
		return -1;
	*ret = (struct server_reply){REPLY_TEXT, buf + used, size};
	return (int64_t)(used + size + 2);
}

/* Of a CONFIG GET: nothing, or a name and its value. */
static int64_t parse_array(const char *buf, size_t len, struct server_reply *ret)
{
	const char *line = buf;
	size_t digits = 0, used = line_of(buf, len, &line, &digits);
	int64_t n = used ? number_of(line, digits) : 0, part;

	if (!used)
		return 0;
	*ret = (struct server_reply){REPLY_NONE, line, 0};
	if (n && n != 2)
		return -1;
	for (int64_t i = 0; i < n; i++) {
		if (used == len)
			return 0;
		part = parse_text(buf + used, len - used, ret);
		if (part <= 0)
			return part;
		used += (size_t)part;
	}
	if (n && ret->kind == REPLY_TEXT)
		ret->kind = REPLY_PAIR;
	return (int64_t)used;
}

int64_t server_reply_parse(const char *buf, size_t len, struct server_reply *ret)
{
	size_t used;

	if (!len)
		return 0;
	switch (buf[0]) {
	case '+':
	case '-':
		ret->kind = buf[0] == '+' ? REPLY_STATUS : REPLY_ERROR;
		used = line_of(buf, len, &ret->text, &ret->len);
		return (int64_t)used;
	case '$':
		return parse_text(buf, len, ret);
	case '*':
		return parse_array(buf, len, ret);
	default:
		return -1;
	}
}

static const struct {
	const char *begins, *text;
	bool passes;
} errors[] = {
	{"NOAUTH", "NOAUTH, it wants a password", false},
	{"WRONGPASS", "WRONGPASS, the name or the password is wrong", false},
	{"NOPERM", "NOPERM, its ACL does not let this user", false},
	{"DENIED", "DENIED, protected mode", false},
	{"LOADING", "LOADING, its data are being loaded", true},
	{"BUSY", "BUSY, a script is running", true},
	{"MASTERDOWN", "MASTERDOWN", true},
	{"ERR unknown command", "no such command, it was renamed or disabled", false},
	{"ERR unknown subcommand", "no such command, it was renamed or disabled", false},
	{"ERR AUTH ", "it has no password", false},
	{"ERR invalid password", "WRONGPASS, the name or the password is wrong", false},
	{"ERR max number of clients", "it has too many clients", true},
};

/* -1 if it is none of them. */
static int error_of(const struct server_reply *r)
{
	for (size_t i = 0; r->kind == REPLY_ERROR && i < ARRAY_SIZE(errors); i++) {
		size_t n = strlen(errors[i].begins);

		if (r->len >= n && !memcmp(r->text, errors[i].begins, n))
			return (int)i;
	}
	return -1;
}

const char *server_reply_error(const struct server_reply *r)
{
	int i = error_of(r);

	return i < 0 ? "an error that is not known here" : errors[i].text;
}

bool server_reply_passes(const struct server_reply *r)
{
	int i = error_of(r);

	return i >= 0 && errors[i].passes;
}

size_t server_reply_info(const struct server_reply *r, const char *name, const char **ret)
{
	size_t n = strlen(name), left = r->len;
	const char *at = r->text, *end;

	while (left) {
		end = memchr(at, '\n', left);
		size_t line = end ? (size_t)(end - at) : left;

		if (line > n && !memcmp(at, name, n) && at[n] == ':') {
			*ret = at + n + 1;
			line -= n + 1;
			return line && (*ret)[line - 1] == '\r' ? line - 1 : line;
		}
		at += line + (end != NULL);
		left -= line + (end != NULL);
	}
	return 0;
}
