// SPDX-License-Identifier: BSD-2-Clause
/* evidence.c - see evidence.h. Events and incidents are logged as --output json prints them. */
#include "monitor/evidence.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/log.h"
#include "base/macros.h"
#include "model/alert.h"
#include "monitor/actor_facts.h"
#include "policy/policy_yaml.h"
#include "report/event_json.h"
#include "report/incident_json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENRICH_END_MS 2000

static void put(struct evidence *e, const char *kind, bool urgent)
{
	size_t len;
	const char *record = jsonw_done(&e->buf.json, &len);

	writer_put(e->writer, kind, record ?: "", record ? len : 0, urgent);
}

/* Returns where the members of a record go, NULL without a log. */
static struct jsonw *begin(struct evidence *e)
{
	if (!e->writer)
		return NULL;
	jsonw_reset(&e->buf.json);
	jsonw_object(&e->buf.json, NULL);
	return &e->buf.json;
}

static void end(struct evidence *e, const char *kind)
{
	jsonw_end_object(&e->buf.json);
	put(e, kind, false);
}

/* --- begin and end --- */

static void put_host(struct evidence *e)
{
	const struct host *h = host_get();
	struct jsonw *j = &e->buf.json;

	jsonw_string(j, "version", CACHEWARDEN_VERSION);
	jsonw_string(j, "sha256", e->exe_sha256);
	jsonw_string(j, "host", h->name);
	jsonw_string(j, "machine_id", h->machine_id);
	jsonw_string(j, "boot_id", h->boot_id);
	jsonw_int(j, "boot_time", clock_epoch_ms(0));
	jsonw_string(j, "kernel", h->kernel);
}

static void put_start(struct evidence *e, const char *run, const struct evidence_from *from)
{
	struct jsonw *j = begin(e);
	char exe[PATH_LEN] = "";
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		digest_fd(fd, e->exe_sha256);
		close(fd);
	}
	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		exe[0] = '\0';
	jsonw_string(j, "run", run);
	jsonw_int(j, "pid", getpid());
	jsonw_string(j, "exe", exe);
	if (from->pid) {
		jsonw_int(j, "from_pid", from->pid);
		jsonw_int(j, "from_at", from->at_ms);
	}
	put_host(e);
	host_facts_json(j);
	end(e, "start");
}

void evidence_open(struct evidence *e, const char *dir, const char *run,
		   const struct evidence_from *from)
{
	e->error[0] = '\0';
	snprintf(e->dir, sizeof(e->dir), "%s", dir ?: "");
	if (!dir)
		return;
	e->periodic = periodic_new();
	if (writer_start(&e->writer, dir, host_get()->name,
			 e->periodic ? periodic_hooks(e->periodic) : NULL, e->error)) {
		e->writer = NULL;
		periodic_free(e->periodic);
		e->periodic = NULL;
		log_error("no evidence is kept in %s: %s", dir, e->error);
		return;
	}
	e->error[0] = '\0';
	log_info("evidence is kept in %s: %s", dir, writer_origin(e->writer));
	put_start(e, run, from);
	e->enrich_error = -enrich_start(&e->enrich, dir);
	if (e->enrich_error)
		log_error("the log will have less about actors: %s", strerror(e->enrich_error));
}

void evidence_handover(struct evidence *e, pid_t pid, const char *exe, int64_t at_ms)
{
	struct jsonw *j = begin(e);

	if (!j)
		return;
	jsonw_int(j, "to_pid", pid);
	jsonw_int(j, "at", at_ms);
	jsonw_string(j, "exe", exe);
	end(e, "handover");
}

static void put_enriched(void *ctx, const char *kind, const char *record, size_t len)
{
	struct evidence *e = ctx;

	writer_put(e->writer, kind, record, len, false);
}

/* What is still being read about actors comes before the totals. */
static void end_enrichment(struct evidence *e, const struct conns *conns)
{
	enrich_finish(e->enrich, ENRICH_END_MS);
	enrich_collect(e->enrich, conns, put_enriched, e);
	enrich_free(e->enrich);
	e->enrich = NULL;
}

void evidence_close(struct evidence *e, const struct conns *conns,
		    const struct evidence_totals *totals)
{
	struct writer_status s;
	struct jsonw *j;
	int err;

	if (e->writer)
		end_enrichment(e, conns);
	j = begin(e);
	if (j) {
		jsonw_int(j, "events", (int64_t)totals->events);
		jsonw_int(j, "incidents", (int64_t)totals->incidents);
		jsonw_int(j, "lost", (int64_t)totals->lost);
		end(e, "totals");
		err = writer_stop(e->writer, WRITER_STOP_MS, &s);
		if (err)
			log_error("the end of the evidence log could not be written: %s",
				  strerror(-err));
		if (err != -ETIMEDOUT) /* its thread would use it */
			periodic_free(e->periodic);
		s.lost += s.refused;
		if (s.lost)
			log_error("%" PRIu64 " records are not in the evidence log", s.lost);
	}
	e->writer = NULL;
	e->periodic = NULL;
	report_buf_free(&e->buf);
}

void evidence_forget(struct evidence *e)
{
	enrich_forget(e->enrich);
	e->writer = NULL;
	e->enrich = NULL;
	e->error[0] = '\0';
}

void evidence_tick(struct evidence *e, const struct conns *conns)
{
	if (!e->writer)
		return;
	writer_tick(e->writer);
	enrich_collect(e->enrich, conns, put_enriched, e);
}

void evidence_hold(struct evidence *e, const struct event *ev)
{
	enrich_hold(e->enrich, ev);
}

void evidence_let_go(struct evidence *e)
{
	enrich_let_go(e->enrich);
}

/* --- what happens --- */

void evidence_event(struct evidence *e, const struct finding *f)
{
	size_t len;
	const char *record;

	if (!e->writer || f->verdict.id == VERDICT_OFF ||
	    (f->severity < SEVERITY_MEDIUM && f->verdict.id < VERDICT_ALERT))
		return;
	record = event_json(f, &e->buf, &len);
	writer_put(e->writer, "event", record ?: "", record ? len : 0,
		   f->severity >= SEVERITY_HIGH);
	enrich_actor(e->enrich, f);
}

bool evidence_server(struct evidence *e, const struct instance *in, char *const *config,
		     size_t configs)
{
	return enrich_server(e->enrich, in, config, configs);
}

void evidence_incident(struct evidence *e, const struct incident_view *v)
{
	size_t len;
	const char *record;

	if (!e->writer)
		return;
	record = incident_json(v, &e->buf, &len);
	writer_put(e->writer, "incident", record ?: "", record ? len : 0,
		   v->incident->severity >= SEVERITY_HIGH);
}

void evidence_instance(struct evidence *e, const struct instance *in, const char *change,
		       bool digest)
{
	struct jsonw *j = begin(e);
	char sha256[DIGEST_LEN] = "";

	if (!j)
		return;
	if (in->members && digest)
		digest_exe((pid_t)in->pid, in->start_ns, in->exe, in->exe_ino, sha256);
	jsonw_string(j, "change", change);
	jsonw_string(j, "name", in->name);
	jsonw_string(j, "uid", in->uid);
	jsonw_int(j, "id", in->id);
	jsonw_int(j, "pid", in->pid);
	jsonw_int(j, "start_time", clock_epoch_ms(in->start_ns));
	jsonw_string(j, "exe", in->exe);
	jsonw_string(j, "started_as", in->started_as[0] ? in->started_as : NULL);
	jsonw_string(j, "sha256", sha256[0] ? sha256 : NULL);
	jsonw_string(j, "place", in->place);
	jsonw_int(j, "user", in->user);
	jsonw_int(j, "account", in->account);
	jsonw_array(j, "ports");
	for (unsigned int i = 0; i < in->ports; i++)
		jsonw_int(j, NULL, in->port[i]);
	jsonw_end_array(j);
	end(e, "instance");
}

static void read_policy(struct evidence *e, const struct policy *p)
{
	e->policies = 0;
	for (size_t i = 0; i < p->files && i < ARRAY_SIZE(e->policy); i++) {
		struct evidence_file *f = &e->policy[e->policies++];
		int fd = open(p->file[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		snprintf(f->path, sizeof(f->path), "%s", p->file[i]);
		f->sha256[0] = '\0';
		if (fd < 0)
			continue;
		digest_fd(fd, f->sha256);
		close(fd);
	}
}

/* No files: the built-in policy. */
static void put_policy(struct evidence *e)
{
	struct jsonw *j = &e->buf.json;

	jsonw_array(j, "files");
	for (size_t i = 0; i < e->policies; i++) {
		jsonw_object(j, NULL);
		jsonw_string(j, "path", e->policy[i].path);
		jsonw_text(j, "sha256", e->policy[i].sha256);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static uint64_t set_or_none(int64_t number)
{
	return number == POLICY_UNSET ? 0 : (uint64_t)number;
}

void evidence_policy(struct evidence *e, const struct policy *p, const char *change)
{
	struct jsonw *j = begin(e);

	read_policy(e, p);
	if (!j)
		return;
	jsonw_string(j, "change", change);
	put_policy(e);
	writer_keep(e->writer, (unsigned int)set_or_none(p->evidence_days));
	enrich_keep(e->enrich, set_or_none(p->evidence_executables) << 20);
	jsonw_int(j, "keep_executables", (int64_t)set_or_none(p->evidence_executables));
	jsonw_int(j, "instances", (int64_t)p->instances);
	jsonw_int(j, "allow", (int64_t)p->allows);
	end(e, "policy");
}

void evidence_policy_refused(struct evidence *e, const char *file, const char *error)
{
	const char *path = file ?: POLICY_FILE;
	struct jsonw *j = begin(e);
	char sha256[DIGEST_LEN] = "", why[POLICY_ERROR_LEN];
	int fd;

	if (!j)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		digest_fd(fd, sha256);
		close(fd);
	}
	snprintf(why, sizeof(why), "%.*s", (int)strcspn(error, "'"), error);
	jsonw_string(j, "path", path);
	jsonw_text(j, "sha256", sha256);
	jsonw_string(j, "error", why);
	end(e, "policy-refused");
}

struct jsonw *evidence_tally_begin(struct evidence *e)
{
	return begin(e);
}

void evidence_tally_host(struct evidence *e)
{
	put_host(e);
	put_policy(e);
}

void evidence_tally_end(struct evidence *e, bool whole)
{
	size_t len;
	const char *record;

	if (!whole) {
		end(e, "tally");
		return;
	}
	jsonw_end_object(&e->buf.json);
	record = jsonw_done(&e->buf.json, &len);
	writer_put_stated(e->writer, "tally", record ?: "", record ? len : 0);
}

void evidence_sensors(struct evidence *e, const struct sensors *s)
{
	struct jsonw *j = begin(e);
	const struct sensor_program *p;
	size_t n;

	if (!j)
		return;
	n = sensors_programs(s, &p);
	jsonw_array(j, "programs");
	for (size_t i = 0; i < n; i++) {
		jsonw_object(j, NULL);
		jsonw_string(j, "sensor", p[i].sensor);
		jsonw_string(j, "tier", p[i].tier);
		jsonw_string(j, "name", p[i].name);
		jsonw_bool(j, "attached", p[i].attached);
		if (!p[i].attached)
			jsonw_string(j, "unseen", p[i].unseen);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
	end(e, "sensors");
}

bool evidence_missing(const struct evidence *e, char *note, size_t size)
{
	if (e->error[0])
		snprintf(note, size, "no evidence is kept: %.*s", (int)size - 32, e->error);
	return e->error[0];
}

void evidence_blind_spots(struct evidence *e, void (*fn)(void *ctx, const char *note, uint64_t n),
			  void *ctx)
{
	struct enrich_status more;
	struct writer_status s;
	char note[ALERT_NOTE_LEN];

	if (evidence_missing(e, note, sizeof(note)))
		fn(ctx, note, 1);
	if (!e->writer)
		return;
	writer_status(e->writer, &s);
	fn(ctx, "evidence log: attempts to write it that failed; records wait in memory", s.failed);
	fn(ctx, "evidence log: the disk does not answer; records wait in memory",
	   writer_stalls(e->writer, WRITER_STALL_MS));
	fn(ctx, "evidence log: its directory or write-ahead log was moved, replaced or removed",
	   s.misplaced);
	fn(ctx, "evidence log: records lost, the disk is too slow or fails", s.lost);
	fn(ctx, "evidence log: records that were too large", s.refused);
	fn(ctx, "evidence log: statements that could not be made in time", s.unstated);
	fn(ctx, "evidence log: old entries could not be removed", s.unpruned);
	if (e->enrich_error)
		fn(ctx, "evidence log: actors are not looked at more closely", 1);
	if (!e->enrich)
		return;
	enrich_status(e->enrich, &more);
	fn(ctx, "evidence log: actors not looked at more closely, too many at once", more.dropped);
	fn(ctx, "evidence log: actors whose process or file does not answer", more.stuck);
}
