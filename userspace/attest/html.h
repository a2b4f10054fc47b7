/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html.h - pages of one static file: no script, nothing from elsewhere, readable on paper. Every text goes through html_text(): what
 * an attacker named a process or a file stays text.
 */
#ifndef CACHEWARDEN_HTML_H
#define CACHEWARDEN_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

void html_begin(FILE *f, const char *title);
void html_end(FILE *f);

/* Escaped for text and quoted attributes. Control characters and those that reorder text are shown by number; invalid UTF-8 too. NULL: nothing. */
void html_text(FILE *f, const char *text);

/* Text of several lines, for <pre>; of each at most HTML_LINE_LEN bytes. */
#define HTML_LINE_LEN 1024
void html_lines(FILE *f, const char *text);

/* printf(), with the result escaped. */
__attribute__((format(printf, 2, 3))) void html_put(FILE *f, const char *fmt, ...);

#endif
