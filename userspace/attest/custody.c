// SPDX-License-Identifier: BSD-2-Clause
/* custody.c - see custody.h. */
#include "attest/custody.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/host.h"
#include "base/macros.h"
#include "base/procdir.h"
#include "evidence/entry.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- who made it --- */

static json_t *program(void)
{
	char sha256[DIGEST_LEN] = "", path[4096];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		digest_fd(fd, sha256);
		close(fd);
	}
	procdir_link(AT_FDCWD, "/proc/self/exe", path, sizeof(path));
	return json_pack("{s:s,s:s,s:s,s:s}", "name", "cachewarden", "version", CACHEWARDEN_VERSION,
			 "sha256", sha256, "path", path);
}

/* The login that audit recorded, if there was one: sudo does not change it. */
static json_t *person(void)
{
	json_t *v =
		json_pack("{s:I,s:I}", "uid", (json_int_t)getuid(), "euid", (json_int_t)geteuid());
	char text[32];

	if (procdir_read(AT_FDCWD, "/proc/self/loginuid", text, sizeof(text)) > 0 &&
	    strtoul(text, NULL, 10) != UINT32_MAX)
		json_object_set_new(v, "loginuid", json_integer(strtoll(text, NULL, 10)));
	return v;
}

static json_t *place(void)
{
	const struct host *h = host_get();

	return json_pack("{s:s,s:s,s:s,s:s}", "name", h->name, "machine_id", h->machine_id,
			 "boot_id", h->boot_id, "kernel", h->kernel);
}

static json_t *asked_for(const struct casefile *c)
{
	json_t *v = json_object();

	json_object_set_new(v, "incident", c->incident ? json_string(c->incident) : json_null());
	json_object_set_new(v, "since",
			    c->incident || c->since == LEDGER_FIRST ? json_null()
								    : json_integer(c->since));
	return v;
}

json_t *custody_json(const struct casefile *c, json_t *blobs, json_t *missing)
{
	int64_t now = clock_epoch_ms(clock_boot_ns());
	char time[CLOCK_UTC_LEN];

	clock_text_utc(now, time);
	return json_pack("{s:s,s:I,s:o,s:o,s:o,s:{s:s,s:I,s:I},s:o,s:o,s:o}", "exported", time,
			 "exported_ms", (json_int_t)now, "by", person(), "on", place(), "with",
			 program(), "log", "origin", c->a.verified.origin, "entries",
			 (json_int_t)c->a.verified.size, "entries_here", (json_int_t)c->count,
			 "asked_for", asked_for(c), "executables", blobs, "executables_missing",
			 missing);
}

/* --- what the clocks said --- */

/* Members of a record that are about its time, with the entry's number and time. */
static json_t *taken(json_t *members, int64_t time, uint64_t index)
{
	json_t *v = json_copy(members);

	json_object_set_new(v, "entry", json_integer((json_int_t)index));
	json_object_set_new(v, "time", json_integer(time));
	return v;
}

static void take(json_t *ret, const char *kind, json_t *record, int64_t time, uint64_t index)
{
	json_t *state = json_object_get(record, "host_state");

	if (json_is_object(state))
		json_array_append_new(json_object_get(ret, "readings"), taken(state, time, index));
	if (!strcmp(kind, "start")) {
		json_t *v = json_object();

		json_object_set(v, "boot_id", json_object_get(record, "boot_id"));
		json_object_set(v, "boot_time", json_object_get(record, "boot_time"));
		json_array_append_new(json_object_get(ret, kind), taken(v, time, index));
		json_decref(v);
	} else if (strcmp(kind, "actor") != 0) {
		json_array_append_new(json_object_get(ret, kind), taken(record, time, index));
	}
}

json_t *clock_json(const struct casefile *c)
{
	static const char *const kinds[] = {"start", "actor", "clock", "away"};
	json_t *ret = json_pack("{s:[],s:[],s:[],s:[]}", "start", "readings", "clock", "away");

	for (size_t i = 0; i < c->count; i++) {
		const struct kept *k = &c->all[i];

		for (size_t n = 0; n < ARRAY_SIZE(kinds); n++) {
			json_t *v;

			if (!entry_is(k->entry, k->len, kinds[n]))
				continue;
			v = json_loadb(k->entry, k->len, 0, NULL);
			take(ret, kinds[n], json_object_get(v, "record"),
			     json_integer_value(json_object_get(v, "time")), k->index);
			json_decref(v);
		}
	}
	return ret;
}
