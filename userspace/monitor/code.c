// SPDX-License-Identifier: BSD-2-Clause
/* code.c - see code.h. */
#include "monitor/code.h"

#include "base/digest.h"
#include "base/file_stat.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPARE_BYTES (4 << 20) /* read per call: about 10 ms of hashing */
#define CHANGED_BYTES                                                                              \
	(64 << 20) /* of files that others than root may touch, as often as they like */

struct code {
	struct code *next;
	int fd;
	unsigned int users;
	uint32_t changes;
	struct stat st;
	char digest[DIGEST_LEN]; /* empty: too large to be read */
};

struct code *code_hold(struct codes *cs, const char *where)
{
	int fd = open(where, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct code *c;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		goto fail;
	for (c = cs->first; c; c = c->next) {
		if (file_stat_same(&c->st, &st)) {
			c->users++;
			close(fd);
			return c;
		}
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		goto fail;
	*c = (struct code){.next = cs->first, .fd = fd, .users = 1, .st = st};
	digest_fd(fd, c->digest);
	cs->first = c;
	return c;
fail:
	close(fd);
	return NULL;
}

void code_release(struct codes *cs, struct code *c)
{
	struct code **at = &cs->first;

	if (!c || --c->users)
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (cs->next == c)
		cs->next = c->next;
	close(c->fd);
	free(c);
}

/* Times change for other reasons too: a second link, another owner. */
static void compare(struct code *c, const struct stat *st)
{
	char digest[DIGEST_LEN];
	bool changed = st->st_size != c->st.st_size;

	if (digest_fd(c->fd, digest)) /* too large, or being written: compare its time instead */
		changed = changed || memcmp(&st->st_mtim, &c->st.st_mtim, sizeof(st->st_mtim)) != 0;
	else if (strcmp(digest, c->digest) != 0)
		changed = changed || c->digest[0];
	memcpy(c->digest, digest, sizeof(digest));
	c->st = *st;
	c->changes += changed;
}

void codes_compare(struct codes *cs)
{
	struct stat st;
	off_t left = COMPARE_BYTES, others = CHANGED_BYTES;

	for (struct code *c = cs->first; c; c = c->next) {
		if (fstat(c->fd, &st) || file_stat_unchanged(&c->st, &st))
			continue;
		if (st.st_uid) {
			if (others <= 0)
				continue; /* it is still another one next time */
			others -= st.st_size;
		}
		compare(c, &st);
	}
	if (!cs->next)
		cs->next = cs->first;
	for (; cs->next && left > 0; cs->next = cs->next->next) {
		left -= cs->next->st.st_size;
		compare(cs->next, &cs->next->st);
	}
}

uint32_t code_changes(const struct code *c)
{
	return c->changes;
}

bool code_replaced(const struct code *c, const char *where)
{
	struct stat st;

	return stat(where, &st) || !file_stat_same(&c->st, &st);
}
