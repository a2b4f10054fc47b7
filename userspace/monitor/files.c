// SPDX-License-Identifier: BSD-2-Clause
/* files.c - see files.h. */
#include "monitor/files.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/textw.h"
#include "model/file_kind.h"
#include "model/rule.h"
#include "monitor/code.h"
#include "monitor/disks.h"
#include "monitor/file_probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct files {
	struct sensors *sensors;
	void (*report)(void *ctx, const struct event *ev);
	void *ctx;
	struct file *all;
	size_t count, room;
	size_t next; /* where files_refresh() begins, walking down */
	struct codes codes;
	struct disks disks;
	struct files_gaps gaps;
	char head[FILE_KIND_HEAD];
};

struct files *files_new(struct sensors *s, void (*report)(void *ctx, const struct event *ev),
			void *ctx)
{
	struct files *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->sensors = s;
	f->report = report;
	f->ctx = ctx;
	return f;
}

static void release(struct files *f, struct file *file)
{
	code_release(&f->codes, file->code);
	file_probe_release(file);
}

void files_free(struct files *f)
{
	for (size_t i = 0; f && i < f->count; i++)
		release(f, &f->all[i]);
	if (f)
		free(f->all);
	free(f);
}

static bool same_key(const struct file_key *a, const struct file_key *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->generation == b->generation;
}

static struct file *find(struct files *f, uint32_t instance, const struct file_key *key)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->all[i].instance == instance && same_key(&f->all[i].key, key))
			return &f->all[i];
	}
	return NULL;
}

static struct file *add(struct files *f, uint32_t instance, const struct file_key *key)
{
	struct file *at = find(f, instance, key);

	if (at)
		return at;
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 64;
		struct file *all = realloc(f->all, room * sizeof(*all));

		if (!all)
			return NULL;
		f->all = all;
		f->room = room;
	}
	at = &f->all[f->count++];
	*at = (struct file){.key = *key, .instance = instance};
	return at;
}

/* --- gaps --- */

/* Paths are chosen by others: control characters are escaped. */
static void warn_of(const struct instance *in, const char *what, const char *path, const char *why,
		    const char *advice)
{
	char text[256] = ""; /* a longer path would push the advice out of the line */
	struct textw t = {text, sizeof(text), 0, false, false};

	textw_name(&t, path);
	log_warn("cannot %s %s of instance %s (%s); %s; further ones are counted without a message",
		 what, text, in->name, why, advice);
}

void files_unprotected(struct files *f, const struct instance *in, const char *path, int err)
{
	if (file_probe_reachable(in) && !f->gaps.unprotected++)
		warn_of(in, "protect", path, strerror(-err),
			"access to it goes unseen: make it readable to root, and restart the monitor");
}

void files_config_unread(struct files *f, const struct instance *in, const char *path,
			 const char *why)
{
	if (file_probe_reachable(in) && !f->gaps.configs_unread++)
		warn_of(in, "read all of configuration", path, why,
			"access to files it names may go unseen: restart the server while the monitor runs");
}

struct files_gaps files_gaps(const struct files *f)
{
	return f->gaps;
}

/* Tell the BPF programs what a file is. A failure is counted once per file. */
static void set_kind(struct files *f, const struct instance *in, struct file *file)
{
	int err = sensors_file_set(f->sensors, &file->key, file->instance, file->kind);

	if (err && file->kind && !file->unprotected)
		files_unprotected(f, in, file->path, err);
	file->unprotected = err;
}

/*
 * Remove file i; the last one takes its place. The BPF programs keep protecting it if a running instance has it too.
 */
static void drop(struct files *f, const struct instances *is, size_t i)
{
	const struct instance *user = NULL;
	struct file gone = f->all[i];
	struct file *other = NULL;

	f->all[i] = f->all[--f->count];
	for (size_t k = 0; k < f->count && !other; k++) {
		const struct instance *in = instances_find(is, f->all[k].instance);

		if (same_key(&f->all[k].key, &gone.key) && in && in->members) {
			other = &f->all[k];
			user = in;
		}
	}
	if (other)
		set_kind(f, user, other);
	else
		sensors_file_forget(f->sensors, &gone.key);
	release(f, &gone);
}

/* inode: tells files apart that are findings of the same kind; 0 if there can be only one. */
static void report_finding(struct files *f, const struct instance *in, struct event *ev,
			   unsigned int rule, unsigned int finding, uint64_t inode)
{
	ev->type = EVENT_ATTEMPT;
	ev->flags |= EVENT_FOUND_BY_SWEEP;
	ev->key = (struct attempt_key){
		.instance = in->id,
		.rule = (uint8_t)rule,
		.vector = VECTOR_SWEEP,
		.detail = finding,
		.object = (uint32_t)inode,
	};
	ev->count = 1;
	ev->target_tgid = ev->target_tid = in->pid;
	f->report(f->ctx, ev);
}

/* --- code --- */

static void report_code(struct files *f, const struct instance *in, const struct file *file,
			unsigned int finding)
{
	static struct event found; /* large */
	size_t len = strnlen(file->path + 1, sizeof(found.actor.path) - 1);

	found = (struct event){.magic = EVENT_MAGIC,
			       .version = EVENT_VERSION,
			       .size = sizeof(found),
			       .time_ns = clock_boot_ns(),
			       .object.len = (uint16_t)len};
	memcpy(found.actor.path, file->path + 1, len); /* as one component */
	report_finding(f, in, &found, RULE_MEM_INJECT, finding, file->key.ino);
}

/* An upgrade replaces several files: one finding is enough to say that the server runs old code. */
static bool any_replaced(const struct files *f, uint32_t instance)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->all[i].instance == instance && f->all[i].replaced)
			return true;
	}
	return false;
}

static void check_code(struct files *f, const struct instance *in, struct file *file)
{
	char where[FILE_PROBE_PATH];

	if (file->code && code_changes(file->code) != file->changes) {
		file->changes = code_changes(file->code);
		report_code(f, in, file, FINDING_CODE_CHANGED);
	}
	file_probe_path(where, in, file->path);
	if (file->replaced || !file->code || !code_replaced(file->code, where) ||
	    !file_probe_reachable(in))
		return;
	if (!any_replaced(f, in->id))
		report_code(f, in, file, FINDING_CODE_REPLACED);
	file->replaced = true;
}

/* Hold the file at the path. If that is another one by now, what the server executes can no longer be compared. */
static void hold_code(struct files *f, const struct instance *in, struct file *file, bool deleted)
{
	char where[FILE_PROBE_PATH];

	file_probe_path(where, in, file->path);
	if (file->code)
		return;
	if (!deleted)
		file->code = code_hold(&f->codes, where);
	if (file->code) {
		file->changes = code_changes(file->code);
	} else if (!file->replaced && (deleted || file_probe_reachable(in))) {
		if (!any_replaced(f, in->id))
			report_code(f, in, file, FINDING_CODE_REPLACED);
		file->replaced = true;
	}
}

/* Report code of a starting server that users other than root can change. Code mapped later is a finding in itself. */
static void evaluate_code(struct files *f, const struct instance *in, struct file *file,
			  const struct event_file *ev)
{
	unsigned int finding = 0;

	if (!in->baselined && !file->evaluated)
		finding = file_probe_untrusted(in, file->path, ev);
	file->evaluated = true;
	if (finding)
		report_code(f, in, file, finding);
}

static void log_kind(const struct instance *in, const struct file *file)
{
	char path[256] = "";
	struct textw t = {path, sizeof(path), 0, false, false};

	if (!file->kind)
		return;
	textw_name(&t, file->path);
	log_debug("instance %s: protecting its %s %s", in->name, file_kind_name(file->kind), path);
}

/* Classify a file, and update its kind in the BPF map if the kernel assumed another. */
static void classify(struct files *f, const struct instance *in, struct file *file,
		     unsigned int assumed)
{
	char where[FILE_PROBE_PATH];
	size_t len;

	file_probe_path(where, in, file->path);
	len = file_probe_read(f->head, where, file);
	/* renamed since it was opened? */
	if (!file->identified && file_probe_find_renamed(in, file)) {
		file_probe_path(where, in, file->path);
		len = file_probe_read(f->head, where, file);
	}
	file->kind = assumed == FILE_CODE
			     ? FILE_CODE
			     : file_kind_classify(file->path, file->written, f->head, len);
	file->undecided = !len && !file->kind;
	explicit_bzero(f->head, len);
	/* even if the kernel assumed right: the entry may have been removed with the file's last owner */
	if (file->kind || assumed)
		set_kind(f, in, file);
	log_kind(in, file);
}

void files_opened(struct files *f, const struct instance *in, const struct event *ev)
{
	static struct event found; /* large */
	struct file *file = add(f, in->id, &ev->file.key);
	const struct file_kind_info *kind;
	char path[PATH_LEN];

	instance_exe_path(&ev->actor, &ev->object, path, sizeof(path));
	if (!file) {
		files_unprotected(f, in, path, -ENOMEM);
		return;
	}
	free(file->path);
	file->path = strdup(path);
	file->written = ev->file.written;
	file->account = in->account;
	if (!file->path) {
		files_unprotected(f, in, path, -ENOMEM);
		drop(f, &(struct instances){}, (size_t)(file - f->all));
		return;
	}
	classify(f, in, file, ev->file.kind);
	if (file->kind == FILE_CODE) {
		hold_code(f, in, file, ev->object.flags & PATH_DELETED);
		evaluate_code(f, in, file, &ev->file);
	}
	kind = file_kind_get(file->kind);
	file->below = ev->file.below;
	if (kind && kind->exposed && !file->below && file_probe_exposed(in, file->path)) {
		found = *ev;
		memset(&found.conn, 0, sizeof(found.conn));
		report_finding(f, in, &found, kind->read_rule, kind->exposed, 0);
	}
}

bool files_hoarded(const struct files *f, const struct instance *in)
{
	size_t n = 0;

	if (!in->account || f->count < FILES_MAX / 2)
		return false;
	for (size_t i = 0; i < f->count; i++)
		n += f->all[i].account == in->account;
	return n >= FILES_MAX / 4;
}

static void report_start(struct files *f, const struct instance *in, unsigned int rule,
			 unsigned int finding)
{
	static struct event found; /* large */

	found = (struct event){.magic = EVENT_MAGIC,
			       .version = EVENT_VERSION,
			       .size = sizeof(found),
			       .time_ns = in->began_ns};
	report_finding(f, in, &found, rule, finding, 0);
}

void files_started(struct files *f, const struct instance *in)
{
	struct file scratch = {};
	char where[FILE_PROBE_PATH];
	size_t len;

	file_probe_path(where, in, "/etc/ld.so.preload");
	len = file_probe_read(f->head, where, &scratch);
	file_probe_release(&scratch);
	for (size_t i = 0; i < len; i++) {
		if (!strchr(" \t\n", f->head[i])) {
			report_start(f, in, RULE_MEM_INJECT, FINDING_PRELOAD_FILE);
			break;
		}
	}
}

void files_ended(struct files *f, const struct instances *is, const struct instance *in)
{
	for (size_t i = f->count; i-- > 0;) {
		if (f->all[i].instance == in->id)
			drop(f, is, i);
	}
}

void files_disown(struct files *f, const struct instances *is, const struct instance *in,
		  uint32_t inode)
{
	for (size_t i = f->count; i-- > 0;) {
		if (f->all[i].instance == in->id && (uint32_t)f->all[i].key.ino == inode)
			drop(f, is, i);
	}
}

/* Returns false if the file is gone. */
static bool refresh(struct files *f, const struct instance *in, struct file *file)
{
	if (file->kind == FILE_CODE) /* as long as it is mapped, whatever its name leads to */
		check_code(f, in, file);
	else if (!file_probe_exists(in, file))
		return false;
	else if (file->undecided || !file->identified)
		classify(f, in, file, file->kind);
	return true;
}

/* On which file systems running instances have files that nobody else may read. */
static void update_disks(struct files *f, const struct instances *is)
{
	uint32_t systems[DISK_SYSTEMS_MAX], last = 0;
	size_t count = 0, beyond = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct file *file = &f->all[i];
		const struct instance *in = instances_find(is, file->instance);
		bool known = !file->kind || file->kind == FILE_CODE || !in || !in->members;

		for (size_t k = 0; k < count && !known; k++)
			known = systems[k] == file->key.dev;
		if (!known && count < DISK_SYSTEMS_MAX) {
			systems[count++] = file->key.dev;
		} else if (!known && file->key.dev != last) { /* about as many as there are */
			last = file->key.dev;
			beyond++;
		}
	}
	disks_update(&f->disks, f->sensors, systems, count, beyond);
	f->gaps.disks = f->disks.unknown;
}

void files_refresh(struct files *f, const struct instances *is, struct discovery *d)
{
	size_t i = f->next;
	bool skipped = false;
	uint64_t began, now;

	codes_compare(&f->codes);
	for (size_t left = f->count; left && f->count; left--) {
		const struct instance *in;

		i = (i && i <= f->count ? i : f->count) - 1;
		in = instances_find(is, f->all[i].instance);
		if (!in || !in->members)
			continue; /* files_ended() drops its files */
		began = clock_mono_ns();
		now = clock_boot_ns();
		if (!discovery_admits(d, in->account, now)) {
			if (!skipped)
				f->next = i + 1; /* the next time begins here */
			skipped = true;
			continue;
		}
		if (!refresh(f, in, &f->all[i]))
			drop(f, is, i);
		discovery_spend(d, in->account, clock_mono_ns() - began, now);
	}
	update_disks(f, is);
}

bool files_any(const struct files *f, uint32_t instance, unsigned int kind,
	       bool (*fn)(void *ctx, const char *path), void *ctx)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct file *file = &f->all[i];

		if (file->instance == instance && file->kind == kind &&
		    (!fn || fn(ctx, file->path)))
			return true;
	}
	return false;
}

size_t files_count(const struct files *f, uint32_t instance)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		n += f->all[i].instance == instance && f->all[i].kind &&
		     f->all[i].kind != FILE_CODE && !f->all[i].below;
	return n;
}

const unsigned int files_expected[FILES_EXPECTED] = {FILE_CONFIG, FILE_KEY, FILE_ACL, FILE_DATA};

void files_log(const struct files *f, const struct instance *in)
{
	size_t count = files_count(f, in->id);
	char missing[128] = "";

	for (size_t i = 0; i < FILES_EXPECTED; i++) {
		size_t used = strlen(missing);

		if (!files_any(f, in->id, files_expected[i], NULL, NULL))
			snprintf(missing + used, sizeof(missing) - used, "%s%s", used ? ", " : "",
				 file_kind_name(files_expected[i]));
	}
	log_info(
		"instance %s: %zu file%s protected%s%s%s", in->name, count, count == 1 ? "" : "s",
		missing[0] ? "; none known as: " : "", missing,
		missing[0]
			? " (if it has one, it is known once the server is restarted or asked, see ask in the policy)"
			: "");
}

void files_each(const struct files *f, void (*fn)(void *ctx, const struct file *file), void *ctx)
{
	for (size_t i = 0; i < f->count; i++)
		fn(ctx, &f->all[i]);
}
