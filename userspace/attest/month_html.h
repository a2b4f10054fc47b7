/* SPDX-License-Identifier: BSD-2-Clause */
/* month_html.h - the statement of a month as a page for an auditor, with no claim beyond what was measured. */
#ifndef CACHEWARDEN_MONTH_HTML_H
#define CACHEWARDEN_MONTH_HTML_H

#include "attest/account.h"

#include <stdio.h>

/* predicate: of the statement. Returns 0 or a negative errno. */
int month_html(FILE *f, const struct account *a, json_t *predicate);

#endif
