// SPDX-License-Identifier: BSD-2-Clause
/* events.c - see events.h. */
#include "monitor/events.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/textw.h"
#include "model/cmdline.h"
#include "model/finding_kind.h"
#include "monitor/file_probe.h"
#include "monitor/files_search.h"
#include "monitor/report.h"
#include "monitor/reset.h"
#include "monitor/tally.h"
#include "sensor/cgroup.h"
#include "sensor/sockmap.h"
#include "tls/facts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

/* A connection in a sockmap: whose program decides where its bytes go? */
static void note_sockmap(const struct monitor *m, struct alert *a)
{
	struct textw t = {a->note, sizeof(a->note), 0, false, false};
	char who[SOCKMAP_TEXT_LEN];

	if (a->ev.key.rule != RULE_TLS_BYPASS || a->ev.key.detail != FINDING_SOCKMAP ||
	    !sockmap_text(m->sensors, a->ev.fd, who, sizeof(who)))
		return;
	textw_put(&t, "%s; ", finding_kind_swept(FINDING_SOCKMAP)->text);
	textw_name(&t, who);
}

static void report(struct monitor *m, const struct event *ev)
{
	struct alert *a = alerts_event(&m->alerts, ev);

	if (!a)
		return;
	note_sockmap(m, a);
	report_alert(m, a);
}

/* --- instances --- */

static void log_change(const struct instance *in, enum instance_change change)
{
	char program[2 * PATH_LEN];

	instance_program(in, program, sizeof(program));
	switch (change) {
	case INSTANCE_STARTED:
		log_info("instance %s started: pid %u, %s", in->name, in->pid, program);
		break;
	case INSTANCE_REEXECUTED:
		log_info("instance %s executed itself again: pid %u, %s", in->name, in->pid,
			 program);
		break;
	case INSTANCE_ENDED:
		log_info("instance %s ended: pid %u", in->name, in->pid);
		break;
	case INSTANCE_LISTENS:
		log_info("instance %s listens on port %u", in->name, in->port[in->ports - 1]);
		break;
	default:
		break;
	}
}

/* The digest of its executable takes time, of which each user has a share. */
static void log_evidence(struct monitor *m, const struct instance *in, enum instance_change change)
{
	static const char *const names[] = {
		[INSTANCE_STARTED] = "started", [INSTANCE_REEXECUTED] = "reexecuted",
		[INSTANCE_ENDED] = "ended",	[INSTANCE_LISTENS] = "listens",
		[INSTANCE_UNKNOWN] = NULL,
	};
	uint64_t began = clock_mono_ns();
	bool digest = events_may_spend(m, in);

	if (!names[change])
		return;
	evidence_instance(&m->evidence, in, names[change], digest);
	if (digest)
		events_spent(m, in, began);
}

/* --- files that servers share --- */

/* It was no server: an alert, and the file is not its own. */
static void reject_sharing(struct monitor *m, const struct event *ev)
{
	const struct instance *in = monitor_instance(m, ev->other_instance);

	if (in)
		files_disown(m->files, &m->instances, in, ev->key.object);
	events_attempt(m, ev);
}

static void on_shared(struct monitor *m, const struct event *ev)
{
	if (!sharing_allows(&m->sharing, ev, monitor_instance(m, ev->key.instance),
			    monitor_instance(m, ev->other_instance)))
		reject_sharing(m, ev);
}

/* It has started: is it a server? */
static void settle_sharing(struct monitor *m, const struct instance *in)
{
	static struct event ev; /* large */

	while (sharing_take(&m->sharing, in->id, &ev)) {
		if (!in->ports)
			reject_sharing(m, &ev);
	}
}

void events_check_sharing(struct monitor *m)
{
	for (size_t i = 0; i < m->instances.count && m->sharing.count; i++) {
		const struct instance *in = m->instances.all[i];

		if (in->members && instance_started(in, m->now))
			settle_sharing(m, in);
	}
}

/* --- life cycle --- */

static void on_ended(struct monitor *m, const struct instance *in)
{
	settle_sharing(m, in);
	alerts_instance_ended(&m->alerts, in->id);
	files_ended(m->files, &m->instances, in);
	sensors_forget(m->sensors, in->id);
}

static void log_other_monitor(const struct event *ev)
{
	char exe[PATH_LEN];

	instance_exe_path(&ev->actor, &ev->actor.exe, exe, sizeof(exe));
	log_info("another cachewarden %s: pid %u, %s; it may do what this one does, and is "
		 "protected like it",
		 ev->flags & EVENT_FOUND_BY_SWEEP ? "runs already" : "was started", ev->actor.pid,
		 exe);
}

/* Where does it run? That tells it from others on the same port. */
static void locate(struct monitor *m, struct instance *in)
{
	char place[INSTANCE_PLACE];

	cgroup_path(m->cgroup_fd, in->cgroup_id, in->cgroup, sizeof(in->cgroup));
	policy_place(in->cgroup, place, sizeof(place));
	instances_place(&m->instances, in, place);
}

void events_ended(struct monitor *m, struct instance *in)
{
	in->members = 0;
	log_change(in, INSTANCE_ENDED);
	log_evidence(m, in, INSTANCE_ENDED);
	on_ended(m, in);
}

/* --- what is found out about a server: it takes time, of which each user has a share --- */

#define DISCOVER_NS (20 * NS_PER_MS) /* at once, before what the kernel sent meanwhile */

bool events_may_spend(struct monitor *m, const struct instance *in)
{
	return !m->started || discovery_admits(&m->discovery, in->account, m->now);
}

void events_spent(struct monitor *m, const struct instance *in, uint64_t since_ns)
{
	discovery_spend(&m->discovery, in->account, clock_mono_ns() - since_ns, clock_boot_ns());
}

/* A file that is not looked at takes no room among those that are protected. */
static void leave_file(struct monitor *m, const struct event *ev)
{
	if (ev->type == EVENT_FILE)
		sensors_file_disown(m->sensors, &ev->file.key, ev->key.instance);
}

static void look_at(struct monitor *m, const struct instance *in, const struct event *ev)
{
	if (ev->type == EVENT_FILE && files_hoarded(m->files, in)) {
		discovery_drop(&m->discovery, in->account, m->now);
		leave_file(m, ev);
		return;
	}
	if (ev->type == EVENT_FILE) {
		files_opened(m->files, in, ev);
		return;
	}
	files_started(m->files, in);
	if (in->found_running) /* it opened files before it was known */
		files_search(m->files, m->sensors, in);
	/* a supervisor may have opened its sockets before the server was executed */
	if (sensors_mark_sockets(m->sensors, (pid_t)ev->actor.pid))
		report_blind_spot(m, "sockets inherited by a server could not be searched for",
				  ++m->totals.marks_failed);
}

static void discover(struct monitor *m, const struct instance *in, const struct event *ev)
{
	uint64_t began = clock_mono_ns();

	if (!events_may_spend(m, in)) {
		if (!discovery_defer(&m->discovery, in->account, ev, m->now))
			leave_file(m, ev);
		return;
	}
	look_at(m, in, ev);
	events_spent(m, in, began);
}

void events_discover(struct monitor *m)
{
	uint64_t began = clock_boot_ns(), now, began_job;
	struct discovery_job *job;
	const struct instance *in;
	uint32_t uid;

	for (now = began; now < began + DISCOVER_NS; now = clock_boot_ns()) {
		job = discovery_take(&m->discovery, &uid, now);
		if (!job)
			return;
		m->now = now;
		in = instances_find(&m->instances, job->ev.key.instance);
		if (in && in->members) { /* else it has ended meanwhile */
			began_job = clock_mono_ns();
			look_at(m, in, &job->ev);
			discovery_spend(&m->discovery, uid, clock_mono_ns() - began_job, now);
		} else {
			leave_file(m, &job->ev);
		}
		free(job);
	}
}

static void on_lifecycle(struct monitor *m, const struct event *ev)
{
	struct instance *in;
	enum instance_change change;
	bool began;

	if (ev->key.instance == INSTANCE_SELF) {
		log_other_monitor(ev);
		return;
	}
	change = instances_apply(&m->instances, ev, &in);
	began = change == INSTANCE_STARTED || change == INSTANCE_REEXECUTED;
	if (!in)
		return;
	if (began) {
		locate(m, in);
		file_probe_started_as(in, in->started_as);
	}
	if (change != INSTANCE_SAME)
		active_policy_prevent_on(&m->policy, m->sensors, in);
	if (!m->started)
		return;
	if (change == INSTANCE_LISTENS)
		active_policy_check(&m->policy, &m->instances);
	log_change(in, change);
	log_evidence(m, in, change);
	if (began)
		discover(m, in, ev);
	if (change == INSTANCE_ENDED)
		on_ended(m, in);
	if (change == INSTANCE_LISTENS)
		settle_sharing(m, in);
}

/* --- attempts --- */

/*
 * A tracer that was killed while it attached leaves the SIGSTOP of PTRACE_ATTACH behind. SIGCONT cancels it, pending or
 * delivered.
 */
static void continue_target(const struct event *ev)
{
	if (ev->key.vector == VECTOR_PTRACE && ev->key.detail == PTRACE_ATTACH && !ev->key.err)
		kill((pid_t)ev->target_tgid, SIGCONT);
}

/* Bytes were dropped, and both ends would retransmit until they time out: reset the connection. */
static void reset_connection_of(struct monitor *m, const struct event *ev)
{
	const struct instance *in = monitor_instance(m, ev->key.instance);
	const char *step;
	int err;

	if (!(ev->flags & EVENT_CONN) || ev->key.rule == RULE_TLS_LISTENER)
		return;
	err = reset_connection(&ev->conn, in ? (pid_t)in->pid : 0, &step);
	if (!err || err == -ENOENT || err == -ESRCH) { /* it, or its server, has ended already */
		m->totals.resets++;
		return;
	}
	if (!m->totals.resets_failed)
		log_warn(
			"cannot reset a connection (%s: %s); its plaintext is dropped, but both ends "
			"wait until they time out",
			step, strerror(-err));
	report_blind_spot(m, "connections not reset: plaintext dropped, but both ends wait",
			  ++m->totals.resets_failed);
}

/*
 * Packet hooks report neither the session nor the arguments of the process that sends: look them up while it lives.
 * From here on the arguments are redacted.
 */
static void complete_actor(struct event *ev)
{
	struct process_info *p = &ev->actor;
	struct event_args *args = &ev->args;

	if (!p->session)
		p->session = proc_session((pid_t)p->pid, p->start_ns, LINEAGE_MAX);
	if (!args->len) {
		args->total = proc_args((pid_t)p->pid, p->start_ns, args->text, sizeof(args->text));
		args->len = args->total < sizeof(args->text) ? args->total : sizeof(args->text) - 1;
	}
	cmdline_redact(args->text, args->len, args->total, ev->target_tgid, args->text,
		       sizeof(args->text));
	args->len = args->total = (uint32_t)strlen(args->text);
}

/* Add what only userspace knows of an attempt. */
static void complete(const struct monitor *m, struct event *ev)
{
	const struct instance *in = monitor_instance(m, ev->key.instance);

	if (!ev->target_tgid && in) /* a file belongs to an instance, not to one of its processes */
		ev->target_tgid = ev->target_tid = in->pid;
	if (ev->key.rule == RULE_MEM_SPILL && ev->key.detail == FINDING_SWAPPED &&
	    proc_swap_sealed())
		ev->flags |= EVENT_SEALED;
	if (ev->flags & EVENT_ACTOR)
		complete_actor(ev);
}

void events_attempt(void *ctx, const struct event *ev)
{
	static struct event completed; /* large */
	struct monitor *m = ctx;

	evidence_hold(&m->evidence, ev);
	completed = *ev;
	complete(m, &completed);
	report(m, &completed);
	evidence_let_go(&m->evidence);
}

/* --- the monitor's own connections --- */

/*
 * The server was asked for its files through this connection. What the kernel counted is removed: that another client's
 * plaintext is answered on the same port is a finding.
 */
static bool drop_own(struct monitor *m, const struct event *ev)
{
	struct attempt_key key = ev->key;
	struct attempt counted;

	if (!(ev->flags & EVENT_CONN) ||
	    (ev->flags & EVENT_CROWD) || /* it stands for others, too */
	    !asks_own(&m->asks, ev->key.instance, &ev->conn.ends, ev->time_ns))
		return false;
	key.vector = VECTOR_NONE; /* the kernel counts both directions together */
	if (key.rule == RULE_TLS_LISTENER)
		collector_take(m->collector, &key, &counted);
	return true;
}

/* --- handshakes --- */

static bool is_own(const struct monitor *m, const struct conn *c)
{
	return asks_own(&m->asks, c->instance, &c->ends, m->now);
}

/* Beyond the share of the server, or of who answers for it, it is counted with others. */
static void report_broken(struct monitor *m, struct event *ev)
{
	struct instance *in = instances_find(&m->instances, ev->key.instance);
	uint32_t account = in ? in->account : ACCOUNT_OTHERS;
	struct crowd_share none = {};

	if (crowds_admit(&m->crowds, account, in ? &in->handshakes : &none, ev, m->now) ||
	    crowds_count(&m->crowds, account, ev, m->now))
		report(m, ev);
}

static void report_handshake(struct monitor *m, const struct conn *c, unsigned int rule)
{
	static struct event ev; /* large */

	conn_event(c, rule, &ev);
	report_broken(m, &ev);
}

/* Records or messages that TLS does not allow there, by what the handshake said. */
static void report_wrong(struct monitor *m, uint64_t cookie)
{
	static struct event ev; /* large */
	struct conn *c = conns_find(&m->conns, cookie);

	if (!c || !c->wrong || c->wrong_reported || is_own(m, c))
		return;
	c->wrong_reported = true;
	conn_wrong_event(c, &ev);
	report_broken(m, &ev);
}

/* The connection is closed: nothing will be counted for it any more. */
static void forget_handshake(struct monitor *m, uint64_t cookie)
{
	static struct event ev; /* large */
	const struct conn *c = conns_find(&m->conns, cookie);

	if (!c)
		return;
	conn_event(c, RULE_TLS_VERSION, &ev);
	alerts_forget(&m->alerts, &ev.key);
	conn_event(c, RULE_TLS_CIPHER, &ev);
	alerts_forget(&m->alerts, &ev.key);
	if (!c->wrong_reported)
		return;
	conn_wrong_event(c, &ev);
	alerts_forget(&m->alerts, &ev.key);
}

void events_handshake(void *ctx, const struct handshake_chunk *chunk)
{
	struct monitor *m = ctx;
	const struct policy *policy = &m->policy.policy;
	bool mine = !(chunk->flags & CHUNK_NOT_MINE);
	const struct conn *c;

	m->now = clock_boot_ns();
	if (chunk->flags & CHUNK_CLOSED) {
		forget_handshake(m, chunk->cookie);
		tally_closed(m, chunk);
	}
	c = conns_chunk(&m->conns, chunk);
	if (mine)
		report_wrong(m, chunk->cookie);
	if (!c)
		return;
	if (conn_server_out(c)) {
		struct instance *in = instances_find(&m->instances, c->instance);

		if (in) {
			in->tls = true;
			instance_set_serves_tls(in, c->ends.local_port);
		}
	}
	if (!mine || is_own(m, c))
		return;
	tally_handshake(m, c);
	if (!policy_tls_version(policy, c->facts->version))
		report_handshake(m, c, RULE_TLS_VERSION);
	if (!policy_tls_cipher(policy, c->facts->cipher))
		report_handshake(m, c, RULE_TLS_CIPHER);
}

/* --- from the ring buffer --- */

static void note_lag(struct monitor *m, const struct event *ev)
{
	uint64_t late = lag_note(&m->lag, ev->time_ns, clock_boot_ns());

	if (late > m->heartbeat.worst_lag_ns)
		m->heartbeat.worst_lag_ns = late;
}

void events_receive(void *ctx, const struct event *ev)
{
	struct monitor *m = ctx;
	const struct instance *in;

	m->now = clock_boot_ns();
	switch (ev->type) {
	case EVENT_FILE:
		in = instances_find(&m->instances, ev->key.instance);
		if (in)
			discover(m, in, ev);
		else
			leave_file(m, ev);
		break;
	case EVENT_ATTEMPT:
		if (drop_own(m, ev))
			break;
		if (ev->flags & EVENT_PREVENTED) {
			continue_target(ev);
			reset_connection_of(m, ev);
		}
		if (ev->flags & EVENT_SHARED)
			on_shared(m, ev);
		else
			events_attempt(m, ev);
		break;
	default:
		on_lifecycle(m, ev);
	}
	note_lag(m, ev);
}
