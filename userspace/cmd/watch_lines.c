// SPDX-License-Identifier: BSD-2-Clause
/* watch_lines.c - see watch_lines.h. */
#include "cmd/watch_lines.h"

#include "base/clock.h"
#include "base/macros.h"
#include "model/severity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_COLUMNS 40 /* of a server, where there is room */
#define PORTS_MIN 10	    /* less room tells nothing of them */
#define CLOCK_COLUMNS 8	    /* "14:03:09" */

static int64_t number(const json_t *in, const char *key)
{
	return json_integer_value(json_object_get(in, key));
}

static const char *text(const json_t *in, const char *key)
{
	return json_string_value(json_object_get(in, key)) ?: "";
}

/* Local time of day. */
static void time_of_day(int64_t epoch_ms, char buf[CLOCK_TEXT_LEN])
{
	clock_text(epoch_ms, buf, CLOCK_TEXT_LEN);
	if (strlen(buf) > 11) {
		memmove(buf, buf + 11, CLOCK_COLUMNS);
		buf[CLOCK_COLUMNS] = '\0';
	}
}

/* --- above the lists --- */

static int put_silence(const struct watch *w, struct picture *f, int row)
{
	char since[CLOCK_TEXT_LEN];

	if (!w->why[0])
		return row;
	time_of_day(w->silent_ms, since);
	picture_put(f, row++, 0, f->columns, LOOK_BAD, "! no answer since %s: %s; asking again",
		    since, w->why);
	if (w->status)
		picture_put(f, row++, 0, f->columns, LOOK_BAD,
			    "! What follows is what the monitor said before.");
	return row;
}

int watch_line_head(const struct watch *w, int64_t now_ms, struct picture *f, int row)
{
	const json_t *s = w->status;
	int64_t up = number(s, "uptime_s");
	char now[CLOCK_TEXT_LEN];
	bool well = json_is_true(json_object_get(s, "well"));

	time_of_day(now_ms, now);
	picture_put(f, row, f->columns - CLOCK_COLUMNS, CLOCK_COLUMNS, LOOK_PLAIN, "%s", now);
	if (!s) {
		picture_put(f, row++, 0, f->columns - CLOCK_COLUMNS - 1, LOOK_PLAIN, "cachewarden");
		return put_silence(w, f, row);
	}
	picture_put(f, row++, 0, f->columns - CLOCK_COLUMNS - 1, well ? LOOK_PLAIN : LOOK_BAD,
		    "cachewarden %s on %s: %s; pid %" PRId64 ", up %" PRId64 " d %02d:%02d:%02d",
		    text(s, "version"), text(s, "host"), well ? "well" : "not well",
		    number(s, "pid"), up / 86400, (int)(up / 3600 % 24), (int)(up / 60 % 60),
		    (int)(up % 60));
	return put_silence(w, f, row);
}

int watch_line_counts(const struct watch *w, struct picture *f, int row)
{
	const json_t *events = json_object_get(w->status, "events");
	double rate = watch_event_rate(w);
	char lately[32] = "";

	if (rate >= 0)
		snprintf(lately, sizeof(lately), ", %.1f/s", rate);
	picture_put(f, row++, 0, f->columns, LOOK_PLAIN,
		    "events %" PRId64 "%s: %" PRId64 " alert, %" PRId64 " prevented, %" PRId64
		    " allowed, %" PRId64 " observed",
		    number(events, "all"), lately, number(events, "alert"),
		    number(events, "prevented"), number(events, "allowed"),
		    number(events, "observed"));
	return row;
}

static int put_blind(const struct watch *w, struct picture *f, int row)
{
	const json_t *spots = json_object_get(w->status, "blind_spots"), *spot, *last = NULL;
	size_t i;

	json_array_foreach (spots, i, spot) {
		if (!last || number(spot, "last") > number(last, "last"))
			last = spot;
	}
	if (!last)
		return row;
	if (json_array_size(spots) > 1)
		picture_put(f, row++, 0, f->columns, LOOK_WARN,
			    "not seen: %zu kinds, the last: %s (%" PRId64 ")",
			    json_array_size(spots), text(last, "what"), number(last, "count"));
	else
		picture_put(f, row++, 0, f->columns, LOOK_WARN, "not seen: %s (%" PRId64 ")",
			    text(last, "what"), number(last, "count"));
	return row;
}

int watch_line_lost(const struct watch *w, struct picture *f, int row)
{
	const json_t *value;
	const char *name;
	int column = picture_put(f, row, 0, f->columns, LOOK_PLAIN, "lost ");
	bool any = false;

	json_object_foreach ((json_t *)json_object_get(w->status, "lost"), name, value) {
		if (!json_integer_value(value))
			continue;
		column = picture_put(f, row, column, f->columns, LOOK_WARN, "%s%s %" PRId64,
				     any ? ", " : "", name, (int64_t)json_integer_value(value));
		any = true;
	}
	if (!any)
		picture_put(f, row, column, f->columns, LOOK_PLAIN, "nothing");
	else if (watch_lost_lately(w) > 0)
		picture_put(f, row, column, f->columns, LOOK_BAD, "; %" PRId64 " in the last %d s",
			    watch_lost_lately(w), WATCH_RATE_S);
	return put_blind(w, f, row + 1);
}

struct sum {
	int64_t a, b;
};

static struct sum sum_of(const json_t *list, const char *a, const char *b)
{
	struct sum s = {};
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		s.a += number(one, a);
		s.b += number(one, b);
	}
	return s;
}

/* ", 3 waiting, 5 lost"; nothing of what is 0. */
static int put_backlog(int64_t waiting, int64_t lost, struct picture *f, int row, int column)
{
	if (waiting)
		column = picture_put(f, row, column, f->columns, LOOK_PLAIN,
				     ", %" PRId64 " waiting", waiting);
	if (lost)
		column = picture_put(f, row, column, f->columns, LOOK_BAD, ", %" PRId64 " lost",
				     lost);
	return column;
}

static int put_evidence(const json_t *s, int64_t now_ms, struct picture *f, int row)
{
	const json_t *e = json_object_get(s, "evidence"), *output = json_object_get(s, "output");
	struct sum out = sum_of(output, "waiting", "lost");
	int64_t age = (now_ms - number(e, "last_checkpoint")) / 1000;
	int column;

	if (!json_is_object(e))
		column = picture_put(f, row, 0, f->columns, LOOK_PLAIN, "evidence: none is kept");
	else if (text(e, "error")[0])
		column = picture_put(f, row, 0, f->columns, LOOK_BAD, "evidence: %s",
				     text(e, "error"));
	else
		column = picture_put(f, row, 0, f->columns, LOOK_PLAIN,
				     "evidence: %" PRId64 " entries, signed %" PRId64 " s ago",
				     number(e, "entries"), age > 0 ? age : 0);
	column = put_backlog(number(e, "waiting"), number(e, "lost"), f, row, column);
	column = picture_put(f, row, column, f->columns, LOOK_PLAIN, "; %zu output%s",
			     json_array_size(output), json_array_size(output) == 1 ? "" : "s");
	put_backlog(out.a, out.b, f, row, column);
	return row + 1;
}

int watch_line_work(const struct watch *w, int64_t now_ms, struct picture *f, int row)
{
	const json_t *s = w->status, *sweeps = json_object_get(s, "sweeps");
	struct sum programs = sum_of(json_object_get(s, "sensors"), "attached", "programs");
	int64_t age = (now_ms - number(sweeps, "last")) / 1000;
	int column =
		picture_put(f, row, 0, f->columns, programs.a < programs.b ? LOOK_BAD : LOOK_PLAIN,
			    "sensors: %" PRId64 " of %" PRId64 " programs", programs.a, programs.b);

	picture_put(f, row, column, f->columns, LOOK_PLAIN,
		    "; late by at most %" PRId64 " ms; swept %" PRId64 " s ago",
		    number(json_object_get(s, "lag"), "most_ms"), age > 0 ? age : 0);
	return put_evidence(s, now_ms, f, row + 1);
}

/* --- servers --- */

static const struct {
	const char *title;
	int width;
} columns[] = {
	{"PID", 9}, {"TLSv1.3", 8}, {"TLSv1.2", 8}, {"OLDER", 6}, {"OTHER", 6}, {"PLAIN", 7},
};

#define LISTED ((int)ARRAY_SIZE(columns))

/* Where the columns of numbers begin: behind the name. Ports get what is left at the end. */
static int name_width(const struct picture *f)
{
	int left = f->columns;

	for (int i = 0; i < LISTED; i++)
		left -= columns[i].width;
	return left > NAME_MAX_COLUMNS ? NAME_MAX_COLUMNS : left;
}

static int put_right(struct picture *f, int row, int column, int width, enum look look,
		     const char *value)
{
	int pad = width - (int)strlen(value);

	picture_put(f, row, column + (pad > 1 ? pad : 1), width - 1, look, "%s", value);
	return column + width;
}

/* Columns that a narrow terminal has room for, the last ones first: they are what matters most. */
static int first_column(const struct picture *f, int *ret_name)
{
	int i = 0;

	*ret_name = name_width(f);
	while (*ret_name < 18 && i < LISTED)
		*ret_name += columns[i++].width;
	return i;
}

void watch_line_servers(struct picture *f, int row)
{
	int name, i = first_column(f, &name), at = name;

	picture_put(f, row, 2, name - 2, LOOK_TITLE, "SERVERS");
	for (; i < LISTED; i++)
		at = put_right(f, row, at, columns[i].width, LOOK_TITLE, columns[i].title);
	if (f->columns >= at + PORTS_MIN)
		picture_put(f, row, at + 2, f->columns, LOOK_TITLE, "PORTS");
}

/* Connections whose version is not named in a column of its own: those before TLS 1.2, or those that are not known. */
static int64_t others(const json_t *conns, bool known)
{
	const json_t *value;
	const char *version;
	int64_t n = 0;

	json_object_foreach ((json_t *)conns, version, value) {
		bool own = !strcmp(version, "TLSv1.3") || !strcmp(version, "TLSv1.2");
		bool tls = !strncmp(version, "TLS", 3) || !strncmp(version, "SSL", 3);

		if (!own && tls == known)
			n += json_integer_value(value);
	}
	return n;
}

/* "1234", "12k", "3M" */
static void short_number(int64_t n, char *buf, size_t size)
{
	static const char units[] = " kMGTPE";
	int unit = 0;

	for (; n >= 10000 && units[unit + 1]; n /= 1000)
		unit++;
	snprintf(buf, size, "%" PRId64 "%.*s", n, unit ? 1 : 0, &units[unit]);
}

static void put_ports(const json_t *in, struct picture *f, int row, int at)
{
	const json_t *port;
	size_t i;

	json_array_foreach (json_object_get(in, "ports"), i, port) {
		bool tls = json_is_true(json_object_get(port, "tls"));
		bool plain = json_is_true(json_object_get(port, "plaintext"));

		at = picture_put(f, row, at, f->columns, plain ? LOOK_BAD : LOOK_PLAIN,
				 "%s%" PRId64 "%s", i ? " " : "", number(port, "port"),
				 tls && plain ? " TLS+plain"
				 : plain      ? " plain"
				 : tls	      ? " TLS"
					      : "");
	}
}

void watch_line_server(const json_t *in, struct picture *f, int row)
{
	const json_t *conns = json_object_get(in, "connections");
	const int64_t value[] = {
		number(in, "pid"),   number(conns, "TLSv1.3"), number(conns, "TLSv1.2"),
		others(conns, true), others(conns, false),     number(in, "plaintext_bytes"),
	};
	static const enum look looks[] = {
		LOOK_PLAIN, LOOK_PLAIN, LOOK_PLAIN, LOOK_WARN, LOOK_PLAIN, LOOK_BAD,
	};
	int name, i = first_column(f, &name), at = name;
	char buf[32];

	picture_put(f, row, 2, name - 2, LOOK_PLAIN, "%s", text(in, "name"));
	for (; i < LISTED; i++) {
		if (i)
			short_number(value[i], buf, sizeof(buf));
		else
			snprintf(buf, sizeof(buf), "%" PRId64, value[i]);
		at = put_right(f, row, at, columns[i].width, value[i] ? looks[i] : LOOK_PLAIN, buf);
	}
	if (f->columns >= at + PORTS_MIN)
		put_ports(in, f, row, at + 2);
}

/* --- incidents --- */

void watch_line_incidents(const struct watch *w, struct picture *f, int row)
{
	const json_t *in = json_object_get(w->status, "incidents");
	int column = picture_put(f, row, 2, f->columns, LOOK_TITLE,
				 "INCIDENTS %" PRId64 ", %" PRId64 " open", number(in, "all"),
				 number(in, "open"));

	if (text(in, "worst")[0])
		column = picture_put(f, row, column, f->columns, LOOK_TITLE, ", worst %s",
				     text(in, "worst"));
	if (w->older)
		picture_put(f, row, column, f->columns, LOOK_TITLE, "; %" PRId64 " no longer kept",
			    w->older);
}

static enum look look_of(const json_t *incident)
{
	enum severity s = SEVERITY_CRITICAL; /* what this version does not know */

	severity_parse(text(incident, "severity"), &s);
	return s >= SEVERITY_HIGH ? LOOK_BAD : s == SEVERITY_MEDIUM ? LOOK_WARN : LOOK_PLAIN;
}

/* "redis-server:6379 by gdb(4711): mem-read, mem-trace" */
static int put_who(const json_t *incident, struct picture *f, int row, int at)
{
	const json_t *in = json_object_get(incident, "instance"),
		     *actor = json_object_get(incident, "actor"), *rule;
	size_t i;

	at = picture_put(f, row, at, f->columns, LOOK_PLAIN, "%s",
			 json_is_object(in) ? text(in, "name") : "this host");
	if (json_is_object(actor))
		at = picture_put(f, row, at, f->columns, LOOK_PLAIN, " by %s(%" PRId64 ")",
				 text(actor, "comm"), number(actor, "pid"));
	json_array_foreach (json_object_get(incident, "rules"), i, rule)
		at = picture_put(f, row, at, f->columns, LOOK_PLAIN, "%s%s", i ? ", " : ": ",
				 json_string_value(rule) ?: "?");
	return at;
}

void watch_line_incident(const json_t *incident, struct picture *f, int row)
{
	enum look look = look_of(incident);
	char when[CLOCK_TEXT_LEN];
	int at;

	time_of_day(number(incident, "last"), when);
	picture_put(f, row, 2, CLOCK_COLUMNS, LOOK_PLAIN, "%s", when);
	picture_put(f, row, 11, 8, look, "%s", text(incident, "severity"));
	picture_put(f, row, 20, 6, LOOK_PLAIN, "%s",
		    json_is_true(json_object_get(incident, "open")) ? "open" : "closed");
	at = put_who(incident, f, row, 27);
	picture_put(f, row, at, f->columns, LOOK_PLAIN, " x%" PRId64 ": %s",
		    number(incident, "count"), text(incident, "title"));
}
