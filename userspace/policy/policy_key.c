// SPDX-License-Identifier: BSD-2-Clause
/* policy_key.c - see policy_key.h. */
#include "policy/policy_key.h"

#include "base/macros.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 256 /* characters of a value, reasons included */
#define SHA256_HEX 64
#define MS_PER_DAY 86400000ll

#define INSTANCE(field) offsetof(struct policy_instance, field)
#define PLAINTEXT(field) offsetof(struct policy_plaintext, field)
#define ALLOW(field) offsetof(struct policy_allow, field)

const struct policy_key policy_keys[] = {
	{"instances", POLICY_LIST,
	 .help = "What holds for which server. The first entry that matches a server and names a rule decides "
		 "about that rule; rules nobody names alert."},
	{"instances[].name", POLICY_NAME, INSTANCE(name), .required = true,
	 .help = "What the entry is called, for allow[].instance; no two have the same."},
	{"instances[].match", POLICY_MAP, .preset = "every server",
	 .help = "Which servers are meant: all that is named here has to fit."},
	{"instances[].match.exe", POLICY_PATTERN, INSTANCE(exe),
	 .help = "Path of the executable, as alerts show it (Debian's redis-server is a link to "
		 "/usr/bin/redis-check-rdb)."},
	{"instances[].match.port", POLICY_NUMBER, INSTANCE(port), .min = 1, .max = 65535,
	 .help = "A port the server listens on."},
	{"instances[].match.unit", POLICY_PATTERN, INSTANCE(unit), .help = "Its systemd unit."},
	{"instances[].match.cgroup", POLICY_PATTERN, INSTANCE(cgroup),
	 .help = "Its cgroup's path below the cgroup2 root."},
	{"instances[].match.container", POLICY_PATTERN, INSTANCE(container),
	 .help = "The id of the container it runs in, 64 hexadecimal digits; a pattern such as 4f1c* does."},
	{"instances[].rules", POLICY_RULES, .help = "What holds for a rule, by the rule's name."},
	{"instances[].rules.RULE", POLICY_MAP, .help = "One rule, mem-read say."},
	{"instances[].rules.RULE.mode", POLICY_MODE, INSTANCE(mode), .preset = "alert",
	 .help = "off: not even recorded, only counted. observe: recorded among the events, no alert. alert: "
		 "an alert. prevent: the kernel denies it, or the actor dies before it has read a byte; "
		 "only mem-trace, mem-read, mem-write, mem-fd and tls-plaintext can be prevented."},
	{"instances[].rules.RULE.severity", POLICY_SEVERITY, INSTANCE(severity),
	 .preset = "by what was done", .help = "How bad it is."},
	{"tls", POLICY_MAP, .help = "What crosses the sockets of all servers."},
	{"tls.minimum", POLICY_VERSION, offsetof(struct policy, tls.minimum), .preset = "1.2",
	 .help = "The lowest TLS version a handshake may settle on."},
	{"tls.ciphers", POLICY_STRINGS, offsetof(struct policy, tls.cipher),
	 .preset = "all but the weak ones",
	 .help = "Patterns of IANA names of the cipher suites a handshake may settle on, such as "
		 "TLS_AES_256_GCM_SHA384 or TLS_ECDHE_*_GCM_*."},
	{"tls.plaintext", POLICY_LIST, .preset = "nowhere",
	 .help = "Where plaintext is no alert but allowed: neither tls-plaintext nor, if that is whom it is served "
		 "to, tls-listener."},
	{"tls.plaintext[].peer", POLICY_CIDR, PLAINTEXT(peer), .required = true,
	 .help = "The address at the other end is in there,"},
	{"tls.plaintext[].owner", POLICY_PATH, PLAINTEXT(owner), .required = true,
	 .help = "and this executable opened the connection: the client where it runs on this host and is "
		 "certain, or the server itself where it dialled out. Whoever connects from another host cannot "
		 "be known, so nothing allows its plaintext."},
	{"allow", POLICY_LIST, .preset = "nothing",
	 .help = "What is no alert though it breaks a rule: still recorded, with the verdict allowed. All that is "
		 "named has to be so; what is not known for certain is not so."},
	{"allow[].rule", POLICY_RULE, ALLOW(rules), .required = true,
	 .help = "The rule that is broken; mem-* and the like are all whose names begin so."},
	{"allow[].exe", POLICY_PATH, ALLOW(exe), .required = true,
	 .help = "Path of the actor's executable. It is the path in the actor's own mount namespace: who may "
		 "make one, or may write that file, can call anything so; sha256 makes it certain."},
	{"allow[].sha256", POLICY_SHA256, ALLOW(sha256),
	 .help = "The executable's SHA-256. An actor that ended before its executable could be read has none."},
	{"allow[].uid", POLICY_NUMBER, ALLOW(uid), .min = 0, .max = UINT32_MAX,
	 .help = "The user it runs as."},
	{"allow[].unit", POLICY_UNIT, ALLOW(unit), .help = "The systemd unit it runs in."},
	{"allow[].ancestor", POLICY_PATH, ALLOW(ancestor),
	 .help = "Path of the executable of a process it descends from, at most eight generations up."},
	{"allow[].instance", POLICY_TEXT, ALLOW(instance), .preset = "all",
	 .help = "Upon this server: the name of an entry of instances, or NAME:PORT as alerts say it."},
	{"allow[].until", POLICY_DATE, ALLOW(until_ms), .preset = "for ever",
	 .help = "The last day on which it is allowed, or the second from which on it is not; UTC."},
	{"allow[].reason", POLICY_TEXT, ALLOW(reason), .required = true,
	 .help = "Why. It is shown with each event that is allowed."},
	{"incidents", POLICY_MAP, .help = "How events become incidents."},
	{"incidents.quiet", POLICY_NUMBER, offsetof(struct policy, quiet_s), .min = 1, .max = 86400,
	 .preset = "60", .help = "Seconds without a new event after which an incident is over."},
};
const size_t policy_key_count = ARRAY_SIZE(policy_keys);

/* Words for the numbers behind them; a number of -1 ends a list. */
static const struct word {
	const char *name;
	int64_t value;
} modes[] = {{"off", MODE_OFF},
	     {"observe", MODE_OBSERVE},
	     {"alert", MODE_ALERT},
	     {"prevent", MODE_PREVENT},
	     {}},
  levels[] = {{"info", SEVERITY_INFO}, {"low", SEVERITY_LOW},		{"medium", SEVERITY_MEDIUM},
	      {"high", SEVERITY_HIGH}, {"critical", SEVERITY_CRITICAL}, {}},
  versions[] = {{"1.0", 0x0301}, {"1.1", 0x0302}, {"1.2", 0x0303}, {"1.3", 0x0304}, {}};

const struct policy_key *policy_key_find(const char *path)
{
	for (size_t i = 0; i < policy_key_count; i++) {
		if (!strcmp(policy_keys[i].path, path))
			return &policy_keys[i];
	}
	return NULL;
}

unsigned int policy_rule(const char *name)
{
	for (unsigned int r = RULE_NONE + 1; r < RULE_SELF_BLIND; r++) {
		if (!strcmp(rule_name(r), name))
			return r;
	}
	return RULE_NONE;
}

size_t policy_rules(const char *ret[POLICY_NEAR_MAX])
{
	size_t n = 0;

	_Static_assert(RULE_SELF_BLIND <= POLICY_NEAR_MAX, "room for all rules");
	for (unsigned int r = RULE_NONE + 1; r < RULE_SELF_BLIND; r++)
		ret[n++] = rule_name(r);
	return n;
}

/* Levenshtein's distance of two short words; long ones are far from each other. */
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

void policy_near(const char *word, const char *const *known, size_t n, char *buf, size_t size)
{
	size_t best = strlen(word) / 3 + 2;
	const char *nearest = NULL;

	for (size_t i = 0; i < n && strlen(word) > 3; i++) { /* short words are near to all */
		size_t d = distance(word, known[i]);

		if (d < best) {
			best = d;
			nearest = known[i];
		}
	}
	buf[0] = '\0';
	if (nearest)
		snprintf(buf, size, ", did you mean '%s'", nearest);
}

void policy_shown(const char *text, char *buf, size_t size)
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

static const struct word *words_of(enum policy_type type)
{
	return type == POLICY_MODE	 ? modes
	       : type == POLICY_SEVERITY ? levels
	       : type == POLICY_VERSION	 ? versions
					 : NULL;
}

void policy_expected(const struct policy_key *k, char *buf, size_t size)
{
	static const char *const texts[POLICY_TYPE_MAX] = {
		[POLICY_MAP] = "keys below it",
		[POLICY_RULES] = "names of rules, keys below each",
		[POLICY_LIST] = "a list of entries, each beginning with '- '",
		[POLICY_STRINGS] = "a list of names, each beginning with '- '",
		[POLICY_TEXT] = "some words, at most 255 characters",
		[POLICY_NAME] = "a name of letters, digits and -_.",
		[POLICY_PATTERN] = "a text, in which * stands for anything",
		[POLICY_PATH] = "an absolute path",
		[POLICY_UNIT] = "a unit, NAME.service or NAME.scope",
		[POLICY_SHA256] = "64 hexadecimal digits, in lower case",
		[POLICY_CIDR] = "an IP address or a network, 10.0.0.0/8 or fd00::/8",
		[POLICY_DATE] = "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ",
		[POLICY_RULE] =
			"the name of a rule, such as mem-read, or the beginning of some, such as mem-*",
	};
	const struct word *w = words_of(k->type);
	size_t used = 0;

	if (k->type == POLICY_NUMBER) {
		snprintf(buf, size, "a whole number from %lld to %lld", (long long)k->min,
			 (long long)k->max);
	} else if (w) {
		for (; w->name && used < size; w++)
			used += (size_t)snprintf(buf + used, size - used, "%s%s",
						 !used	     ? ""
						 : w[1].name ? ", "
							     : " or ",
						 w->name);
	} else {
		snprintf(buf, size, "%s", texts[k->type]);
	}
}

/* --- values --- */

static bool set_word(const struct word *w, const char *text, int64_t *ret, char *hint, size_t size)
{
	const char *known[8];
	size_t n = 0;

	for (; w->name; w++) {
		if (!strcmp(w->name, text)) {
			*ret = w->value;
			return true;
		}
		known[n++] = w->name;
	}
	policy_near(text, known, n, hint, size);
	return false;
}

/* A rule, or all that begin so, as a set. */
static bool set_rules(const char *text, int64_t *ret, char *hint, size_t size)
{
	const char *known[POLICY_NEAR_MAX];
	size_t begin = strcspn(text, "*");
	int64_t set = 0;

	for (unsigned int r = RULE_NONE + 1; r < RULE_SELF_BLIND; r++) {
		if (!strcmp(text + begin, "*") ? !strncmp(rule_name(r), text, begin)
					       : !strcmp(rule_name(r), text))
			set |= 1ll << r;
	}
	if (set)
		*ret = set;
	else
		policy_near(text, known, policy_rules(known), hint, size);
	return set;
}

static bool set_number(const struct policy_key *k, const char *text, int64_t *ret)
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

static bool set_cidr(const char *text, struct policy_cidr *ret)
{
	char ip[INET6_ADDRSTRLEN], *end;
	size_t len = strcspn(text, "/");
	unsigned int most;
	unsigned long bits;

	if (len >= sizeof(ip))
		return false;
	memcpy(ip, text, len);
	ip[len] = '\0';
	*ret = (struct policy_cidr){};
	if (inet_pton(AF_INET, ip, ret->ip + 12) == 1) {
		ret->ip[10] = ret->ip[11] = 0xff;
		most = 32;
	} else if (inet_pton(AF_INET6, ip, ret->ip) == 1) {
		most = 128;
	} else {
		return false;
	}
	bits = most;
	if (text[len]) {
		bits = strtoul(text + len + 1, &end, 10);
		if (!isdigit((unsigned char)text[len + 1]) || *end || bits > most)
			return false;
	}
	ret->bits = (unsigned int)bits + 128 - most;
	return true;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t days(int year, int month, int day)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t y = year - 1; /* full years behind us */

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162 + before[month - 1] + day - 1 +
	       (month > 2 && ((!(year % 4) && year % 100) || !(year % 400)));
}

static bool shaped(const char *text, const char *shape)
{
	for (; *shape; text++, shape++) {
		if (*shape == '0' ? !isdigit((unsigned char)*text) : *shape != *text)
			return false;
	}
	return !*text;
}

static bool set_date(const char *text, int64_t *ret)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool whole = shaped(text, "0000-00-00");
	int year, month, day, hour = 24, minute = 0, second = 0, leap;

	if (!whole && !shaped(text, "0000-00-00T00:00:00Z"))
		return false;
	year = atoi(text);
	month = atoi(text + 5);
	day = atoi(text + 8);
	if (!whole) {
		hour = atoi(text + 11);
		minute = atoi(text + 14);
		second = atoi(text + 17);
	}
	leap = month == 2 && ((!(year % 4) && year % 100) || !(year % 400));
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + leap ||
	    (!whole && (hour > 23 || minute > 59 || second > 59)))
		return false;
	*ret = days(year, month, day) * MS_PER_DAY + (hour * 3600 + minute * 60 + second) * 1000ll;
	return true;
}

static bool has_ending(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && !strcmp(text + len - n, end);
}

static bool text_ok(enum policy_type type, const char *text)
{
	switch (type) {
	case POLICY_NAME:
		return !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789-_.")];
	case POLICY_PATH:
		return text[0] == '/' && text[1];
	case POLICY_UNIT:
		return has_ending(text, ".service") || has_ending(text, ".scope");
	case POLICY_SHA256:
		return strlen(text) == SHA256_HEX && strspn(text, "0123456789abcdef") == SHA256_HEX;
	default:
		return true;
	}
}

static bool set_text(const struct policy_key *k, const char *text, char **ret)
{
	char *copy;

	if (!text_ok(k->type, text))
		return false;
	copy = strdup(text);
	if (!copy)
		return false;
	free(*ret);
	*ret = copy;
	return true;
}

static bool append_string(struct policy *p, const char *text)
{
	char **grown = realloc(p->tls.cipher, (p->tls.ciphers + 1) * sizeof(*grown));

	if (!grown)
		return false;
	p->tls.cipher = grown;
	grown[p->tls.ciphers] = strdup(text);
	if (!grown[p->tls.ciphers])
		return false;
	p->tls.ciphers++;
	return true;
}

static bool set(const struct policy_key *k, void *in, unsigned int rule, const char *text,
		char *hint, size_t size)
{
	void *at = (char *)in + k->at + rule * sizeof(int64_t);

	switch (k->type) {
	case POLICY_STRINGS:
		return append_string(in, text);
	case POLICY_NUMBER:
		return set_number(k, text, at);
	case POLICY_DATE:
		return set_date(text, at);
	case POLICY_CIDR:
		return set_cidr(text, at);
	case POLICY_RULE:
		return set_rules(text, at, hint, size);
	case POLICY_MODE:
	case POLICY_SEVERITY:
	case POLICY_VERSION:
		return set_word(words_of(k->type), text, at, hint, size);
	default:
		return set_text(k, text, at);
	}
}

bool policy_set(const struct policy_key *k, void *in, unsigned int rule, const char *text,
		char *why, size_t why_size, char *hint, size_t hint_size)
{
	static const char *const nouns[POLICY_TYPE_MAX] = {
		[POLICY_STRINGS] = "name",	 [POLICY_TEXT] = "text",
		[POLICY_NAME] = "name",		 [POLICY_PATTERN] = "pattern",
		[POLICY_PATH] = "absolute path", [POLICY_UNIT] = "unit",
		[POLICY_SHA256] = "SHA-256",	 [POLICY_CIDR] = "address or network",
		[POLICY_NUMBER] = "such number", [POLICY_DATE] = "date",
		[POLICY_RULE] = "rule",		 [POLICY_MODE] = "mode",
		[POLICY_SEVERITY] = "severity",	 [POLICY_VERSION] = "TLS version",
	};
	char shown[64];

	hint[0] = '\0';
	if (!text[0]) {
		snprintf(why, why_size, "is empty");
		return false;
	}
	policy_shown(text, shown, sizeof(shown));
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			snprintf(why, why_size, "'%s' has a control character", shown);
			return false;
		}
	}
	if (strlen(text) >= WORD_MAX) {
		snprintf(why, why_size, "'%s' is longer than %d characters", shown, WORD_MAX - 1);
		return false;
	}
	snprintf(why, why_size, "'%s' is no %s", shown, nouns[k->type]);
	if (!set(k, in, rule, text, hint, hint_size))
		return false;
	if (k->type == POLICY_MODE && ((int64_t *)((char *)in + k->at))[rule] == MODE_PREVENT &&
	    !(POLICY_PREVENTABLE >> rule & 1)) {
		snprintf(why, why_size, "%s cannot be prevented, only seen", rule_name(rule));
		return false;
	}
	return true;
}

/* --- lists --- */

static void *append(void **all, size_t *n, size_t size)
{
	void *grown;

	if (*n >= POLICY_ENTRIES_MAX)
		return NULL;
	grown = realloc(*all, (*n + 1) * size);
	if (!grown)
		return NULL;
	*all = grown;
	grown = (char *)grown + (*n)++ * size;
	memset(grown, 0, size);
	return grown;
}

void *policy_append(struct policy *p, const struct policy_key *list, struct policy_place at)
{
	struct policy_plaintext *t;
	struct policy_instance *in;
	struct policy_allow *a;

	if (!strcmp(list->path, "instances")) {
		in = append((void **)&p->instance, &p->instances, sizeof(*in));
		if (!in)
			return NULL;
		in->at = at;
		in->port = POLICY_UNSET;
		for (unsigned int r = 0; r < RULE_MAX; r++)
			in->mode[r] = in->severity[r] = POLICY_UNSET;
		return in;
	}
	if (!strcmp(list->path, "allow")) {
		a = append((void **)&p->allow, &p->allows, sizeof(*a));
		if (!a)
			return NULL;
		a->at = at;
		a->uid = a->until_ms = POLICY_UNSET;
		return a;
	}
	t = append((void **)&p->tls.plaintext, &p->tls.plaintexts, sizeof(*t));
	if (t)
		t->at = at;
	return t;
}
