/* SPDX-License-Identifier: BSD-2-Clause */
/* textw.h - text for a terminal, written piece by piece into a buffer; what does not fit is cut. */
#ifndef CACHEWARDEN_TEXTW_H
#define CACHEWARDEN_TEXTW_H

#include <stdbool.h>
#include <stddef.h>

struct textw {
	char *buf;
	size_t size, len;
	bool colour;
};

__attribute__((format(printf, 2, 3))) void textw_put(struct textw *t, const char *fmt, ...);

/* A name from outside: control characters and bytes of no ASCII are shown, not obeyed. */
void textw_name(struct textw *t, const char *name);

/* An escape code ("31", "0" ends it), where the terminal has colours. */
void textw_colour(struct textw *t, const char *code);

#endif
