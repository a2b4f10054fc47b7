// SPDX-License-Identifier: BSD-2-Clause
/* curses.c - see curses.h. */
#include "cmd/curses.h"

#include "base/macros.h"

#include <dlfcn.h>
#define NCURSES_NOMACROS 1 /* functions alone can be looked up */
#include <curses.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define LIBRARY "libncursesw.so.6"
#define KEY_ESCAPE_MS 25 /* how long an escape character may be the beginning of a key's sequence */

#define CURSES_FUNCTIONS(X)                                                                        \
	X(cbreak)                                                                                  \
	X(curs_set)                                                                                \
	X(delscreen)                                                                               \
	X(endwin)                                                                                  \
	X(getmaxx)                                                                                 \
	X(getmaxy)                                                                                 \
	X(has_colors)                                                                              \
	X(init_pair)                                                                               \
	X(keypad)                                                                                  \
	X(newterm)                                                                                 \
	X(nodelay)                                                                                 \
	X(noecho)                                                                                  \
	X(set_escdelay)                                                                            \
	X(start_color)                                                                             \
	X(tigetstr)                                                                                \
	X(use_default_colors)                                                                      \
	X(waddnstr)                                                                                \
	X(wattrset)                                                                                \
	X(werase)                                                                                  \
	X(wgetch)                                                                                  \
	X(wmove)                                                                                   \
	X(wrefresh)

static struct {
#define X(name) typeof(name) *name;
	CURSES_FUNCTIONS(X)
#undef X
	WINDOW *window; /* all of the screen */
	SCREEN *screen; /* NULL: not open */
	bool colours;
} nc;

static bool load(void)
{
	void *lib = dlopen(LIBRARY, RTLD_NOW);
	WINDOW **window = lib ? dlsym(lib, "stdscr") : NULL;
	bool complete = window;

#define X(name)                                                                                    \
	nc.name = lib ? dlsym(lib, #name) : NULL;                                                  \
	complete = complete && nc.name;
	CURSES_FUNCTIONS(X)
#undef X
	return complete;
}

/* Red and yellow alone mean something. https://no-color.org: set and not empty. */
static void set_colours(void)
{
	const char *none = getenv("NO_COLOR");

	nc.colours = !(none && none[0]) && nc.has_colors();
	if (!nc.colours)
		return;
	nc.start_color();
	nc.use_default_colors();
	nc.init_pair(LOOK_WARN, COLOR_YELLOW, -1);
	nc.init_pair(LOOK_BAD, COLOR_RED, -1);
}

/* A terminal that can put text anywhere. */
static bool can_move(void)
{
	const char *cup = nc.tigetstr("cup");

	return cup && (intptr_t)cup != -1;
}

bool curses_open(const char **ret_why)
{
	static const char no_terminal[] =
		"the live view needs a terminal that can move its cursor (TERM); use --once";
	void *lib;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		*ret_why = "standard input and output are not a terminal; use --once";
		return false;
	}
	if (!load()) {
		*ret_why = "the live view needs " LIBRARY " (Debian: libncursesw6); use --once";
		return false;
	}
	nc.screen = nc.newterm(NULL, stdout, stdin);
	if (!nc.screen || !can_move()) {
		curses_close();
		*ret_why = no_terminal;
		return false;
	}
	lib = dlopen(LIBRARY, RTLD_NOW); /* newterm() has set it */
	nc.window = *(WINDOW **)dlsym(lib, "stdscr");
	dlclose(lib);
	nc.cbreak();
	nc.noecho();
	nc.set_escdelay(KEY_ESCAPE_MS);
	nc.keypad(nc.window, TRUE);
	nc.nodelay(nc.window, TRUE);
	nc.curs_set(0);
	set_colours();
	return true;
}

void curses_close(void)
{
	if (!nc.screen)
		return;
	nc.endwin();
	nc.delscreen(nc.screen);
	nc.screen = NULL;
}

void curses_size(int *rows, int *columns)
{
	*rows = nc.getmaxy(nc.window);
	*columns = nc.getmaxx(nc.window);
}

/* Without colours, what is bad stands out by being bold. */
static int attribute(enum look look)
{
	switch (look) {
	case LOOK_TITLE:
		return (int)A_BOLD;
	case LOOK_WARN:
	case LOOK_BAD:
		return (int)(nc.colours ? NCURSES_BITS(look, 0) | (look == LOOK_BAD ? A_BOLD : 0)
					: A_BOLD);
	default:
		return (int)A_NORMAL;
	}
}

/* Cells that look the same are written at once. */
static void draw_row(const struct picture *f, int row)
{
	const size_t at = (size_t)row * (size_t)f->columns;
	int end;

	for (int column = 0; column < f->columns; column = end) {
		unsigned char look = f->look[at + (size_t)column];

		for (end = column; end < f->columns && f->look[at + (size_t)end] == look; end++)
			;
		nc.wmove(nc.window, row, column);
		nc.wattrset(nc.window, attribute(look));
		nc.waddnstr(nc.window, f->cell + at + (size_t)column, end - column);
	}
}

void curses_draw(const struct picture *f)
{
	nc.werase(nc.window);
	for (int row = 0; row < f->rows; row++)
		draw_row(f, row);
	nc.wattrset(nc.window, (int)A_NORMAL);
	nc.wrefresh(nc.window);
}

enum watch_key curses_key(void)
{
	static const struct {
		int code;
		enum watch_key key;
	} keys[] = {
		{'q', KEY_OF_QUIT},	     {'Q', KEY_OF_QUIT},
		{'?', KEY_OF_HELP},	     {'h', KEY_OF_HELP},
		{KEY_UP, KEY_OF_UP},	     {'k', KEY_OF_UP},
		{KEY_DOWN, KEY_OF_DOWN},     {'j', KEY_OF_DOWN},
		{KEY_PPAGE, KEY_OF_PAGE_UP}, {KEY_NPAGE, KEY_OF_PAGE_DOWN},
		{' ', KEY_OF_PAGE_DOWN},     {KEY_HOME, KEY_OF_TOP},
		{KEY_END, KEY_OF_END},	     {'\t', KEY_OF_PANE},
		{KEY_LEFT, KEY_OF_PANE},     {KEY_RIGHT, KEY_OF_PANE},
	};
	int code = nc.wgetch(nc.window);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].code == code)
			return keys[i].key;
	}
	return code == ERR || code == KEY_RESIZE ? KEY_OF_NONE : KEY_OF_OTHER;
}
