/* SPDX-License-Identifier: BSD-2-Clause */
/* write.h - a verdict as text, JSON, JUnit XML, SARIF or HTML. A format is one row of the table. */
#ifndef CACHEWARDEN_WRITE_H
#define CACHEWARDEN_WRITE_H

#include "validate/verdict.h"

#include <stdio.h>

struct write_format {
	const char *name;
	void (*write)(const struct verdict_report *r, FILE *out);
};

extern const struct write_format write_formats[];
extern const size_t write_format_count;

void write_text(const struct verdict_report *r, FILE *out);
void write_json(const struct verdict_report *r, FILE *out);
void write_junit(const struct verdict_report *r, FILE *out);
void write_sarif(const struct verdict_report *r, FILE *out);
void write_html(const struct verdict_report *r, FILE *out);

/* Text for XML and HTML: no markup, no control characters. */
void write_escaped(FILE *out, const char *text);

#endif
