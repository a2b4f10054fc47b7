/* SPDX-License-Identifier: BSD-2-Clause */
/* report_html.h - a page about an incident, or about everything in a log, for people: on a screen, a phone or paper. */
#ifndef CACHEWARDEN_REPORT_HTML_H
#define CACHEWARDEN_REPORT_HTML_H

#include "attest/casefile.h"

#include <stdio.h>

/* Returns 0 or a negative errno. */
int report_html(FILE *f, const struct casefile *c);

#endif
