// SPDX-License-Identifier: BSD-2-Clause
/* policy_value.c - see policy_value.h. */
#include "policy/policy_value.h"

#include "base/http_address.h"
#include "base/macros.h"
#include "base/str.h"
#include "policy/policy_sink.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALUE_MAX 256 /* bytes of a value and its NUL */
#define SHA256_HEX 64
#define DAY_S 86400

struct word {
	const char *name; /* NULL ends a list */
	int64_t value;
};

static const struct word modes[] = {{"off", MODE_OFF},
				    {"observe", MODE_OBSERVE},
				    {"alert", MODE_ALERT},
				    {"prevent", MODE_PREVENT},
				    {}};
_Static_assert(ARRAY_SIZE(modes) == MODE_MAX + 1, "every mode has a name");

static const struct word severities[] = {{"info", SEVERITY_INFO},	  {"low", SEVERITY_LOW},
					 {"medium", SEVERITY_MEDIUM},	  {"high", SEVERITY_HIGH},
					 {"critical", SEVERITY_CRITICAL}, {}};
_Static_assert(ARRAY_SIZE(severities) == SEVERITY_MAX, "every severity has a name");

static const struct word transports[] = {{"any", TRANSPORT_ANY},
					 {"tls", TRANSPORT_TLS},
					 {"unix", TRANSPORT_UNIX},
					 {"plain", TRANSPORT_PLAIN},
					 {}};

static const struct word templates[] = {
	{"ocsf", TEMPLATE_NONE}, {"slack", TEMPLATE_SLACK}, {"pagerduty", TEMPLATE_PAGERDUTY}, {}};
_Static_assert(ARRAY_SIZE(templates) == TEMPLATE_MAX + 1, "every template has a name");

/* As on the wire. */
static const struct word versions[] = {
	{"1.0", 0x0301}, {"1.1", 0x0302}, {"1.2", 0x0303}, {"1.3", 0x0304}, {}};

static const struct word *words_of(enum policy_type type)
{
	return type == POLICY_MODE	  ? modes
	       : type == POLICY_SEVERITY  ? severities
	       : type == POLICY_TRANSPORT ? transports
	       : type == POLICY_TEMPLATE  ? templates
	       : type == POLICY_VERSION	  ? versions
					  : NULL;
}

/* --- words for people --- */

/* Levenshtein distance. Words of 64 characters and more are far from everything. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], la = strlen(a), lb = strlen(b);

	if (la >= ARRAY_SIZE(row) || lb >= ARRAY_SIZE(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t least = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < least)
				least = row[j] + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			row[j] = least;
		}
	}
	return row[lb];
}

void policy_hint(const char *word, const char *const *known, size_t n, char buf[POLICY_HINT_LEN])
{
	size_t best = strlen(word) / 3 + 2;
	const char *nearest = NULL;

	if (strlen(word) <= 3) /* close to everything */
		n = 0;
	for (size_t i = 0; i < n; i++) {
		size_t d = distance(word, known[i]);

		if (d < best) {
			best = d;
			nearest = known[i];
		}
	}
	buf[0] = '\0';
	if (nearest)
		snprintf(buf, POLICY_HINT_LEN, " (did you mean '%s'?)", nearest);
}

void policy_printable(const char *text, char *buf, size_t size)
{
	size_t used = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p && used + 4 < size; p++)
		buf[used++] = *p >= 0x20 && *p < 0x7f ? (char)*p : '?';
	if (strlen(text) > used) {
		memcpy(buf + used, "...", 3);
		used += 3;
	}
	buf[used] = '\0';
}

void policy_value_expected(const struct policy_key *k, char buf[POLICY_EXPECTED_LEN])
{
	static const char *const texts[POLICY_TYPE_MAX] = {
		[POLICY_MAP] = "a map of keys",
		[POLICY_RULES] = "a map of rule names",
		[POLICY_LIST] = "a list of entries, each starting with '- '",
		[POLICY_STRINGS] = "a list of names, each starting with '- '",
		[POLICY_CIDR] = "an IP address or a network such as 10.0.0.0/8 or fd00::/8",
		[POLICY_TEXT] = "a text of at most 255 characters",
		[POLICY_NAME] = "a name of letters, digits, '-', '_' and '.'",
		[POLICY_PATTERN] = "a pattern, where * matches anything",
		[POLICY_PATH] = "an absolute path",
		[POLICY_UNIT] = "a unit, NAME.service or NAME.scope",
		[POLICY_TARGET] = POLICY_TARGET_FORMS,
		[POLICY_LISTEN] = "unix:/PATH, 127.0.0.1:PORT or [::1]:PORT",
		[POLICY_WITNESS] = "http://HOST:PORT NAME+ID+KEY",
		[POLICY_SHA256] = "64 lower-case hexadecimal digits",
		[POLICY_DATE] = "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ",
		[POLICY_RULE] = "a rule name such as mem-read, or a prefix such as mem-*",
	};
	const struct word *w = words_of(k->type);
	size_t used = 0;

	if (k->type == POLICY_NUMBER)
		snprintf(buf, POLICY_EXPECTED_LEN, "an integer from %lld to %lld",
			 (long long)k->min, (long long)k->max);
	else if (!w)
		snprintf(buf, POLICY_EXPECTED_LEN, "%s", texts[k->type]);
	for (; w && w->name && used < POLICY_EXPECTED_LEN; w++)
		used += (size_t)snprintf(buf + used, POLICY_EXPECTED_LEN - used, "%s%s",
					 !used	     ? ""
					 : w[1].name ? ", "
						     : " or ",
					 w->name);
}

/* --- rules --- */

static bool has_name(unsigned int rule)
{
	return rule != RULE_NONE && rule != RULE_SELF_BLIND;
}

unsigned int policy_rule_find(const char *name)
{
	unsigned int rule = rule_find(name);

	return has_name(rule) ? rule : RULE_NONE;
}

size_t policy_rule_names(const char *ret[RULE_MAX])
{
	size_t n = 0;

	for (unsigned int r = 0; r < RULE_MAX; r++) {
		if (has_name(r))
			ret[n++] = rule_name(r);
	}
	return n;
}

/* --- values --- */

static bool parse_word(const struct word *w, const char *text, int64_t *ret,
		       char hint[POLICY_HINT_LEN])
{
	const char *known[8];
	size_t n = 0;

	for (; w->name && n < ARRAY_SIZE(known); w++) {
		if (!strcmp(w->name, text)) {
			*ret = w->value;
			return true;
		}
		known[n++] = w->name;
	}
	policy_hint(text, known, n, hint);
	return false;
}

/* One rule, or all that begin with a prefix: a set of 1 << rule. */
static bool parse_rules(const char *text, int64_t *ret, char hint[POLICY_HINT_LEN])
{
	const char *known[RULE_MAX];
	size_t prefix = strcspn(text, "*");
	bool is_prefix = !strcmp(text + prefix, "*");
	int64_t set = 0;

	for (unsigned int r = 0; r < RULE_MAX; r++) {
		if (!has_name(r))
			continue;
		if (is_prefix ? !strncmp(rule_name(r), text, prefix) : !strcmp(rule_name(r), text))
			set |= 1ll << r;
	}
	if (set)
		*ret = set;
	else
		policy_hint(text, known, policy_rule_names(known), hint);
	return set;
}

static bool parse_number(const struct policy_key *k, const char *text, int64_t *ret)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || !isdigit((unsigned char)text[0]) || *end || v < k->min || v > k->max)
		return false;
	*ret = v;
	return true;
}

static bool parse_cidr(const char *text, struct policy_cidr *ret)
{
	char ip[INET6_ADDRSTRLEN], *end;
	size_t len = strcspn(text, "/");
	unsigned int width;
	unsigned long bits;

	if (len >= sizeof(ip))
		return false;
	memcpy(ip, text, len);
	ip[len] = '\0';
	*ret = (struct policy_cidr){};
	if (inet_pton(AF_INET, ip, ret->ip + 12) == 1) {
		ret->ip[10] = ret->ip[11] = 0xff;
		width = 32;
	} else if (inet_pton(AF_INET6, ip, ret->ip) == 1) {
		width = 128;
	} else {
		return false;
	}
	bits = width;
	if (text[len]) {
		bits = strtoul(text + len + 1, &end, 10);
		if (!isdigit((unsigned char)text[len + 1]) || *end || bits > width)
			return false;
	}
	ret->bits = (unsigned int)bits + 128 - width;
	return true;
}

/*
 * The first millisecond after a day, or that of a second, UTC. strptime() and timegm() accept dates that do not exist, such
 * as 2026-02-29, and one-digit months: only text that they write back unchanged is a date.
 */
static bool parse_date(const char *text, int64_t *ret)
{
	static const struct {
		const char *format;
		int add_s;
	} forms[] = {{"%Y-%m-%d", DAY_S}, {"%Y-%m-%dT%H:%M:%SZ", 0}};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = {};
		const char *end = strptime(text, forms[i].format, &tm);
		char again[32] = "";
		time_t t = timegm(&tm);

		if (!end || *end || t < 0 || !gmtime_r(&t, &tm))
			continue;
		strftime(again, sizeof(again), forms[i].format, &tm);
		if (strcmp(again, text))
			continue;
		*ret = (t + forms[i].add_s) * 1000ll;
		return true;
	}
	return false;
}

/* The key's digits are checked by whoever uses it. */
static bool is_witness(const char *text)
{
	static const char scheme[] = "http://";
	const char *space = strchr(text, ' '), *id = space ? strchr(space, '+') : NULL;

	return !strncmp(text, scheme, strlen(scheme)) && space > text + strlen(scheme) && id &&
	       id > space + 1 && strspn(id + 1, "0123456789abcdef") == 8 && id[9] == '+' &&
	       id[10] && !strchr(space + 1, ' ');
}

static bool text_ok(enum policy_type type, const char *text)
{
	struct policy_target target;

	switch (type) {
	case POLICY_NAME:
		return !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789-_.")];
	case POLICY_PATH:
		return text[0] == '/' && text[1];
	case POLICY_UNIT:
		return text[0] != '.' &&
		       (str_ends_with(text, ".service") || str_ends_with(text, ".scope"));
	case POLICY_TARGET:
		return policy_target_parse(text, &target);
	case POLICY_LISTEN:
		return http_address_is_local(text);
	case POLICY_WITNESS:
		return is_witness(text);
	case POLICY_SHA256:
		return strlen(text) == SHA256_HEX && strspn(text, "0123456789abcdef") == SHA256_HEX;
	default:
		return true;
	}
}

static bool store_text(char **place, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return false;
	free(*place);
	*place = copy;
	return true;
}

/* Is text a value of that kind? Sets *number for those stored as a number, and *cidr for addresses. */
static bool parse(const struct policy_key *k, const char *text, int64_t *number,
		  struct policy_cidr *cidr, char hint[POLICY_HINT_LEN])
{
	switch (k->type) {
	case POLICY_NUMBER:
		return parse_number(k, text, number);
	case POLICY_DATE:
		return parse_date(text, number);
	case POLICY_RULE:
		return parse_rules(text, number, hint);
	case POLICY_MODE:
	case POLICY_SEVERITY:
	case POLICY_TRANSPORT:
	case POLICY_TEMPLATE:
	case POLICY_VERSION:
		return parse_word(words_of(k->type), text, number, hint);
	case POLICY_CIDR:
		return parse_cidr(text, cidr);
	default:
		return text_ok(k->type, text);
	}
}

static bool store(const struct policy_key *k, void *in, unsigned int rule, const char *text,
		  int64_t number, const struct policy_cidr *cidr)
{
	void *at = (char *)in + k->at;

	if (k->type >= POLICY_NUMBER)
		((int64_t *)at)[k->per_rule ? rule : 0] = number;
	else if (k->type == POLICY_CIDR)
		*(struct policy_cidr *)at = *cidr;
	else if (k->type == POLICY_STRINGS)
		return policy_strings_append(k, in, text);
	else
		return store_text(at, text);
	return true;
}

static bool has_control_character(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	}
	return false;
}

bool policy_value_set(const struct policy_key *k, void *in, unsigned int rule, const char *text,
		      char *error, size_t size)
{
	char shown[64], expected[POLICY_EXPECTED_LEN], hint[POLICY_HINT_LEN] = "";
	struct policy_cidr cidr;
	int64_t number = 0;

	policy_printable(text, shown, sizeof(shown));
	policy_value_expected(k, expected);
	if (!text[0])
		snprintf(error, size, "empty value; expected %s: %.*s", expected,
			 (int)strcspn(k->help, "."), k->help);
	else if (has_control_character(text))
		snprintf(error, size, "value '%s' contains a control character; expected %s", shown,
			 expected);
	else if (strlen(text) >= VALUE_MAX)
		snprintf(error, size, "value '%s' is longer than %d characters; expected %s", shown,
			 VALUE_MAX - 1, expected);
	else if (!parse(k, text, &number, &cidr, hint))
		snprintf(error, size, "invalid value '%s'; expected %s%s", shown, expected, hint);
	else if (k->type == POLICY_MODE && number == MODE_PREVENT &&
		 !(POLICY_PREVENTABLE >> rule & 1))
		snprintf(error, size, "%s can be detected but not prevented; expected %s",
			 rule_name(rule), expected);
	else if (!store(k, in, rule, text, number, &cidr))
		snprintf(error, size, "too many entries, or out of memory; expected at most %d",
			 POLICY_ENTRIES_MAX);
	else
		return true;
	return false;
}
