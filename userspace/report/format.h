/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format.h - the output formats. `run --output` and `conns --output` accept the names of formats[]; adding a format
 * takes its files and one row.
 */
#ifndef CACHEWARDEN_FORMAT_H
#define CACHEWARDEN_FORMAT_H

#include "report/buffer.h"
#include "report/conn_view.h"
#include "report/finding.h"
#include "report/heartbeat.h"
#include "report/incident_view.h"

/* Each writes one message into b; see buffer.h for what it returns. */
struct format_ops {
	const char *name; /* as --output spells it */
	const char *help;
	char letter; /* names the format in a request on the control socket; unique */
	const char *(*event)(const struct finding *f, struct report_buf *b, size_t *ret_len);
	const char *(*incident)(const struct incident_view *v, struct report_buf *b,
				size_t *ret_len);
	const char *(*conn)(const struct conn_view *v, struct report_buf *b, size_t *ret_len);
	const char *conn_header,
		*conn_none; /* printed before the first connection; instead of any; NULL: nothing */
	const char *(*heartbeat)(const struct heartbeat *h, struct report_buf *b, size_t *ret_len);
};

extern const struct format_ops formats[]; /* the first is the default */
extern const size_t format_count;

/* NULL if no format has that letter. */
const struct format_ops *format_by_letter(char letter);

/* For the command line: "text|json", and a line that says what each is. Static. */
const char *format_names(void);
const char *format_help(void);

#endif
