// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_yaml.c - see policy_yaml.h. Walks libyaml's events along the table of keys. Aliases, tags and second
 * documents are refused, so that a file means what it appears to mean.
 */
#include "policy/policy_yaml.h"

#include "policy/policy_check.h"
#include "policy/policy_key.h"
#include "policy/policy_value.h"

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
#define PATH_LEN_MAX 128 /* of a key, with the name of its rule */

struct reader {
	yaml_parser_t parser;
	yaml_event_t ev;
	const struct policy_table *table;
	const char *file; /* entries of lists keep it */
	char *error;
	size_t size;
};

/* A key while its value is read. */
struct spot {
	const struct policy_key *key; /* NULL: the top of the file */
	void *in;		      /* struct that values are stored in */
	unsigned int rule;	      /* for keys below RULE, else RULE_NONE */
};

static bool read_value(struct reader *r, struct spot *s);

static unsigned int line_of(const struct reader *r)
{
	return (unsigned int)r->ev.start_mark.line + 1;
}

/* A key with the name of the rule in place of RULE. */
static const char *shown_path(const char *path, unsigned int rule, char *buf)
{
	const char *at = rule ? strstr(path, POLICY_ANY_RULE) : NULL;

	if (!at)
		return path;
	snprintf(buf, PATH_LEN_MAX, "%.*s%s%s", (int)(at - path), path, rule_name(rule),
		 at + strlen(POLICY_ANY_RULE));
	return buf;
}

__attribute__((format(printf, 3, 4))) static bool fail(struct reader *r, const char *key,
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
		return fail(
			r, "",
			"invalid YAML: %s; expected 'key: value', indented by two spaces per level",
			problem);
	}
	if (r->ev.type == YAML_ALIAS_EVENT)
		return fail(r, "", "aliases (*%s) are not supported; expected the value itself",
			    (const char *)r->ev.data.alias.anchor);
	return true;
}

static const char *scalar(const struct reader *r)
{
	return (const char *)r->ev.data.scalar.value;
}

/* Refuse a scalar that has a tag or holds a NUL byte. */
static bool check_scalar(struct reader *r, const char *key)
{
	if (r->ev.data.scalar.tag)
		return fail(r, key, "tags are not supported; expected a plain value");
	if (strlen(scalar(r)) != r->ev.data.scalar.length)
		return fail(r, key, "value contains a NUL byte; expected text");
	return true;
}

/* "a, b, c" */
static void join(char *buf, size_t size, const char *const *words, size_t n)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "", words[i]);
}

/* The names that may be used as keys directly below prefix. Returns how many. */
static size_t known_names(const struct reader *r, const char *prefix,
			  const char *ret[POLICY_KEYS_MAX])
{
	const struct policy_key *children[POLICY_KEYS_MAX];
	size_t n = policy_table_children(r->table, prefix, children);

	_Static_assert(RULE_MAX <= POLICY_KEYS_MAX, "room for the names of all rules");
	if (n == 1 && !strcmp(policy_key_name(children[0]), POLICY_ANY_RULE))
		return policy_rule_names(ret);
	for (size_t i = 0; i < n; i++)
		ret[i] = policy_key_name(children[i]);
	return n;
}

static bool unknown_key(struct reader *r, const struct spot *above, const char *prefix,
			const char *word)
{
	const char *known[POLICY_KEYS_MAX];
	char list[512], hint[POLICY_HINT_LEN], shown[64], room[PATH_LEN_MAX];
	size_t n = known_names(r, prefix, known);

	join(list, sizeof(list), known, n);
	policy_hint(word, known, n, hint);
	policy_printable(word, shown, sizeof(shown));
	return fail(r, shown_path(prefix, above->rule, room),
		    "unknown key '%s'; expected one of %s%s", shown, list, hint);
}

/* Refuse a map, begun on that line, that lacks a required key. seen: a bit per key of the table. */
static bool check_required(struct reader *r, const char *prefix, uint64_t seen, unsigned int line)
{
	const struct policy_key *children[POLICY_KEYS_MAX];
	size_t n = policy_table_children(r->table, prefix, children);
	char expected[POLICY_EXPECTED_LEN];

	for (size_t i = 0; i < n; i++) {
		const struct policy_key *k = children[i];

		if (!k->required || seen >> (k - r->table->key) & 1)
			continue;
		policy_value_expected(k, expected);
		r->ev.start_mark.line = line - 1;
		return fail(r, k->path, "required key is missing; expected %s", expected);
	}
	return true;
}

/* Find the key just read below `above`. */
static bool find_child(struct reader *r, const struct spot *above, const char *prefix,
		       struct spot *ret)
{
	const char *word = scalar(r);
	bool is_rule = above->key && above->key->type == POLICY_RULES;
	char path[PATH_LEN_MAX];

	*ret = *above;
	if (is_rule)
		ret->rule = policy_rule_find(word);
	snprintf(path, sizeof(path), "%s%s%.64s", prefix, prefix[0] ? "." : "",
		 is_rule ? POLICY_ANY_RULE : word);
	ret->key = policy_table_find(r->table, path);
	/* a word may not spell a part of a path, such as "tls.minimum" or RULE */
	if (!ret->key || strpbrk(word, ".[]") || !strcmp(word, POLICY_ANY_RULE) ||
	    (is_rule && !ret->rule))
		return unknown_key(r, above, prefix, word);
	return true;
}

/* The keys of a map whose start was read. */
static bool read_map(struct reader *r, const struct spot *above, const char *prefix)
{
	bool of_rules = above->key && above->key->type == POLICY_RULES;
	unsigned int line = line_of(r);
	char room[PATH_LEN_MAX];
	uint64_t seen = 0; /* keys of the table, or rules */
	struct spot s;

	_Static_assert(RULE_MAX <= 64, "a rule is a bit of a uint64_t");
	while (next(r) && r->ev.type != YAML_MAPPING_END_EVENT) {
		uint64_t bit;

		if (r->ev.type != YAML_SCALAR_EVENT)
			return fail(r, prefix, "key is a list or a map; expected a name");
		if (!check_scalar(r, prefix) || !find_child(r, above, prefix, &s))
			return false;
		bit = 1ull << (of_rules ? s.rule : (unsigned int)(s.key - r->table->key));
		if (seen & bit)
			return fail(r, shown_path(s.key->path, s.rule, room),
				    "duplicate key; expected it once");
		seen |= bit;
		if (!next(r) || !read_value(r, &s))
			return false;
	}
	return r->ev.type == YAML_MAPPING_END_EVENT &&
	       (of_rules || check_required(r, prefix, seen, line));
}

/* The entries of a list whose start was read. */
static bool read_list(struct reader *r, const struct spot *s)
{
	char prefix[PATH_LEN_MAX];
	struct spot entry = *s;

	snprintf(prefix, sizeof(prefix), "%s[]", s->key->path);
	while (next(r) && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		if (r->ev.type != YAML_MAPPING_START_EVENT)
			return fail(r, prefix, "not a map; expected 'key: value' after '- '");
		entry.in = policy_table_append(r->table, s->key, s->in,
					       (struct policy_place){r->file, line_of(r)});
		if (!entry.in)
			return fail(r, prefix,
				    "too many entries, or out of memory; expected at most %d",
				    POLICY_ENTRIES_MAX);
		if (!read_map(r, &entry, prefix))
			return false;
	}
	return r->ev.type == YAML_SEQUENCE_END_EVENT;
}

static bool read_scalar(struct reader *r, const struct spot *s)
{
	char why[POLICY_ERROR_LEN / 2], room[PATH_LEN_MAX];
	const char *path = shown_path(s->key->path, s->rule, room);

	if (!check_scalar(r, path))
		return false;
	if (policy_value_set(s->key, s->in, s->rule, scalar(r), why, sizeof(why)))
		return true;
	return fail(r, path, "%s", why);
}

static bool read_strings(struct reader *r, const struct spot *s)
{
	while (next(r) && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		if (r->ev.type != YAML_SCALAR_EVENT)
			return fail(r, s->key->path, "not a text; expected a name after '- '");
		if (!read_scalar(r, s))
			return false;
	}
	return r->ev.type == YAML_SEQUENCE_END_EVENT;
}

/* A value whose first event was read. */
static bool read_value(struct reader *r, struct spot *s)
{
	yaml_event_type_t kind = YAML_SCALAR_EVENT;
	char expected[POLICY_EXPECTED_LEN], room[PATH_LEN_MAX];
	enum policy_type type = s->key->type;

	if (type == POLICY_MAP || type == POLICY_RULES)
		kind = YAML_MAPPING_START_EVENT;
	else if (type == POLICY_LIST || type == POLICY_STRINGS)
		kind = YAML_SEQUENCE_START_EVENT;
	if (r->ev.type != kind) {
		policy_value_expected(s->key, expected);
		return fail(r, shown_path(s->key->path, s->rule, room), "found %s; expected %s",
			    r->ev.type == YAML_MAPPING_START_EVENT    ? "a map"
			    : r->ev.type == YAML_SEQUENCE_START_EVENT ? "a list"
			    : scalar(r)[0]			      ? "a single value"
								      : "nothing",
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
		return read_scalar(r, s);
	}
}

static bool read_document(struct reader *r, void *root)
{
	const struct spot top = {.in = root};
	const char *known[POLICY_KEYS_MAX];
	char list[512];

	if (!next(r))
		return false;
	if (r->ev.type == YAML_SCALAR_EVENT && !scalar(r)[0])
		return next(r); /* an empty document */
	if (r->ev.type != YAML_MAPPING_START_EVENT) {
		join(list, sizeof(list), known, known_names(r, "", known));
		return fail(r, "", "not a map; expected one of the keys %s", list);
	}
	return read_map(r, &top, "") && next(r);
}

static bool read_stream(struct reader *r, void *root)
{
	if (!next(r)) /* start of the stream */
		return false;
	if (!next(r)) /* start of its first document */
		return false;
	if (r->ev.type == YAML_STREAM_END_EVENT)
		return true;
	if (!read_document(r, root) || !next(r))
		return false;
	if (r->ev.type == YAML_STREAM_END_EVENT)
		return true;
	return fail(r, "", "second document (---); expected only one");
}

bool policy_yaml_read(const struct policy_table *t, void *root, const char *name, const char *text,
		      size_t len, char *error, size_t size)
{
	struct reader r = {.table = t, .file = name, .error = error, .size = size};
	bool ok;

	if (!yaml_parser_initialize(&r.parser)) {
		snprintf(error, size, "%s: out of memory", name);
		return false;
	}
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	ok = read_stream(&r, root);
	yaml_event_delete(&r.ev);
	yaml_parser_delete(&r.parser);
	return ok;
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
	const char *file = remember_file(p, name);

	if (file)
		return policy_yaml_read(&policy_table, p, file, text, len, error, size);
	snprintf(error, size, "%s: out of memory", name);
	return false;
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
		snprintf(error, size,
			 "%s: mode %04o lets others write it; expected 0644 or stricter", path,
			 st.st_mode & 07777);
		return false;
	}
	if (trusted && st.st_uid && st.st_uid != geteuid()) {
		snprintf(error, size,
			 "%s: owned by uid %u; expected root or the user running cachewarden", path,
			 st.st_uid);
		return false;
	}
	return true;
}

static char *read_text(const char *path, bool trusted, size_t *ret_len, char *error, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = malloc(FILE_MAX + 1);
	ssize_t n = 0, len = 0;

	if (fd < 0 || !text) {
		snprintf(error, size, "%s: %s; expected a policy file", path, strerror(errno));
		goto fail;
	}
	if (!file_ok(fd, path, trusted, error, size))
		goto fail;
	while (len <= (ssize_t)FILE_MAX &&
	       (n = read(fd, text + len, FILE_MAX + 1 - (size_t)len)) > 0)
		len += n;
	if (n >= 0 && len <= (ssize_t)FILE_MAX) {
		close(fd);
		*ret_len = (size_t)len;
		return text;
	}
	if (n < 0)
		snprintf(error, size, "%s: %s; expected a policy file", path, strerror(errno));
	else
		snprintf(error, size, "%s: larger than 1 MiB; expected a smaller policy file",
			 path);
fail:
	free(text);
	if (fd >= 0)
		close(fd);
	return NULL;
}

char *policy_yaml_text(const char *path, size_t *ret_len, char *error, size_t size)
{
	return read_text(path, false, ret_len, error, size);
}

static bool load_file(struct policy *p, const char *path, bool trusted, char *error, size_t size)
{
	size_t len = 0;
	char *text = read_text(path, trusted, &len, error, size);
	bool ok = text && policy_yaml_parse(p, path, text, len, error, size);

	free(text);
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
	     policy_validate(p, error, size);
	if (!ok)
		policy_free(p);
	return ok;
}
