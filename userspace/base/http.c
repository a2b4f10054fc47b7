// SPDX-License-Identifier: BSD-2-Clause
/* http.c - see http.h. */
#include "base/http.h"

#include "base/macros.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BODY_DIGITS_MAX 9 /* below a gigabyte: callers have far smaller limits */

/* A part of the message. */
struct span {
	const char *at;
	size_t len;
};

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && !strncasecmp(s.at, text, s.len);
}

static bool is_token(struct span s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.len; i++) {
		if (!isalnum((unsigned char)s.at[i]) && (!s.at[i] || !strchr(others, s.at[i])))
			return false;
	}
	return s.len;
}

static bool copy(struct span s, char *buf, size_t size)
{
	if (s.len >= size)
		return false;
	memcpy(buf, s.at, s.len);
	buf[s.len] = '\0';
	return true;
}

/* Length of the head with its empty line, 0 if that has not come. */
static size_t head_len(const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);

	return end ? (size_t)(end - bytes) + 4 : 0;
}

/* The next line of a head, without its CRLF. Every line of a complete head ends with one. */
static struct span next_line(const char **at)
{
	struct span line = {.at = *at};

	line.len = (size_t)(strstr(*at, "\r\n") - *at);
	*at += line.len + 2;
	return line;
}

/* The next word of a line, which one space separates. */
static struct span next_word(struct span *line)
{
	const char *space = memchr(line->at, ' ', line->len);
	struct span word = {line->at, space ? (size_t)(space - line->at) : line->len};
	size_t used = word.len + (space != NULL);

	line->at += used;
	line->len -= used;
	return word;
}

/* --- fields --- */

struct fields {
	bool has_length, has_coding;
	uint64_t length;
	bool close, keep_alive, expects_continue;
	struct span type;
};

static int take_length(struct fields *f, struct span value)
{
	uint64_t v = 0;

	if (!value.len || value.len > BODY_DIGITS_MAX)
		return value.len ? -EFBIG : -EBADMSG;
	for (size_t i = 0; i < value.len; i++) {
		if (!isdigit((unsigned char)value.at[i]))
			return -EBADMSG;
		v = v * 10 + (uint64_t)(value.at[i] - '0');
	}
	if (f->has_length) /* two readers could take a different one */
		return -EBADMSG;
	f->has_length = true;
	f->length = v;
	return 0;
}

static int take_field(struct fields *f, struct span line)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct span name = {line.at, colon ? (size_t)(colon - line.at) : 0}, value;

	if (!colon || !is_token(name)) /* a folded line, too: it begins with a blank */
		return -EBADMSG;
	value = (struct span){colon + 1, line.len - name.len - 1};
	while (value.len && (*value.at == ' ' || *value.at == '\t')) {
		value.at++;
		value.len--;
	}
	while (value.len && strchr(" \t", value.at[value.len - 1]))
		value.len--;
	if (span_is(name, "Content-Length"))
		return take_length(f, value);
	f->has_coding |= span_is(name, "Transfer-Encoding");
	f->close |= span_is(name, "Connection") && span_is(value, "close");
	f->keep_alive |= span_is(name, "Connection") && span_is(value, "keep-alive");
	f->expects_continue |= span_is(name, "Expect") && span_is(value, "100-continue");
	if (span_is(name, "Content-Type"))
		f->type = value;
	return 0;
}

/* Lines up to the empty one. */
static int take_fields(struct fields *f, const char *at)
{
	struct span line;
	int err = 0;

	while (!err && (line = next_line(&at)).len)
		err = take_field(f, line);
	return err;
}

/* No control characters but what ends lines; *ret is the head with a NUL behind it. */
static int take_head(const char *bytes, size_t len, char head[HTTP_HEAD_MAX + 1])
{
	size_t n = head_len(bytes, len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		bool ends =
			c == '\r' ? bytes[i + 1] == '\n' : c == '\n' && i && bytes[i - 1] == '\r';

		if ((c < ' ' && c != '\t' && !ends) || c == 0x7f)
			return -EBADMSG;
	}
	if (!n)
		return len < HTTP_HEAD_MAX ? 0 : -EFBIG;
	memcpy(head, bytes, n);
	head[n] = '\0';
	return (int)n;
}

int http_parse_request(const char *bytes, size_t len, struct http_request *ret)
{
	char head[HTTP_HEAD_MAX + 1];
	struct span line, method, target, version;
	struct fields f = {};
	const char *at = head;
	int n = take_head(bytes, len, head), err;

	if (n <= 0)
		return n;
	*ret = (struct http_request){};
	line = next_line(&at);
	method = next_word(&line);
	target = next_word(&line);
	version = line;
	if (!is_token(method) || !copy(method, ret->method, sizeof(ret->method)) || !target.len ||
	    target.at[0] != '/')
		return -EBADMSG;
	if (version.len != 8 || strncmp(version.at, "HTTP/1.", 7) != 0)
		return version.len > 5 && !strncmp(version.at, "HTTP/", 5) ? -EOPNOTSUPP : -EBADMSG;
	if (memchr(target.at, '?', target.len))
		target.len = (size_t)((const char *)memchr(target.at, '?', target.len) - target.at);
	if (!copy(target, ret->target, sizeof(ret->target)))
		return -EFBIG;
	err = take_fields(&f, at);
	if (err)
		return err;
	if (f.has_coding)
		return -EOPNOTSUPP;
	ret->body_len = f.length;
	ret->keep_alive = !f.close && (version.at[7] != '0' || f.keep_alive);
	ret->expects_continue = f.expects_continue && version.at[7] != '0';
	return n;
}

static void take_type(struct span type, char buf[HTTP_TYPE_LEN])
{
	size_t n = 0;

	while (n < type.len && n < HTTP_TYPE_LEN - 1 && type.at[n] != ';' && type.at[n] != ' ') {
		buf[n] = (char)tolower((unsigned char)type.at[n]);
		n++;
	}
	buf[n] = '\0';
}

int http_parse_response(const char *bytes, size_t len, struct http_response *ret)
{
	char head[HTTP_HEAD_MAX + 1];
	struct span line, version, status;
	struct fields f = {};
	const char *at = head;
	int n = take_head(bytes, len, head), err;

	if (n <= 0)
		return n;
	*ret = (struct http_response){};
	line = next_line(&at);
	version = next_word(&line);
	status = next_word(&line);
	if (version.len != 8 || strncmp(version.at, "HTTP/1.", 7) != 0 || status.len != 3)
		return -EBADMSG;
	for (int i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)status.at[i]))
			return -EBADMSG;
		ret->status = ret->status * 10 + (status.at[i] - '0');
	}
	err = take_fields(&f, at);
	if (err)
		return err;
	if (f.has_coding)
		return -EOPNOTSUPP;
	take_type(f.type, ret->type);
	ret->body_len = f.has_length ? f.length : SIZE_MAX;
	return n;
}

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{200, "200 OK"},
		{400, "400 Bad Request"},
		{403, "403 Forbidden"},
		{404, "404 Not Found"},
		{405, "405 Method Not Allowed"},
		{408, "408 Request Timeout"},
		{409, "409 Conflict"},
		{413, "413 Content Too Large"},
		{422, "422 Unprocessable Entity"},
		{431, "431 Request Header Fields Too Large"},
		{501, "501 Not Implemented"},
		{503, "503 Service Unavailable"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].status == status)
			return known[i].text;
	}
	return "500 Internal Server Error";
}
