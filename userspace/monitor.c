// SPDX-License-Identifier: BSD-2-Clause
/*
 * monitor.c - the product's story: event -> instance -> policy -> incident -> output, and, once a second,
 * what was counted and what was not seen.
 */
#include "monitor.h"

#include "alert.h"
#include "cgroup.h"
#include "clock.h"
#include "ask.h"
#include "collector.h"
#include "conn_out.h"
#include "coverage.h"
#include "files.h"
#include "finding.h"
#include "guard.h"
#include "instance.h"
#include "kernel.h"
#include "log.h"
#include "output.h"
#include "proc.h"
#include "reset.h"
#include "rulebook.h"
#include "sensor.h"
#include "story.h"
#include "subject.h"
#include "tls_facts.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#define TICK_NS NS_PER_SEC
#define IDLE_NS (10 * NS_PER_SEC)	 /* an attempt quiet this long leaves the kernel's table */
#define AFTER_ALERT_NS (100 * NS_PER_MS) /* then a sweep looks at what the hooks told of */
#define SWEEP_REST_NS NS_PER_SEC	 /* between two sweeps, however many alerts there are */
#define DRAIN_MS 2000			 /* at the end, for a reader who is slow */

struct monitor {
	const struct monitor_options *options;
	struct sensors *sensors;
	struct collector *collector;
	struct files *files; /* what instances keep on disk */
	struct instances instances;
	struct instance self;
	struct guard guard;
	uint64_t guards_lost;
	struct alerts alerts;
	struct rulebook rulebook;
	struct incidents incidents;
	int cgroup_fd; /* the root of the hierarchy */
	struct conns conns;
	struct ask ask;
	uint64_t resets, resets_failed;
	struct output out;
	struct jsonw json;
	char uid_prefix[24];
	bool colour;
	bool started;
	bool flush;
	uint64_t now;
	uint64_t attempts;			/* counted so far, over all alerts but self-blind */
	uint64_t judged[VERDICT_PREVENTED + 1]; /* of these, by verdict */
	bool output_error_told;
	uint64_t marks_failed, settles_failed;
	uint64_t next_sweep;
	uint64_t sweep_began; /* the last one */
	uint64_t sweeps, sweeps_failed, sweeps_ns, sweep_longest_ns;
	struct attempt_key idle[ATTEMPTS_MAX];
	size_t idle_count;
};

static volatile sig_atomic_t stop, stopped_by, reload;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	if (sig == SIGHUP) {
		reload = 1;
		return;
	}
	stop = sig;
	stopped_by = info->si_pid;
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa = (struct sigaction){.sa_handler = SIG_IGN}; /* a reader who left is seen at write() */
	sigaction(SIGPIPE, &sa, NULL);
}

static void tell_who_stopped(void)
{
	char comm[COMM_LEN] = "";

	if (!stop)
		return;
	if (stopped_by)
		proc_comm(stopped_by, comm, sizeof(comm));
	log_info("asked to end by SIG%s from %s(%d)", sigabbrev_np(stop),
		 stopped_by ? comm : "the kernel", (int)stopped_by);
}

static const struct instance *find_instance(const struct monitor *m, uint32_t id)
{
	return id == INSTANCE_SELF ? &m->self : instances_find(&m->instances, id);
}

/* --- alerts out --- */

/* What the guard has to know of the output, should we be killed now. */
static void leave_will(struct monitor *m)
{
	if (!m->guard.will)
		return;
	m->guard.will->unwritten = m->out.len ? output_unwritten(&m->out) : 0;
	m->guard.will->mid_line = m->out.mid_line;
}

/* What a hook told may have left traces, or company. */
static void sweep_soon(struct monitor *m)
{
	uint64_t rested = m->sweep_began + SWEEP_REST_NS, soon = m->now + AFTER_ALERT_NS;

	if (soon < rested)
		soon = rested;
	if (soon < m->next_sweep)
		m->next_sweep = soon;
}

/* A line or block on its way out; NULL: there was no memory to write it. */
static void tell(struct monitor *m, const char *text, size_t len)
{
	if (text && len)
		output_line(&m->out, text, len);
	else if (!text)
		m->out.dropped++;
	leave_will(m);
}

static void show_incident(void *ctx, const struct incident *in, enum incident_change change)
{
	static char text[16384];
	struct monitor *m = ctx;
	const struct story_view v = {
		.incident = in,
		.change = change,
		.instance = find_instance(m, in->instance),
		.tenant = in->tenant ? find_instance(m, in->tenant) : NULL,
		.uid_prefix = m->uid_prefix,
	};
	const char *line = text;
	size_t len;

	if (m->options->json)
		line = story_json(&v, &m->json, &len);
	else
		len = story_text(&v, text, sizeof(text), m->colour);
	tell(m, line, len);
}

static void show_event(struct monitor *m, const struct finding *f)
{
	static char text[8192];
	const char *line = text;
	size_t len;

	if (m->options->json)
		line = finding_json(f, &m->json, &len);
	else
		len = finding_text(f, text, sizeof(text), m->colour);
	tell(m, line, len);
}

/* Judge what there is of an alert now; what counts is told to its incident. */
static void show(struct monitor *m, struct alert *a)
{
	static struct finding f; /* large, and one at a time */
	uint64_t more = a->count - a->shown_count;
	bool blind = a->ev.key.rule == RULE_SELF_BLIND;
	struct incident_fact fact;
	struct incident *in;

	finding_fill(&f, a, find_instance(m, a->ev.key.instance),
		     a->ev.flags & EVENT_CROSS_TENANT ? find_instance(m, a->ev.other_instance)
						      : NULL);
	f.uid_prefix = m->uid_prefix;
	subject_judge(&f, &m->rulebook.policy, m->cgroup_fd);
	if (a->ev.flags & EVENT_CONN)
		f.tls = conns_find(&m->conns, a->ev.conn.cookie);
	if (!alert_shown(&m->alerts, a, m->now) && !(a->ev.flags & EVENT_FOUND_BY_SWEEP) && !blind)
		sweep_soon(m);
	if (!blind) {
		m->attempts += more;
		m->judged[f.verdict.id] += more;
	}
	if (!blind && f.verdict.id >= VERDICT_ALERT) {
		story_fact(&fact, &f, more);
		in = incidents_feed(&m->incidents, &fact, m->now);
		f.incident = in ? in->id : 0;
	}
	if (blind || (m->options->events && f.verdict.id != VERDICT_OFF))
		show_event(m, &f);
}

/* The monitor itself could not see something, `total` times by now. */
static void blind(void *ctx, const char *note, uint64_t total)
{
	struct monitor *m = ctx;
	struct alert *a = total ? alerts_blind(&m->alerts, note, total, m->now, m->flush) : NULL;

	if (a)
		show(m, a);
}

/* --- events in --- */

static void tell_lifecycle(const struct instance *in, enum instance_change change)
{
	switch (change) {
	case INSTANCE_STARTED:
		log_info("instance %s started: pid %u, %s", in->name, in->pid, in->exe);
		break;
	case INSTANCE_AGAIN:
		log_info("instance %s executed itself: pid %u, %s", in->name, in->pid, in->exe);
		break;
	case INSTANCE_ENDED:
		log_info("instance %s ended: pid %u", in->name, in->pid);
		break;
	case INSTANCE_LISTENS:
		log_info("instance %s listens: port %u", in->name, in->port[in->ports - 1]);
		break;
	default:
		break;
	}
}

static void on_lifecycle(struct monitor *m, const struct event *ev)
{
	struct instance *in;
	enum instance_change change = instances_apply(&m->instances, ev, &in);

	if (!in)
		return;
	if (change == INSTANCE_STARTED || change == INSTANCE_AGAIN)
		cgroup_path(m->cgroup_fd, in->cgroup_id, in->cgroup, sizeof(in->cgroup));
	if (change != INSTANCE_SAME)
		rulebook_prevent_upon(&m->rulebook, m->sensors, in);
	if (!m->started)
		return;
	tell_lifecycle(in, change);
	if (change == INSTANCE_STARTED || change == INSTANCE_AGAIN)
		files_started(m->files, in);
	if (change == INSTANCE_ENDED)
		files_ended(m->files, &m->instances, in);
	/* a supervisor may have opened its sockets for it */
	if (change == INSTANCE_STARTED && sensors_mark_sockets(m->sensors, (pid_t)ev->actor.pid))
		blind(m, "sockets handed down to a server could not be looked for",
		      ++m->marks_failed);
}

/*
 * Whoever was killed while it attached leaves the stop that attaching sends behind; a server must not stand
 * still for it. Wherever that stop is on its way, SIGCONT takes it back.
 */
static void mend(const struct event *ev)
{
	if (ev->flags & EVENT_PREVENTED && ev->key.vector == VECTOR_PTRACE &&
	    ev->key.detail == PTRACE_ATTACH && !ev->key.err)
		kill((pid_t)ev->target_tgid, SIGCONT);
}

/* What was dropped leaves two ends that wait: both are told that the connection is over. */
static void cut(struct monitor *m, const struct event *ev)
{
	const struct instance *in = find_instance(m, ev->key.instance);
	int err;

	if (!(ev->flags & EVENT_CONN) || ev->key.rule == RULE_TLS_LISTENER)
		return;
	err = reset_connection(&ev->conn, in ? (pid_t)in->pid : 0);
	if (!err || err == -ENOENT) { /* it ended by itself */
		m->resets++;
		return;
	}
	if (!m->resets_failed)
		log_warn("a connection cannot be reset (%s): its bytes are dropped, its ends wait",
			 strerror(-err));
	blind(m, "connections that could not be reset: dropped, but both ends wait",
	      ++m->resets_failed);
}

/* --- handshakes in --- */

static void judge(struct monitor *m, const struct conn *c, unsigned int rule, bool fine)
{
	static struct event ev; /* large */
	struct alert *a;

	if (fine)
		return;
	conn_event(c, rule, &ev);
	a = alerts_event(&m->alerts, &ev);
	if (a)
		show(m, a);
}

/* Nothing more will come of a connection's handshake. */
static void forget_handshake(struct monitor *m, uint64_t cookie)
{
	static struct event ev;
	const struct conn *c = conns_find(&m->conns, cookie);

	if (!c)
		return;
	conn_event(c, RULE_TLS_VERSION, &ev);
	alerts_forget(&m->alerts, &ev.key);
	conn_event(c, RULE_TLS_CIPHER, &ev);
	alerts_forget(&m->alerts, &ev.key);
}

static void on_clear(void *ctx, const struct clear_piece *p)
{
	struct monitor *m = ctx;
	const struct policy *policy = &m->rulebook.policy;
	const struct conn *c;

	m->now = clock_boot_ns();
	if (p->flags & CLEAR_CLOSED)
		forget_handshake(m, p->cookie);
	c = conns_piece(&m->conns, p);
	if (!c)
		return;
	judge(m, c, RULE_TLS_VERSION, policy_tls_version(policy, c->facts->version));
	judge(m, c, RULE_TLS_CIPHER, policy_tls_cipher(policy, c->facts->cipher));
}

/* What only userspace knows of an attempt. */
static void complete(const struct monitor *m, struct event *ev)
{
	const struct instance *in = find_instance(m, ev->key.instance);

	if (!ev->target_tgid && in) /* a file's owner is an instance, not one of its processes */
		ev->target_tgid = ev->target_tid = in->pid;
	if (ev->key.rule == RULE_MEM_SPILL && ev->key.detail == SWEPT_SWAPPED && proc_swap_sealed())
		ev->flags |= EVENT_SEALED;
}

static void on_attempt(void *ctx, const struct event *ev)
{
	static struct event whole; /* large */
	struct monitor *m = ctx;
	struct alert *a;

	whole = *ev;
	complete(m, &whole);
	a = alerts_event(&m->alerts, &whole);
	if (a)
		show(m, a);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct monitor *m = ctx;
	const struct instance *in;

	m->now = clock_boot_ns();
	if (ev->type == EVENT_FILE) {
		in = instances_find(&m->instances, ev->key.instance);
		if (in)
			files_opened(m->files, in, ev);
	} else if (ev->type != EVENT_ATTEMPT) {
		on_lifecycle(m, ev);
	} else {
		mend(ev);
		if (ev->flags & EVENT_PREVENTED)
			cut(m, ev);
		on_attempt(m, ev);
	}
}

/* --- sweeps --- */

/*
 * The code an instance has mapped, the first time as what it started with. While it starts nothing is a
 * finding.
 */
static int sweep_instance(struct monitor *m, struct instance *in)
{
	int err = sensors_sweep_maps(m->sensors, (pid_t)in->pid, !in->settled);

	if (err || in->settled || !instance_started(in, m->now))
		return err;
	in->settled = true;
	return sensors_settled(m->sensors, in->id);
}

static void sweep(struct monitor *m)
{
	uint64_t took;
	int err;

	collector_poll(m->collector, 0); /* what began just now is not news */
	m->now = m->sweep_began = clock_boot_ns();
	err = sensors_sweep_host(m->sensors);
	for (size_t i = 0; i < m->instances.count; i++) {
		struct instance *in = m->instances.all[i];

		if (in->members && sweep_instance(m, in))
			err = -EIO;
	}
	files_tidy(m->files, &m->instances);
	took = clock_boot_ns() - m->sweep_began;
	m->sweeps++;
	m->sweeps_ns += took;
	if (took > m->sweep_longest_ns)
		m->sweep_longest_ns = took;
	if (err)
		blind(m, "sweeps that failed: what strangers hold was not looked at",
		      ++m->sweeps_failed);
	m->next_sweep = m->options->sweep_s ? m->sweep_began + m->options->sweep_s * NS_PER_SEC
					    : UINT64_MAX;
}

/* An instance whose start is over waits for no sweep: until then its code is not watched. */
static void settle(struct monitor *m)
{
	for (size_t i = 0; i < m->instances.count; i++) {
		struct instance *in = m->instances.all[i];

		if (in->members && !in->settled && instance_started(in, m->now) &&
		    sweep_instance(m, in))
			blind(m, "instances whose code at the start could not be looked at",
			      ++m->settles_failed);
	}
}

/* --- once a second: counts, and what was not seen --- */

static void on_sum(void *ctx, const struct attempt_key *key, const struct attempt *at)
{
	struct monitor *m = ctx;
	struct alert *a = alerts_counted(&m->alerts, key, at, m->now, m->flush);

	if (a)
		show(m, a);
	/* a state is over when a later sweep did not find it */
	if (key->rule == RULE_TLS_LISTENER) /* told once in an instance's life */
		return;
	if (m->now > at->last_ns + IDLE_NS && m->idle_count < ATTEMPTS_MAX &&
	    (key->vector != VECTOR_SWEEP || at->last_ns < m->sweep_began))
		m->idle[m->idle_count++] = *key;
}

static void forget_idle(struct monitor *m)
{
	struct attempt last;

	for (size_t i = 0; i < m->idle_count; i++) {
		struct alert *a;

		if (collector_take(m->collector, &m->idle[i], &last))
			continue;
		a = alerts_counted(&m->alerts, &m->idle[i], &last, m->now, true);
		if (a)
			show(m, a);
		alerts_forget(&m->alerts, &m->idle[i]);
	}
	m->idle_count = 0;
}

static void on_lost(void *ctx, const struct lost_key *key, uint64_t n)
{
	struct monitor *m = ctx;
	const struct instance *in = find_instance(m, key->instance);
	const char *rule = rule_name(key->rule);
	char note[ALERT_NOTE_LEN];

	snprintf(note, sizeof(note), "lost, in no event and no count: %s of %s",
		 rule ? rule : "start, fork or end", in ? in->name : "an unknown instance");
	blind(m, note, n);
}

static void tell_blindness(struct monitor *m)
{
	static const struct {
		enum counter_id id;
		const char *note;
	} notes[] = {
		{COUNTER_RING_FULL, "ring buffer full: events counted without their details"},
		{COUNTER_ATTEMPTS_FULL, "attempts table full: attempts sent one by one"},
		{COUNTER_PROCS_FULL, "process tables full: some members of instances are unknown"},
		{COUNTER_FILES_FULL,
		 "files of instances that could not be entered: who opens them was not seen"},
		{COUNTER_MARK_FAILED,
		 "sockets that could not be marked: their bytes were not seen"},
		{COUNTER_NOTE_FAILED, "accesses inside an open that could not be noted"},
		{COUNTER_SOCKETS_LATE,
		 "sockets of instances that bore no mark: what they carried before was not seen"},
		{COUNTER_THREADS_LATE,
		 "threads of instances that were unknown: what was done to them was not seen"},
		{COUNTER_UNREAD,
		 "segments in which no TCP header was found: their bytes were not read"},
		{COUNTER_SUBFLOWS_UNSEEN,
		 "MPTCP sockets, dialled or from before: what further subflows carry is not seen"},
		{COUNTER_CLEAR_LOST,
		 "TLS handshakes not read whole: their version and cipher are not judged"},
		{COUNTER_CONTENDED, "segments passed unread: another CPU held their stream"},
		{COUNTER_BYTES_UNSYNCED,
		 "bytes passed while a TLS stream's record boundaries were unknown"},
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		blind(m, notes[i].note, sensors_counter(m->sensors, notes[i].id));
	sensors_lost(m->sensors, on_lost, m);
	blind(m, "records in the ring buffer that were no events", collector_refused(m->collector));
	blind(m, "alerts the reader of standard output never gets", m->out.dropped);
	blind(m, "too many incidents at once: the quietest were closed early", m->incidents.forced);
	blind(m, "events that are in no incident: memory ran out", m->incidents.lost);
}

static void on_program_lost(void *ctx, const struct sensor_program *p)
{
	struct monitor *m = ctx;
	char note[ALERT_NOTE_LEN];

	log_error("%s/%s holds no more, unseen: %s (%s)", p->sensor, p->name, p->unseen, p->error);
	snprintf(note, sizeof(note), "%s/%s lost, unseen: %s", p->sensor, p->name, p->unseen);
	blind(m, note, 1);
}

/* --- the guard --- */

/* Here speaks the guard, in its copy of all this; the monitor is dead, or stands still. */
static void on_guard_news(void *ctx, enum guard_news what)
{
	struct monitor *m = ctx;
	struct guard_will will = *m->guard.will, *shared = m->guard.will;
	size_t end = strlen(m->uid_prefix);
	uint64_t until;

	m->guard.will = NULL; /* the monitor's: our own output leaves none */
	m->now = clock_boot_ns();
	if (m->uid_prefix[end - 1] != 'g') /* ids of its own: the monitor went on counting */
		snprintf(m->uid_prefix + end, sizeof(m->uid_prefix) - end, "g");
	output_free(&m->out);
	output_init(&m->out, STDOUT_FILENO);
	if (will.mid_line)
		output_line(&m->out, "\n", 1);
	if (what == GUARD_STOPPED) {
		log_error("the monitor is stopped: nobody watches until it is continued");
		blind(m, "the monitor is stopped: nobody watches until it is continued", 1);
	} else {
		until = m->now + NS_PER_SEC;
		while (collector_poll(m->collector, 0) > 0 && m->now < until)
			;
		blind(m, "alerts that were not written yet when the monitor died", will.unwritten);
		blind(m, "the monitor died unasked: nobody watches any more", 1);
		log_error("the monitor died unasked: nobody watches any more");
	}
	output_pump(&m->out, DRAIN_MS);
	m->guard.will = shared;
}

static void start_guard(struct monitor *m)
{
	int err = m->options->no_guard ? 0 : guard_start(&m->guard, on_guard_news, m);

	if (err)
		log_warn("no guard (%s): whoever kills the monitor is not told of", strerror(-err));
}

static void check_guard(struct monitor *m)
{
	if (!guard_lost(&m->guard))
		return;
	blind(m, "the monitor's guard died unasked; another one was started", ++m->guards_lost);
	start_guard(m);
}

/* --- questions --- */

struct answer {
	struct monitor *m;
	int fd;
	bool json;
};

static void answer_conn(void *ctx, const struct conn_live *live)
{
	const struct answer *a = ctx;
	const struct conn *c = conns_find(&a->m->conns, live->cookie);
	const struct instance *in = find_instance(a->m, live->instance);
	char text[1024];
	const char *line = text;
	size_t len;

	if (a->json)
		line = conn_json(&a->m->json, live, c, in, &len);
	else
		len = conn_text(live, c, in, text, sizeof(text));
	if (line)
		ask_say(&a->m->ask, a->fd, line, len);
}

/* Whoever runs `cachewarden conns` asks for all connections. */
static void on_question(void *ctx, int fd, char question)
{
	struct answer a = {.m = ctx, .fd = fd, .json = question == ASK_CONNS_JSON};

	sensors_live(a.m->sensors, answer_conn, &a);
}

/* Once a second. */
static void tick(struct monitor *m, bool flush)
{
	m->now = clock_boot_ns();
	m->flush = flush;
	if (collector_sums(m->collector, on_sum, m))
		blind(m, "the attempts table could not be read", 1);
	forget_idle(m);
	incidents_tick(&m->incidents, m->now, (uint64_t)m->rulebook.policy.quiet_s * NS_PER_SEC);
	settle(m);
	tell_blindness(m);
	sensors_check(m->sensors, on_program_lost, m);
	check_guard(m);
	ask_serve(&m->ask, on_question, m);
	m->flush = false;
}

/* --- start, loop, end --- */

static void candidate(void *ctx, pid_t pid, const char *argv0)
{
	const char *name = strrchr(argv0, '/') ? strrchr(argv0, '/') + 1 : argv0;
	size_t len = strcspn(name, " ");

	for (const char *const *known = sensor_exe_names; *known; known++) {
		if (strlen(*known) == len && !strncmp(name, *known, len))
			sensors_candidate(ctx, pid);
	}
}

static int start(struct monitor *m)
{
	char error[512], where[256];
	int err;

	if (kernel_ready(error, sizeof(error))) {
		log_error("%s", error);
		return -1;
	}
	err = kernel_tracefs();
	if (err)
		log_warn("tracefs cannot be mounted (%s): syscalls stay unseen", strerror(-err));
	m->cgroup_fd = cgroup_root_open(where, sizeof(where));
	if (m->cgroup_fd < 0) {
		log_error(
			"no cgroup2 hierarchy, and none can be mounted (%s): packets cannot be seen. "
			"Mount one: mount -t cgroup2 none /sys/fs/cgroup/unified",
			strerror(-m->cgroup_fd));
		return -1;
	}
	err = sensors_load(&m->sensors, error, sizeof(error));
	if (!err && sensors_enrol_self(m->sensors))
		log_warn("the monitor cannot enter itself: what is done to it is not told");
	if (!err)
		err = sensors_attach(m->sensors, m->cgroup_fd, error, sizeof(error));
	if (err) {
		log_error("%s", error);
		return -1;
	}
	m->files = files_new(m->sensors, on_attempt, m);
	err = m->files ? collector_open(&m->collector, m->sensors, on_event, m) : -ENOMEM;
	if (err) {
		log_error("the ring buffer cannot be read: %s", strerror(-err));
		return -1;
	}
	err = collector_handshakes(m->collector, sensors_handshakes_fd(m->sensors), on_clear);
	if (err)
		log_warn("handshakes cannot be read (%s): versions and ciphers are not judged",
			 strerror(-err));
	proc_each_title(candidate, m->sensors);
	err = sensors_sweep(m->sensors);
	if (err)
		log_warn("the sweep at start failed (%s): what ran before is not watched",
			 strerror(-err));
	rulebook_prevent(&m->rulebook, m->sensors, &m->instances);
	err = sensors_seal(m->sensors);
	if (err)
		log_warn(
			"the monitor's BPF objects cannot be sealed (%s): strangers may write them",
			strerror(-err));
	m->now = clock_boot_ns();
	collector_poll(m->collector, 0);
	for (size_t i = 0; i < m->instances.count; i++) {
		const struct instance *in = m->instances.all[i];

		log_info("instance %s found: pid %u, %s", in->name, in->pid, in->exe);
		files_started(m->files, in);
		files_found(m->files, in);
	}
	m->started = true;
	collector_poll(m->collector, 0);
	for (size_t i = 0; i < m->instances.count; i++)
		log_info("instance %s: %zu files of its own found", m->instances.all[i]->name,
			 files_count(m->files, m->instances.all[i]->id));
	sweep(m);
	collector_poll(m->collector, 0);
	start_guard(m);
	err = ask_open(&m->ask);
	if (err)
		log_warn("no questions are answered (cachewarden conns): %s", strerror(-err));
	coverage_report(m->sensors, instances_alive(&m->instances), blind, m);
	return 0;
}

/* A full disk may empty again: said once, and the watch goes on. */
static void tell_output_error(struct monitor *m)
{
	if (!m->out.error || m->output_error_told)
		return;
	m->output_error_told = true;
	log_error("standard output: %s; alerts are being lost, the watch goes on",
		  strerror(m->out.error));
}

/* Between two events: whatever comes meanwhile waits in the ring buffer. */
static void reload_policy(struct monitor *m)
{
	reload = 0;
	if (!rulebook_reload(&m->rulebook))
		return;
	rulebook_prevent(&m->rulebook, m->sensors, &m->instances);
	guard_stop(&m->guard); /* its policy is a copy of the old one */
	start_guard(m);
}

/* Returns 0, or -1 when nobody reads any more. */
static int loop(struct monitor *m)
{
	uint64_t begin = clock_boot_ns(), next_tick = begin + TICK_NS;
	uint64_t end =
		m->options->duration_s ? begin + m->options->duration_s * NS_PER_SEC : UINT64_MAX;

	while (!stop) {
		uint64_t now = clock_boot_ns(), until = next_tick < end ? next_tick : end;
		int n;

		if (now >= end)
			return 0;
		if (reload) {
			reload_policy(m);
			continue;
		}
		if (now >= m->next_sweep) {
			sweep(m);
			continue;
		}
		if (m->next_sweep < until)
			until = m->next_sweep;
		if (now >= next_tick) {
			tick(m, false);
			next_tick = now + TICK_NS;
			continue;
		}
		n = collector_poll(m->collector,
				   m->out.len ? 10 : (int)((until - now) / NS_PER_MS) + 1);
		if (n < 0) {
			log_error("the ring buffer cannot be read: %s", strerror(-n));
			return -1;
		}
		output_pump(&m->out, 0);
		leave_will(m);
		if (m->out.error == EPIPE) {
			log_error("nobody reads standard output any more; ending");
			return -1;
		}
		tell_output_error(m);
	}
	return 0;
}

static void summary(struct monitor *m)
{
	uint64_t lost = sensors_counter(m->sensors, COUNTER_LOST);

	log_info("wire: %" PRIu64 " streams out of sync, %" PRIu64
		 " of them in sync again, %" PRIu64 " segments sent while a bystander ran",
		 sensors_counter(m->sensors, COUNTER_STREAMS_UNSYNCED),
		 sensors_counter(m->sensors, COUNTER_STREAMS_RESYNCED),
		 sensors_counter(m->sensors, COUNTER_BYSTANDERS));
	log_info("handshakes: %" PRIu64 " connections, %" PRIu64 " not read whole, %" PRIu64
		 " connections reset",
		 m->conns.seen, sensors_counter(m->sensors, COUNTER_CLEAR_LOST), m->resets);
	log_info("sweeps: %" PRIu64 ", %.1f ms on average, the longest %.1f ms", m->sweeps,
		 m->sweeps ? (double)m->sweeps_ns / (double)m->sweeps / NS_PER_MS : 0.0,
		 (double)m->sweep_longest_ns / NS_PER_MS);
	log_info("incidents: %" PRIu64, m->incidents.next_id);
	log_info("verdicts: %" PRIu64 " events allowed, %" PRIu64 " observed, %" PRIu64
		 " prevented, %" PRIu64 " of rules that are off",
		 m->judged[VERDICT_ALLOWED], m->judged[VERDICT_OBSERVED],
		 m->judged[VERDICT_PREVENTED], m->judged[VERDICT_OFF]);
	log_info("ended: %zu instances, %" PRIu64 " events, %" PRIu64 " alerts, %" PRIu64
		 " dropped, %" PRIu64 " bytes unsynced",
		 m->instances.count, m->attempts, m->alerts.next_id, lost,
		 sensors_counter(m->sensors, COUNTER_BYTES_UNSYNCED));
	if (m->out.dropped || m->out.error)
		log_error("standard output: %" PRIu64 " alerts could not be written (%s)",
			  m->out.dropped,
			  m->out.error ? strerror(m->out.error) : "the reader was too slow");
}

int monitor_run(const struct monitor_options *o)
{
	static struct monitor m; /* the idle list is large */
	char exe[PATH_LEN] = "";
	int err;

	m = (struct monitor){
		.options = o, .cgroup_fd = -1, .colour = !o->json && isatty(STDOUT_FILENO)};
	snprintf(m.uid_prefix, sizeof(m.uid_prefix), "%" PRIx64,
		 (uint64_t)clock_epoch_ms(clock_boot_ns()));
	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		exe[0] = '\0';
	if (!rulebook_open(&m.rulebook, o->policy,
			   (o->prevent ? POLICY_PREVENT_MEMORY : 0) |
				   (o->enforce_tls ? POLICY_PREVENT_PLAINTEXT : 0)))
		return 2;
	instance_self(&m.self, (uint32_t)getpid(), exe);
	catch_signals();
	output_init(&m.out, STDOUT_FILENO);
	m.ask.fd = -1;
	err = alerts_init(&m.alerts) ?: conns_init(&m.conns)
		?: incidents_init(&m.incidents, show_incident, &m);
	if (!err)
		err = start(&m);
	if (!err) {
		err = loop(&m);
		tell_who_stopped();
		guard_stop(&m.guard);
		collector_poll(m.collector, 0);
		tick(&m, true);
		incidents_end(&m.incidents, m.now);
		output_pump(&m.out, DRAIN_MS);
		if (m.out.len)
			m.out.dropped++;
		summary(&m);
		if (m.out.error || m.out.dropped)
			err = -1;
	}
	collector_free(m.collector);
	files_free(m.files);
	sensors_free(m.sensors);
	incidents_free(&m.incidents);
	ask_close(&m.ask);
	alerts_free(&m.alerts);
	conns_free(&m.conns);
	instances_free(&m.instances);
	rulebook_close(&m.rulebook);
	if (m.cgroup_fd >= 0)
		close(m.cgroup_fd);
	output_free(&m.out);
	jsonw_free(&m.json);
	return err ? 3 : 0;
}
