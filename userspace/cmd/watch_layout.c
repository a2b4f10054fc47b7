// SPDX-License-Identifier: BSD-2-Clause
/*
 * watch_layout.c - see watch_layout.h. From top to bottom: whose answers these are and how old, what is wrong, counts, what was not
 * seen, the servers, the incidents. The two lists share the rows that are left.
 */
#include "cmd/watch_layout.h"

#include "cmd/watch_lines.h"

#include <string.h>

#define HEAD_MAX 10   /* rows above the lists */
#define WRONG_MAX 3   /* lines of what is wrong; `status` has all */
#define LIST_HEADS 4  /* a blank and a title above each list */
#define FOOTER 1      /* keys */
#define SERVERS_MIN 3 /* rows that incidents leave them */

static const char *const help[] = {
	"q                  quit",
	"up, down, page up, page down, home, end",
	"                   move in the list whose title is marked with >",
	"Tab, left, right   the other list",
	"?                  this help; any key leaves it",
	"",
	"SERVERS    open connections by the TLS version that was negotiated. OLDER is",
	"           TLSv1.1 and before; OTHER is not negotiated, or was not seen.",
	"           PLAIN: bytes that should have been TLS and were not.",
	"INCIDENTS  the one that was reported last comes first: its last event,",
	"           severity, state, server, actor, rules, x and how many events.",
	"",
	"Red has to be looked at, yellow should be. NO_COLOR=1 turns colours off.",
	"A text that ends with ~ found no room. `cachewarden status` and",
	"`cachewarden incidents` have all of it.",
};

static void draw_help(struct picture *f)
{
	picture_put(f, 0, 0, f->columns, LOOK_TITLE, "cachewarden watch");
	for (int i = 0; i < (int)(sizeof(help) / sizeof(help[0])); i++)
		picture_put(f, i + 2, 0, f->columns, LOOK_PLAIN, "%s", help[i]);
}

static int draw_wrong(const struct watch *w, struct picture *f, int row)
{
	const json_t *wrong = json_object_get(w->status, "wrong"), *line;
	size_t shown = f->rows < 20 ? 1 : WRONG_MAX, i;
	size_t more = json_array_size(wrong);

	json_array_foreach (wrong, i, line) {
		if (i == shown)
			break;
		picture_put(f, row++, 0, f->columns, LOOK_BAD, "! %s",
			    json_string_value(line) ?: "");
		more--;
	}
	more += (size_t)json_integer_value(json_object_get(w->status, "wrong_not_listed"));
	if (more)
		picture_put(f, row++, 0, f->columns, LOOK_BAD, "! and %zu more: cachewarden status",
			    more);
	return row;
}

/* Everything above the lists. Returns the row behind it. */
static int draw_head(const struct watch *w, int64_t now_ms, struct picture *f)
{
	int row = watch_line_head(w, now_ms, f, 0);

	if (!w->status)
		return row;
	row = draw_wrong(w, f, row);
	row = watch_line_counts(w, f, row);
	row = watch_line_lost(w, f, row);
	return watch_line_work(w, now_ms, f, row);
}

/* How many of a list are shown: what fits, where the reader is in it. */
static void set_page(struct watch *w, enum watch_pane pane, size_t count, int rows)
{
	size_t size = rows > 0 ? (size_t)rows : 0, last = count > size ? count - size : 0;

	w->count[pane] = count;
	w->size[pane] = size;
	if (w->top[pane] > last)
		w->top[pane] = last;
}

static void draw_title(const struct watch *w, enum watch_pane pane, bool once, struct picture *f,
		       int row)
{
	size_t first = w->top[pane], behind;

	if (pane == PANE_SERVERS)
		watch_line_servers(f, row);
	else
		watch_line_incidents(w, f, row);
	if (!once)
		picture_put(f, row, 0, 1, LOOK_TITLE, "%s", w->pane == pane ? ">" : " ");
	behind =
		w->count[pane] > first + w->size[pane] ? w->count[pane] - first - w->size[pane] : 0;
	if (pane == PANE_INCIDENTS && (first || behind))
		picture_put(f, row, f->columns - 28, 28, LOOK_TITLE, " %zu above, %zu below", first,
			    behind);
}

static void draw_list(const struct watch *w, enum watch_pane pane, const json_t *list,
		      struct picture *f, int row)
{
	size_t end = w->top[pane] + w->size[pane];

	for (size_t i = w->top[pane]; i < end && i < w->count[pane]; i++, row++) {
		const json_t *one = json_array_get(list, i);

		if (pane == PANE_SERVERS)
			watch_line_server(one, f, row);
		else
			watch_line_incident(one, f, row);
	}
}

/* Those that --instance asks for, in an array to be freed. */
static json_t *servers_of(const struct watch *w)
{
	const json_t *all = json_object_get(w->status, "instances"), *in;
	json_t *some = json_array();
	size_t i;

	json_array_foreach (all, i, in) {
		const char *name = json_string_value(json_object_get(in, "name"));

		if (!w->filter.instance || (name && !strcmp(name, w->filter.instance)))
			json_array_append(some, (json_t *)in);
	}
	return some;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* Rows for servers: all of them, but half of what there is once incidents need the rest. An empty list takes one that says so. */
static int rows_for_servers(int servers, int incidents, int room)
{
	int half = room / 2 > SERVERS_MIN ? room / 2 : SERVERS_MIN, rest = room - incidents;

	return least(least(servers, half > rest ? half : rest), room);
}

static void draw_lists(struct watch *w, bool once, struct picture *f, int row)
{
	json_t *servers = servers_of(w);
	int n_servers = (int)json_array_size(servers),
	    n_incidents = (int)json_array_size(w->incidents);
	int room = f->rows - row - LIST_HEADS - (once ? 0 : FOOTER);
	int rows = rows_for_servers(n_servers ?: 1, n_incidents ?: 1, room > 1 ? room : 2);

	set_page(w, PANE_SERVERS, (size_t)n_servers, rows);
	set_page(w, PANE_INCIDENTS, (size_t)n_incidents, room - rows);
	draw_title(w, PANE_SERVERS, once, f, row + 1);
	draw_list(w, PANE_SERVERS, servers, f, row + 2);
	if (!n_servers)
		picture_put(f, row + 2, 2, f->columns, LOOK_PLAIN, "%s",
			    w->filter.instance ? "no such server is running"
					       : "no server is running");
	else if (n_servers > rows)
		picture_put(f, row + 1, 10, 16, LOOK_TITLE, "%zu-%zu of %d ",
			    w->top[PANE_SERVERS] + 1, w->top[PANE_SERVERS] + (size_t)rows,
			    n_servers);
	row += 2 + rows;
	draw_title(w, PANE_INCIDENTS, once, f, row + 1);
	draw_list(w, PANE_INCIDENTS, w->incidents, f, row + 2);
	if (!n_incidents)
		picture_put(f, row + 2, 2, f->columns, LOOK_PLAIN, "none%s",
			    w->status ? "" : " is known");
	json_decref(servers);
}

void watch_layout(struct watch *w, int64_t now_ms, bool once, struct picture *f)
{
	int row;

	if (f->rows < WATCH_ROWS_MIN || f->columns < WATCH_COLUMNS_MIN) {
		picture_put(f, 0, 0, f->columns, LOOK_BAD, "needs %dx%d", WATCH_COLUMNS_MIN,
			    WATCH_ROWS_MIN);
		return;
	}
	if (w->help && !once) {
		draw_help(f);
		return;
	}
	row = draw_head(w, now_ms, f);
	draw_lists(w, once, f, row);
	if (!once)
		picture_put(f, f->rows - 1, 0, f->columns, LOOK_TITLE,
			    "q quit  arrows scroll  Tab other list  ? help");
}

int watch_layout_rows(const struct watch *w)
{
	size_t lists = json_array_size(w->incidents) +
		       json_array_size(json_object_get(w->status, "instances"));

	return HEAD_MAX + LIST_HEADS + 2 + (int)lists;
}
