// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_yaml.c - see policy_yaml.h. Walks libyaml's events along the table of keys; anchors' aliases, tags and second
 * documents are refused, so that what a person reads is what holds.
 */
#include "policy/policy_yaml.h"

#include "policy/policy_key.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#define FILE_MAX (1u << 20)
#define PATH_LEN_MAX 128 /* of a key, its rule named */

struct reader {
	yaml_parser_t parser;
	yaml_event_t ev;
	struct policy *p;
	const char *file;
	char *error;
	size_t size;
};

/* Where a key stands while its value is read. */
struct spot {
	const struct policy_key *key; /* NULL: the file itself */
	void *in;		      /* what its values are stored in */
	unsigned int rule;	      /* RULE_NONE, or the one above it */
};

static bool read_value(struct reader *r, struct spot *s);

static unsigned int line_of(const struct reader *r)
{
	return (unsigned int)r->ev.start_mark.line + 1;
}

/* A key as people see it: the rule named instead of RULE. */
static const char *shown_path(const char *path, unsigned int rule, char *buf)
{
	const char *at = rule ? strstr(path, "RULE") : NULL;

	if (!at)
		return path;
	snprintf(buf, PATH_LEN_MAX, "%.*s%s%s", (int)(at - path), path, rule_name(rule), at + 4);
	return buf;
}

__attribute__((format(printf, 3, 4))) static bool wrong(struct reader *r, const char *key,
							const char *fmt, ...)
{
	va_list args;
	int used = snprintf(r->error, r->size, "%s:%u: %s%s", r->file, line_of(r), key,
			    key[0] ? ": " : "");

	va_start(args, fmt);
	if (used > 0 && (size_t)used < r->size)
		vsnprintf(r->error + used, r->size - (size_t)used, fmt, args);
	va_end(args);
	return false;
}

static bool next(struct reader *r)
{
	const char *problem;

	yaml_event_delete(&r->ev);
	if (!yaml_parser_parse(&r->parser, &r->ev)) {
		problem = r->parser.problem ? r->parser.problem : "out of memory";
		r->ev.start_mark = r->parser.problem_mark;
		return wrong(r, "",
			     "no YAML: %s; expected 'key: value', two spaces deeper below each key",
			     problem);
	}
	if (r->ev.type == YAML_ALIAS_EVENT)
		return wrong(r, "", "an alias (*%s); expected the text itself",
			     (const char *)r->ev.data.alias.anchor);
	return true;
}

static const char *scalar(const struct reader *r)
{
	return (const char *)r->ev.data.scalar.value;
}

/* A scalar that is one string without a tag. */
static bool plain_scalar(struct reader *r, const char *key)
{
	if (r->ev.data.scalar.tag)
		return wrong(r, key, "has a tag; expected the text itself");
	if (strlen(scalar(r)) != r->ev.data.scalar.length)
		return wrong(r, key, "has a NUL byte; expected text");
	return true;
}

/* Names of the keys that may stand directly below a path. */
static size_t siblings(const char *prefix, char names[][PATH_LEN_MAX], const char **ret)
{
	size_t len = strlen(prefix), n = 0;

	for (size_t i = 0; i < policy_key_count; i++) {
		const char *path = policy_keys[i].path, *rest = path + len + (len ? 1 : 0);

		if (strncmp(path, prefix, len) || (len && path[len] != '.') || strchr(rest, '.'))
			continue;
		snprintf(names[n], PATH_LEN_MAX, "%s", rest);
		ret[n] = names[n];
		n++;
	}
	return n;
}

static bool unknown(struct reader *r, const char *prefix, const char *path, const char *word)
{
	static char names[POLICY_NEAR_MAX][PATH_LEN_MAX];
	const char *known[POLICY_NEAR_MAX];
	size_t n = siblings(prefix, names, known), used = 0;
	char list[512] = "", hint[128], shown[64];

	if (n == 1 && !strcmp(known[0], "RULE"))
		n = policy_rules(known);
	for (size_t i = 0; i < n && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
					 known[i]);
	policy_near(word, known, n, hint, sizeof(hint));
	policy_shown(word, shown, sizeof(shown));
	return wrong(r, path[0] ? path : "file", "unknown key '%s'; expected one of %s%s", shown,
		     list, hint);
}

static bool missing(struct reader *r, const char *prefix, uint64_t seen, unsigned int line)
{
	char expected[128];

	for (size_t i = 0; i < policy_key_count; i++) {
		const struct policy_key *k = &policy_keys[i];
		size_t len = strlen(prefix);

		if (!k->required || seen >> i & 1 || strncmp(k->path, prefix, len) ||
		    k->path[len] != '.' || strchr(k->path + len + 1, '.'))
			continue;
		policy_expected(k, expected, sizeof(expected));
		r->ev.start_mark.line = line - 1;
		return wrong(r, k->path, "is missing; expected %s", expected);
	}
	return true;
}

/* Find the key just read below `above`. */
static bool find_child(struct reader *r, const struct spot *above, const char *prefix,
		       struct spot *ret)
{
	const char *word = scalar(r);
	char path[PATH_LEN_MAX], room[PATH_LEN_MAX];

	*ret = *above;
	if (above->key && above->key->type == POLICY_RULES) {
		ret->rule = policy_rule(word);
		snprintf(path, sizeof(path), "%s.RULE", prefix);
	} else {
		snprintf(path, sizeof(path), "%s%s%.64s", prefix, prefix[0] ? "." : "", word);
	}
	ret->key = policy_key_find(path);
	if (!ret->key || strpbrk(word, ".[]") || !strcmp(word, "RULE") ||
	    (above->key && above->key->type == POLICY_RULES && !ret->rule))
		return unknown(r, prefix, shown_path(prefix, above->rule, room), word);
	return true;
}

/* The keys of a map, whose beginning was read. */
static bool read_map(struct reader *r, const struct spot *above, const char *prefix)
{
	unsigned int line = line_of(r);
	uint64_t seen = 0, rules = 0;
	char room[PATH_LEN_MAX];
	struct spot s;

	while (next(r) && r->ev.type != YAML_MAPPING_END_EVENT) {
		uint64_t *set = &seen, bit;

		if (r->ev.type != YAML_SCALAR_EVENT)
			return wrong(r, prefix, "a list or map as a key; expected a name");
		if (!plain_scalar(r, prefix) || !find_child(r, above, prefix, &s))
			return false;
		bit = 1ull << (s.key - policy_keys);
		if (above->key && above->key->type == POLICY_RULES) {
			set = &rules;
			bit = 1ull << s.rule;
		}
		if (*set & bit)
			return wrong(r, shown_path(s.key->path, s.rule, room),
				     "stands here twice; expected it once");
		*set |= bit;
		if (!next(r) || !read_value(r, &s))
			return false;
	}
	return r->ev.type == YAML_MAPPING_END_EVENT && missing(r, prefix, seen, line);
}

/* The entries of a list, whose beginning was read. */
static bool read_list(struct reader *r, const struct spot *s)
{
	char prefix[PATH_LEN_MAX];
	struct spot element = *s;

	snprintf(prefix, sizeof(prefix), "%s[]", s->key->path);
	while (next(r) && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		if (r->ev.type != YAML_MAPPING_START_EVENT)
			return wrong(r, prefix, "is no map; expected 'key: value' behind '- '");
		element.in =
			policy_append(r->p, s->key, (struct policy_place){r->file, line_of(r)});
		if (!element.in)
			return wrong(r, prefix, "one entry too many; expected at most %d",
				     POLICY_ENTRIES_MAX);
		if (!read_map(r, &element, prefix))
			return false;
	}
	return r->ev.type == YAML_SEQUENCE_END_EVENT;
}

static bool set_scalar(struct reader *r, const struct spot *s)
{
	char why[192], hint[128], expected[128], room[PATH_LEN_MAX];
	const char *path = shown_path(s->key->path, s->rule, room);

	if (!plain_scalar(r, path))
		return false;
	if (policy_set(s->key, s->in, s->rule, scalar(r), why, sizeof(why), hint, sizeof(hint)))
		return true;
	policy_expected(s->key, expected, sizeof(expected));
	return wrong(r, path, "%s; expected %s%s", why, expected, hint);
}

static bool read_strings(struct reader *r, const struct spot *s)
{
	while (next(r) && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		if (r->ev.type != YAML_SCALAR_EVENT)
			return wrong(r, s->key->path,
				     "an entry that is no text; expected a name behind '- '");
		if (r->p->tls.ciphers >= POLICY_ENTRIES_MAX)
			return wrong(r, s->key->path, "one entry too many; expected at most %d",
				     POLICY_ENTRIES_MAX);
		if (!set_scalar(r, s))
			return false;
	}
	return r->ev.type == YAML_SEQUENCE_END_EVENT;
}

/* A value, whose first event was read. */
static bool read_value(struct reader *r, struct spot *s)
{
	yaml_event_type_t want = YAML_SCALAR_EVENT;
	char expected[128], room[PATH_LEN_MAX];
	enum policy_type type = s->key->type;

	if (type == POLICY_MAP || type == POLICY_RULES)
		want = YAML_MAPPING_START_EVENT;
	else if (type == POLICY_LIST || type == POLICY_STRINGS)
		want = YAML_SEQUENCE_START_EVENT;
	if (r->ev.type != want) {
		policy_expected(s->key, expected, sizeof(expected));
		return wrong(r, shown_path(s->key->path, s->rule, room), "is %s; expected %s",
			     r->ev.type == YAML_MAPPING_START_EVENT    ? "a map"
			     : r->ev.type == YAML_SEQUENCE_START_EVENT ? "a list"
			     : scalar(r)[0]			       ? "a single value"
								       : "empty",
			     expected);
	}
	switch (type) {
	case POLICY_MAP:
	case POLICY_RULES:
		return read_map(r, s, s->key->path);
	case POLICY_LIST:
		return read_list(r, s);
	case POLICY_STRINGS:
		return read_strings(r, s);
	default:
		return set_scalar(r, s);
	}
}

static bool read_document(struct reader *r)
{
	const struct spot file = {.in = r->p};

	if (!next(r))
		return false;
	if (r->ev.type == YAML_SCALAR_EVENT && !scalar(r)[0])
		return next(r); /* says nothing */
	if (r->ev.type != YAML_MAPPING_START_EVENT)
		return wrong(r, "", "is no map; expected instances:, tls:, allow: or incidents:");
	return read_map(r, &file, "") && next(r);
}

static bool read_stream(struct reader *r)
{
	if (!next(r) || !next(r)) /* the stream's beginning, then a document's */
		return false;
	if (r->ev.type == YAML_STREAM_END_EVENT)
		return true;
	if (!read_document(r) || !next(r))
		return false;
	if (r->ev.type == YAML_STREAM_END_EVENT)
		return true;
	return wrong(r, "", "a second document (---); expected one");
}

static const char *remember_file(struct policy *p, const char *name)
{
	char **grown = realloc(p->file, (p->files + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	p->file = grown;
	grown[p->files] = strdup(name);
	return grown[p->files] ? grown[p->files++] : NULL;
}

bool policy_yaml_parse(struct policy *p, const char *name, const char *text, size_t len,
		       char *error, size_t size)
{
	struct reader r = {.p = p, .error = error, .size = size, .file = remember_file(p, name)};
	bool ok;

	if (!r.file || !yaml_parser_initialize(&r.parser)) {
		snprintf(error, size, "%s: out of memory", name);
		return false;
	}
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	ok = read_stream(&r);
	yaml_event_delete(&r.ev);
	yaml_parser_delete(&r.parser);
	return ok;
}

/* --- files --- */

static bool file_ok(int fd, const char *path, bool trusted, char *error, size_t size)
{
	struct stat st;

	if (fstat(fd, &st)) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return false;
	}
	if (trusted && st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(
			error, size,
			"%s: mode %04o: others than its owner may write it; expected 0644 or stricter",
			path, st.st_mode & 07777);
		return false;
	}
	if (trusted && st.st_uid && st.st_uid != geteuid()) {
		snprintf(error, size, "%s: belongs to user %u; expected root, or who runs this",
			 path, st.st_uid);
		return false;
	}
	return true;
}

static bool load_file(struct policy *p, const char *path, bool trusted, char *error, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = malloc(FILE_MAX + 1);
	ssize_t n = 0, len = 0;
	bool ok = false;

	if (fd < 0 || !text) {
		snprintf(error, size, "%s: %s; expected a policy file", path, strerror(errno));
		goto out;
	}
	if (!file_ok(fd, path, trusted, error, size))
		goto out;
	while (len <= (ssize_t)FILE_MAX &&
	       (n = read(fd, text + len, FILE_MAX + 1 - (size_t)len)) > 0)
		len += n;
	if (n < 0)
		snprintf(error, size, "%s: %s; expected a policy file", path, strerror(errno));
	else if (len > (ssize_t)FILE_MAX)
		snprintf(error, size, "%s: larger than 1 MiB; expected a policy file", path);
	else
		ok = policy_yaml_parse(p, path, text, (size_t)len, error, size);
out:
	free(text);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool load_drop_ins(struct policy *p, const char *file, bool trusted, char *error,
			  size_t size)
{
	const char *slash = strrchr(file, '/');
	char pattern[4096];
	glob_t found = {};
	bool ok = true;

	snprintf(pattern, sizeof(pattern), "%.*spolicy.d/*.yaml",
		 slash ? (int)(slash + 1 - file) : 0, file);
	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; ok && i < found.gl_pathc; i++)
			ok = load_file(p, found.gl_pathv[i], trusted, error, size);
	}
	globfree(&found);
	return ok;
}

bool policy_yaml_load(struct policy *p, const char *file, bool trusted, char *error, size_t size)
{
	bool ok = true;

	policy_init(p);
	if (file || !access(POLICY_FILE, F_OK))
		ok = load_file(p, file ?: POLICY_FILE, trusted, error, size);
	ok = ok && load_drop_ins(p, file ?: POLICY_FILE, trusted, error, size) &&
	     policy_whole(p, error, size);
	if (!ok)
		policy_free(p);
	return ok;
}
