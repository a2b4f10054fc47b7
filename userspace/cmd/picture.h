/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * picture.h - a picture for a terminal: rows of printable ASCII, each cell with a look. What others chose (names, arguments) cannot put
 * anything else there: it is escaped on its way in. Pure.
 */
#ifndef CACHEWARDEN_PICTURE_H
#define CACHEWARDEN_PICTURE_H

#include <stdbool.h>

#define PICTURE_CUT '~' /* in the last cell of a text that found no room */

enum look {
	LOOK_PLAIN,
	LOOK_TITLE, /* what a column or a list is */
	LOOK_WARN,
	LOOK_BAD,
	LOOK_MAX,
};

struct picture {
	int rows, columns;
	char *cell;	     /* rows * columns, blank where nothing is */
	unsigned char *look; /* enum look of each */
};

/* Blank, of that size. False: out of memory, or no size. */
bool picture_init(struct picture *f, int rows, int columns);
void picture_free(struct picture *f);

/*
 * Write into a row, from a column on and at most width cells; what is not in the picture is dropped. Returns the column behind the
 * text.
 */
__attribute__((format(printf, 6, 7))) int picture_put(struct picture *f, int row, int column,
						      int width, enum look look, const char *fmt,
						      ...);

/* A row's text without the blanks at its end. Returns its length; it is not terminated. */
int picture_text(const struct picture *f, int row, const char **ret);

#endif
