// SPDX-License-Identifier: BSD-2-Clause
/* status_text.c - see status_text.h. Names are chosen by others: what is not printable is escaped. */
#include "cmd/status_text.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define INDENT 13
#define DIGEST_DIGITS 12 /* shown; the JSON has all */

/* A paragraph: words, broken into lines. */
struct para {
	FILE *to;
	size_t indent, column;
	bool blank; /* a blank is due before the next word */
};

static void newline(struct para *p)
{
	fprintf(p->to, "\n%*s", (int)p->indent, "");
	p->column = p->indent;
	p->blank = false;
}

static size_t shown_width(unsigned char c)
{
	return c < 0x20 || c >= 0x7f ? 4 : 1;
}

static size_t word_width(const char *word)
{
	size_t width = 0;

	for (; *word && *word != ' '; word++)
		width += shown_width((unsigned char)*word);
	return width;
}

static void put_char(struct para *p, unsigned char c)
{
	if (p->column + shown_width(c) > STATUS_COLUMNS)
		newline(p);
	if (shown_width(c) == 1)
		fputc(c, p->to);
	else
		fprintf(p->to, "\\x%02x", c);
	p->column += shown_width(c);
}

/*
 * The words of a text. It continues the last word unless it, or what came before, has a blank there: a comma always finds room
 * behind a word.
 */
__attribute__((format(printf, 2, 3))) static void put(struct para *p, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (const char *s = text; *s;) {
		if (*s == ' ') {
			p->blank = true;
			s++;
			continue;
		}
		if (p->blank && p->column + 1 + word_width(s) > STATUS_COLUMNS - 1)
			newline(p);
		else if (p->blank)
			put_char(p, ' ');
		p->blank = false;
		while (*s && *s != ' ')
			put_char(p, (unsigned char)*s++);
	}
}

/* name: at the left edge. */
static struct para begin(FILE *to, const char *name, size_t indent)
{
	struct para p = {.to = to, .indent = indent};

	put(&p, "%s", name);
	if (p.column >= indent)
		newline(&p);
	else
		fprintf(to, "%*s", (int)(indent - p.column), "");
	p.column = indent;
	return p;
}

static void end(struct para *p)
{
	fputc('\n', p->to);
}

/* --- members --- */

static int64_t number(const json_t *in, const char *key)
{
	return json_integer_value(json_object_get(in, key));
}

static const char *text(const json_t *in, const char *key)
{
	return json_string_value(json_object_get(in, key)) ?: "";
}

static int64_t age_s(const json_t *in, const char *key)
{
	int64_t s = (clock_epoch_ms(clock_boot_ns()) - number(in, key)) / 1000;

	return s > 0 ? s : 0;
}

/* --- paragraphs --- */

static void print_health(const json_t *s, FILE *to)
{
	const json_t *wrong = json_object_get(s, "wrong"), *line;
	bool well = json_is_true(json_object_get(s, "well"));
	int64_t open = number(json_object_get(s, "incidents"), "open");
	struct para p = {.to = to, .indent = INDENT};
	size_t i;

	put(&p, "cachewarden %s on %s: %s", text(s, "version"), text(s, "host"),
	    well ? "the monitor is well" : "something is wrong with the monitor");
	if (open)
		put(&p, ", %" PRId64 " incident%s open", open, open == 1 ? " is" : "s are");
	end(&p);
	json_array_foreach (wrong, i, line) {
		p = begin(to, "!", 2);
		put(&p, "%s", json_string_value(line) ?: "");
		end(&p);
	}
	if (number(s, "wrong_not_listed")) {
		p = begin(to, "!", 2);
		put(&p, "and %" PRId64 " more", number(s, "wrong_not_listed"));
		end(&p);
	}
}

static void print_monitor(const json_t *s, FILE *to)
{
	struct para p = begin(to, "monitor", INDENT);
	int64_t up = number(s, "uptime_s");

	put(&p, "pid %" PRId64 ", up %" PRId64 " d %02d:%02d:%02d, ", number(s, "pid"), up / 86400,
	    (int)(up / 3600 % 24), (int)(up / 60 % 60), (int)(up % 60));
	if (number(s, "guard_pid"))
		put(&p, "guard pid %" PRId64 ", ", number(s, "guard_pid"));
	else
		put(&p, "no guard, ");
	put(&p, "kernel %s", text(s, "kernel"));
	end(&p);
}

static void print_sensors(const json_t *s, FILE *to)
{
	struct para p = begin(to, "sensors", INDENT);
	const json_t *sensor;
	size_t i;

	json_array_foreach (json_object_get(s, "sensors"), i, sensor)
		put(&p, "%s%s (%s) %" PRId64 "/%" PRId64, i ? ", " : "", text(sensor, "sensor"),
		    text(sensor, "tier"), number(sensor, "attached"), number(sensor, "programs"));
	end(&p);
}

static void print_policy(const json_t *s, FILE *to)
{
	const json_t *files = json_object_get(s, "policy"), *file;
	struct para p = begin(to, "policy", INDENT);
	size_t i;

	if (!json_array_size(files))
		put(&p, "built-in");
	json_array_foreach (files, i, file)
		put(&p, "%s%s, sha256 %.*s", i ? "; " : "", text(file, "file"), DIGEST_DIGITS,
		    text(file, "sha256"));
	end(&p);
}

static void print_totals(const json_t *s, FILE *to)
{
	const json_t *events = json_object_get(s, "events"),
		     *incidents = json_object_get(s, "incidents");
	struct para p = begin(to, "events", INDENT);

	put(&p,
	    "%" PRId64 ": %" PRId64 " alert, %" PRId64 " prevented, %" PRId64 " allowed, %" PRId64
	    " observed",
	    number(events, "all"), number(events, "alert"), number(events, "prevented"),
	    number(events, "allowed"), number(events, "observed"));
	end(&p);
	p = begin(to, "incidents", INDENT);
	put(&p, "%" PRId64 ", %" PRId64 " open", number(incidents, "all"),
	    number(incidents, "open"));
	if (text(incidents, "worst")[0])
		put(&p, ", worst %s", text(incidents, "worst"));
	end(&p);
}

static void print_lost(const json_t *s, FILE *to)
{
	const json_t *spots = json_object_get(s, "blind_spots"), *spot, *value;
	struct para p = begin(to, "lost", INDENT);
	const char *name;
	bool any = false;
	size_t i;

	json_object_foreach ((json_t *)json_object_get(s, "lost"), name, value) {
		if (!json_integer_value(value))
			continue;
		put(&p, "%s%s %" PRId64, any ? ", " : "", name, (int64_t)json_integer_value(value));
		any = true;
	}
	if (!any)
		put(&p, "nothing");
	end(&p);
	if (!json_array_size(spots))
		return;
	p = begin(to, "not seen", INDENT);
	json_array_foreach (spots, i, spot)
		put(&p, "%s%s (%" PRId64 ")", i ? "; " : "", text(spot, "what"),
		    number(spot, "count"));
	end(&p);
}

static void print_work(const json_t *s, FILE *to)
{
	const json_t *lag = json_object_get(s, "lag"), *sweeps = json_object_get(s, "sweeps");
	struct para p = begin(to, "lag", INDENT);

	put(&p, "at most %" PRId64 " ms, more than a second %" PRId64 " times",
	    number(lag, "most_ms"), number(lag, "late"));
	end(&p);
	p = begin(to, "sweeps", INDENT);
	put(&p,
	    "%" PRId64 ", the last %" PRId64 " s ago, %" PRId64 " failed, longest %" PRId64 " ms",
	    number(sweeps, "all"), age_s(sweeps, "last"), number(sweeps, "failed"),
	    number(sweeps, "longest_ms"));
	end(&p);
}

static void print_output(const json_t *s, FILE *to)
{
	const json_t *sink;
	struct para p;
	size_t i;

	json_array_foreach (json_object_get(s, "output"), i, sink) {
		p = begin(to, "output", INDENT);
		put(&p, "%s: %" PRId64 " waiting, %" PRId64 " lost", text(sink, "to"),
		    number(sink, "waiting"), number(sink, "lost"));
		if (text(sink, "error")[0])
			put(&p, ", %s", text(sink, "error"));
		end(&p);
	}
}

static void put_witness(struct para *p, const json_t *w)
{
	if (!json_is_object(w))
		return;
	if (json_is_integer(json_object_get(w, "last_cosigned")))
		put(p, "; %" PRId64 " cosigned %" PRId64 " s ago by %s", number(w, "entries"),
		    age_s(w, "last_cosigned"), text(w, "url"));
	else
		put(p, "; not cosigned in this run by %s", text(w, "url"));
	if (text(w, "error")[0])
		put(p, ": %s", text(w, "error"));
}

static void print_evidence(const json_t *s, FILE *to)
{
	const json_t *e = json_object_get(s, "evidence"), *h = json_object_get(s, "heartbeat");
	struct para p = begin(to, "evidence", INDENT);

	if (!json_is_object(e))
		put(&p, "none is kept");
	else if (text(e, "error")[0])
		put(&p, "none is kept in %s: %s", text(e, "directory"), text(e, "error"));
	else
		put(&p,
		    "%s: %" PRId64 " entries, signed %" PRId64 " s ago, %" PRId64
		    " waiting, %" PRId64 " lost",
		    text(e, "directory"), number(e, "entries"), age_s(e, "last_checkpoint"),
		    number(e, "waiting"), number(e, "lost"));
	put_witness(&p, json_object_get(e, "witness"));
	end(&p);
	p = begin(to, "heartbeat", INDENT);
	if (json_is_object(h))
		put(&p, "every %" PRId64 " s, %" PRId64 " sent", number(h, "every_s"),
		    number(h, "sent"));
	else
		put(&p, "none");
	end(&p);
}

/* --- servers --- */

static void put_ports(struct para *p, const json_t *in)
{
	const json_t *ports = json_object_get(in, "ports"), *port;
	size_t i;

	put(p, json_array_size(ports) ? "port" : "no TCP port");
	json_array_foreach (ports, i, port) {
		bool tls = json_is_true(json_object_get(port, "tls"));
		bool plain = json_is_true(json_object_get(port, "plaintext"));

		put(p, "%s %" PRId64 "%s", i ? "," : "", number(port, "port"),
		    tls && plain ? " TLS and plaintext"
		    : tls	 ? " TLS"
		    : plain	 ? " plaintext"
				 : " not used yet");
	}
}

static void put_connections(struct para *p, const json_t *in)
{
	const json_t *value;
	const char *version;
	bool any = false;

	json_object_foreach ((json_t *)json_object_get(in, "connections"), version, value) {
		put(p, "%s%" PRId64 " %s",
		    any ? ", " : "; connections: ", (int64_t)json_integer_value(value), version);
		any = true;
	}
}

/* Kinds that are known, or that are not. */
static void put_kinds(struct para *p, const json_t *in, bool known, const char *title)
{
	const json_t *value;
	const char *kind;
	bool any = false;

	json_object_foreach ((json_t *)json_object_get(in, "files_known"), kind, value) {
		if (json_is_true(value) != known)
			continue;
		put(p, "%s%s", any ? ", " : title, kind);
		any = true;
	}
}

static void print_instance(const json_t *in, FILE *to)
{
	char time[CLOCK_TEXT_LEN];
	struct para p = begin(to, text(in, "name"), INDENT);

	clock_text(number(in, "since"), time, sizeof(time));
	put(&p, "pid %" PRId64 ", user %" PRId64 ", %s", number(in, "pid"), number(in, "user"),
	    text(in, "exe"));
	newline(&p);
	put(&p, "%s %s",
	    json_is_true(json_object_get(in, "found_running")) ? "found at" : "started at", time);
	newline(&p);
	put_ports(&p, in);
	put_connections(&p, in);
	newline(&p);
	put(&p, "%" PRId64 " file%s protected", number(in, "files_protected"),
	    number(in, "files_protected") == 1 ? "" : "s");
	put_kinds(&p, in, true, "; known: ");
	put_kinds(&p, in, false, "; none known as: ");
	end(&p);
}

void status_text(const json_t *s, FILE *to)
{
	const json_t *instances = json_object_get(s, "instances"), *in;
	size_t i;

	print_health(s, to);
	fputc('\n', to);
	print_monitor(s, to);
	print_sensors(s, to);
	print_policy(s, to);
	print_totals(s, to);
	print_lost(s, to);
	print_work(s, to);
	print_output(s, to);
	print_evidence(s, to);
	fprintf(to, "\n%zu server%s\n", json_array_size(instances),
		json_array_size(instances) == 1 ? "" : "s");
	json_array_foreach (instances, i, in)
		print_instance(in, to);
}
