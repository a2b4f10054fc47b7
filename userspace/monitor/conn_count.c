// SPDX-License-Identifier: BSD-2-Clause
/* conn_count.c - see conn_count.h. The last row is for what finds no room in the others. */
#include "monitor/conn_count.h"

#include "model/tls_suite.h"
#include "tls/facts.h"

static struct conn_count *row_of(struct conn_count *rows, size_t *n, uint32_t instance,
				 uint16_t version)
{
	for (size_t i = *n; i-- > 0;) {
		if (rows[i].instance == instance && rows[i].version == version)
			return &rows[i];
	}
	if (*n == CONN_COUNTS_MAX)
		return &rows[*n - 1];
	if (*n == CONN_COUNTS_MAX - 1)
		instance = version = 0;
	rows[*n] = (struct conn_count){.instance = instance, .version = version};
	return &rows[(*n)++];
}

size_t conn_counts(const struct monitor *m, struct conn_count ret[CONN_COUNTS_MAX])
{
	struct conn_count *last = NULL;
	const struct conn *c;
	size_t n = 0;

	TAILQ_FOREACH(c, &m->conns.by_age, by_age)
	{
		uint16_t version = conn_negotiated(c) ? c->facts->version : 0;

		if (!tls_version_name(version))
			version = 0;
		if (!last || last->instance != c->instance || last->version != version)
			last = row_of(ret, &n, c->instance, version);
		last->count++;
	}
	return n;
}

const char *conn_count_version(const struct conn_count *c)
{
	return tls_version_name(c->version) ?: "unknown";
}
