/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * curses.h - a terminal that shows pictures and tells keys, by ncurses. That is loaded only here, when it is needed: nothing else of the
 * program uses a terminal, and a monitor that runs for months maps no library that it does not need. (A program of its own would have
 * to be installed and found; base/libssl.h does the same for the same reason.)
 */
#ifndef CACHEWARDEN_CURSES_H
#define CACHEWARDEN_CURSES_H

#include "cmd/picture.h"
#include "cmd/watch.h"

/* Take over the terminal of standard input and output. Returns false and says why in *ret_why, static, if that cannot be. */
bool curses_open(const char **ret_why);

/* Give it back as it was. Harmless if it is not open. */
void curses_close(void);

void curses_size(int *rows, int *columns);
void curses_draw(const struct picture *f);

/* The next key that was pressed; KEY_OF_NONE: none, or the terminal has another size. */
enum watch_key curses_key(void);

#endif
