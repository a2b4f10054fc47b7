/* SPDX-License-Identifier: BSD-2-Clause */
/* page.h - the sections that pages share, each from the predicate of a statement. */
#ifndef CACHEWARDEN_PAGE_H
#define CACHEWARDEN_PAGE_H

#include <jansson.h>
#include <stdio.h>

/* Members of JSON, by path; 0 or an empty text if there is none. */
int64_t page_int(json_t *v, const char *a, const char *b);
const char *page_text(json_t *v, const char *key);

/* All integers below an object whose key is that one, NULL: any key. */
int64_t page_sum(json_t *v, const char *key);

/* What keeps a page from saying that all is fine, the first of it; NULL: nothing. */
const char *page_doubt(json_t *p);
void page_verdict(FILE *f, json_t *p);
void page_coverage(FILE *f, json_t *p);
void page_servers(FILE *f, json_t *p);
void page_incidents(FILE *f, json_t *p);
void page_losses(FILE *f, json_t *p);
void page_unseen(FILE *f, json_t *p);
void page_facts(FILE *f, json_t *p);

/* "2026-11-30 10:00:00" UTC; milliseconds only if there are any */
void page_time(FILE *f, int64_t ms);

#endif
