/* SPDX-License-Identifier: BSD-2-Clause */
/* textw.h - builds text for a terminal in a fixed buffer. Text that does not fit is cut after a whole word, and marked. */
#ifndef CACHEWARDEN_TEXTW_H
#define CACHEWARDEN_TEXTW_H

#include <stdbool.h>
#include <stddef.h>

#define TEXTW_CUT "..."

struct textw {
	char *buf;
	size_t size, len; /* of buf; bytes written, without the final NUL */
	bool colour;
	bool full; /* it was cut */
};

__attribute__((format(printf, 2, 3))) void textw_put(struct textw *t, const char *fmt, ...);

/* An untrusted name: control characters, backslashes and non-ASCII bytes become \xNN. */
void textw_name(struct textw *t, const char *name);

/* Select graphic rendition, "31" for red, "0" to reset; nothing unless t->colour is set. */
void textw_colour(struct textw *t, const char *code);

#endif
