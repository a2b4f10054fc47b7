// SPDX-License-Identifier: BSD-2-Clause
/* startup.c - see startup.h. */
#include "monitor/startup.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/proc.h"
#include "model/server_name.h"
#include "monitor/ask.h"
#include "monitor/events.h"
#include "monitor/files_search.h"
#include "monitor/files_state.h"
#include "monitor/handoff.h"
#include "monitor/handover.h"
#include "monitor/other_monitors.h"
#include "monitor/report.h"
#include "monitor/run_dir.h"
#include "monitor/sweeps.h"
#include "monitor/tally.h"
#include "sensor/cgroup.h"
#include "sensor/coverage.h"
#include "sensor/features.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Check and mount what the sensors need. Mounting may move the monitor to a mount namespace of its own. */
static int prepare_host(struct monitor *m, struct self_start *ret)
{
	char error[512], where[256];
	int err;

	ret->mnt_ns = proc_mnt_ns("self");
	ret->init_mnt_ns = proc_mnt_ns("1");
	if (kernel_ready(error, sizeof(error))) {
		log_error("%s", error);
		return -1;
	}
	err = kernel_tracefs();
	if (err)
		log_warn(
			"cannot mount tracefs (%s): system calls will go unseen; mount it, then restart: "
			"mount -t tracefs none /sys/kernel/tracing",
			strerror(-err));
	m->cgroup_fd = cgroup_root_open(where, sizeof(where));
	if (m->cgroup_fd >= 0)
		return 0;
	log_error(
		"no cgroup2 hierarchy is mounted and none can be (%s), so packets cannot be seen; "
		"mount one: mount -t cgroup2 none /sys/fs/cgroup/unified",
		strerror(-m->cgroup_fd));
	return -1;
}

/* Load and attach the sensors, and connect their ring buffers to events.c. */
static int attach(struct monitor *m, const struct self_start *start)
{
	int64_t tier = m->options->tier < 0 ? m->policy.policy.tier : m->options->tier;
	char error[512];
	const struct predecessor *before = m->handover.takes_over ? &m->handover.before : NULL;
	int err = sensors_load(&m->sensors, tier == TIER_QUIET, before, error, sizeof(error));

	if (!err && sensors_share_out(m->sensors))
		log_warn("cannot divide the tables among users: one of them may fill them");
	if (!err && sensors_register_self(m->sensors, start))
		log_warn("cannot register the monitor: tampering with it will go unreported");
	if (!err)
		err = sensors_attach_processes(m->sensors, error, sizeof(error));
	if (!err) {
		other_monitors_adopt(m->sensors);
		handover_recognise(&m->handover, m->sensors);
		if (sensors_sweep_monitors(m->sensors))
			log_warn("cannot find other monitors: what they read of servers will be "
				 "reported");
		err = sensors_attach(m->sensors, m->cgroup_fd, error, sizeof(error));
	}
	if (err) {
		log_error("%s", error);
		return -1;
	}
	if (tier == TIER_QUIET && !sensors_are_quiet(m->sensors))
		log_info(
			"the quiet tier is for kernels since Linux 6.13 on which syscalls pay for the monitor: not used here");
	m->files = files_new(m->sensors, events_attempt, m);
	err = m->files ? collector_open(&m->collector, m->sensors, events_receive, m) : -ENOMEM;
	if (err) {
		log_error("cannot read the ring buffer: %s", strerror(-err));
		return -1;
	}
	err = collector_handshakes(m->collector, sensors_handshakes_fd(m->sensors),
				   events_handshake);
	if (err)
		log_warn(
			"cannot read handshakes (%s): TLS versions and ciphers will not be evaluated",
			strerror(-err));
	return 0;
}

/* A server whose executable has another name still has its own in the title that it sets. */
static void find_title(void *ctx, pid_t pid)
{
	char title[256];

	if (proc_title(pid, title, sizeof(title)) && server_name_in_title(title))
		sensors_add_candidate(ctx, pid);
}

/* Servers that cannot be found by the name of their executable. Returns 0, or -1 after an error message. */
static int name_servers(struct monitor *m)
{
	const struct monitor_options *o = m->options;

	for (size_t i = 0; i < o->exe_count; i++) {
		int err = sensors_add_exe_name(m->sensors, o->exe[i]);

		if (err) {
			log_error("--exe %s: %s", o->exe[i], strerror(-err));
			return -1;
		}
	}
	for (size_t i = 0; i < o->pid_count; i++)
		sensors_add_candidate(m->sensors, o->pid[i]);
	proc_each(find_title, m->sensors);
	lookalikes_adopt(&m->lookalikes, m->sensors);
	return 0;
}

/* Were the processes named by --pid found? Returns 0, or -1 after an error message. */
static int named_found(struct monitor *m)
{
	const struct monitor_options *o = m->options;

	for (size_t i = 0; i < o->pid_count; i++) {
		if (!sensors_has_member(m->sensors, o->pid[i])) {
			log_error(
				"--pid %d: not a process that can be watched: it has ended, or is a thread "
				"or a kernel thread",
				(int)o->pid[i]);
			return -1;
		}
	}
	return 0;
}

/* What the last monitor knew; NULL if it left nothing that can be used. */
static struct files_state *recall(void)
{
	struct files_state *ret;
	unsigned int line = 0;
	int err = files_state_load(&ret, &line);

	if (err == -EBADMSG)
		log_warn("%s/files is damaged at line %u and ignored: files that only it knew are "
			 "unprotected until their servers are restarted; it will be replaced",
			 run_dir_path(), line);
	else if (err && err != -ENOENT)
		log_warn(
			"%s/files is ignored (%s): it and its directory must belong to root, and nobody else "
			"may write them",
			run_dir_path(), strerror(-err));
	return ret;
}

static void recall_files(struct monitor *m, const struct files_state *known)
{
	int n = files_state_learn(known, m->files, m->sensors, &m->instances);

	if (n)
		log_info("%d file%s of servers known from the last monitor", n, n == 1 ? "" : "s");
}

/*
 * Find the servers that run already, and what is theirs: processes, sockets, files. Returns 0, or -1 after an error
 * message.
 */
static int find_instances(struct monitor *m)
{
	struct files_state *known;
	char program[2 * PATH_LEN];
	int err;

	if (name_servers(m))
		return -1;
	err = sensors_sweep(m->sensors);
	if (err)
		log_warn(
			"the initial sweep failed (%s): servers that run already are not monitored",
			strerror(-err));
	if (named_found(m))
		return -1;
	active_policy_prevent(&m->policy, m->sensors, &m->instances);
	err = sensors_seal(m->sensors);
	if (err)
		log_warn("cannot seal the monitor's BPF objects (%s): others can write them",
			 strerror(-err));
	m->now = clock_boot_ns();
	collector_poll(m->collector, 0);
	known = recall();
	files_state_number(known, &m->instances);
	for (size_t i = 0; i < m->instances.count; i++) {
		const struct instance *in = m->instances.all[i];

		instance_program(in, program, sizeof(program));
		log_info("instance %s found: pid %u, %s", in->name, in->pid, program);
		evidence_instance(&m->evidence, in, "found", true);
		files_started(m->files, in);
		files_search(m->files, m->sensors, in);
	}
	recall_files(m, known);
	files_state_free(known);
	active_policy_check(&m->policy, &m->instances);
	m->started = true;
	collector_poll(m->collector, 0); /* the files just found */
	for (size_t i = 0; i < m->instances.count; i++)
		files_log(m->files, m->instances.all[i]);
	return 0;
}

/* An earlier monitor and its guard were killed together; nobody could report it until now. */
static void on_killed(void *ctx, pid_t pid, time_t alive)
{
	int64_t gone_ms = clock_epoch_ms(clock_boot_ns()) - (int64_t)alive * 1000;
	char note[ALERT_NOTE_LEN], seen[64], time[CLOCK_TEXT_LEN];
	struct monitor *m = ctx;

	clock_text((int64_t)alive * 1000, time, sizeof(time));
	snprintf(seen, sizeof(seen), "alive at %s", time);
	snprintf(
		note, sizeof(note),
		"an earlier monitor, pid %d, was killed with its guard: nothing was monitored since",
		(int)pid);
	log_error("%s; %s", note, seen);
	if (gone_ms > 0)
		m->totals.uncovered_ns += (uint64_t)gone_ms * NS_PER_MS;
	report_unwatched(m, note, seen);
}

void startup_evidence(struct monitor *m)
{
	struct evidence_from from = {};

	if (m->handover.takes_over)
		from = (struct evidence_from){m->handover.pid, m->handover.at_ms};
	evidence_open(&m->evidence, m->options->evidence ?: m->policy.policy.evidence,
		      m->uid_prefix, &from);
	evidence_policy(&m->evidence, &m->policy.policy, "loaded");
}

/* What was not seen, or may not have been, because the one before did not get to its end. */
static void report_handover(struct monitor *m, enum handover_end end)
{
	static const char *const what[] = {
		[HANDOVER_DIED] = "ended on its way",
		[HANDOVER_HUNG] = "did not go on and was killed",
		[HANDOVER_STUCK] = "did not go on, was killed, and has not ended",
	};
	char note[ALERT_NOTE_LEN];

	if (end == HANDOVER_CLEAN) {
		log_info("took over from pid %d", (int)m->handover.pid);
		return;
	}
	snprintf(note, sizeof(note),
		 "pid %d, from which this monitor takes over, %s: its last events may be lost",
		 (int)m->handover.pid, what[end]);
	log_error("%s", note);
	report_blind_spot(m, note, 1);
}

/* What the one before learnt since this one began. */
static void recall_again(struct monitor *m)
{
	struct files_state *known = recall();

	recall_files(m, known);
	files_state_free(known);
}

/* Everything is attached, and what there is, is known: report from now on, instead of the one before. */
static void take_over(struct monitor *m)
{
	enum handover_end end;

	/* the one before counts until then: some bytes twice are better than none */
	tally_baseline(m);
	end = handover_take(m);
	handoff_start(m); /* at once: the guard of the one before is gone */
	m->now = clock_boot_ns();
	startup_evidence(m);
	tally_begin(m); /* before the ring buffer is read: ends of connections are in it */
	for (size_t i = 0; i < m->instances.count; i++)
		evidence_instance(&m->evidence, m->instances.all[i], "found", true);
	report_kept(m);
	report_handover(m, end);
	recall_again(m);
	collector_poll(m->collector, 0);
	handoff_alive(m);
	sweeps_run(m); /* the first that finds anything */
}

int startup(struct monitor *m)
{
	struct self_start start;
	int err;

	if (prepare_host(m, &start) || attach(m, &start) || find_instances(m))
		return -1;
	sweeps_run(m);
	collector_poll(m->collector, 0);
	if (m->handover.takes_over)
		take_over(m);
	else
		handoff_start(m);
	err = control_open(&m->control, on_killed, m);
	if (err)
		log_warn(
			"control socket unavailable (%s): `cachewarden status`, `conns` and `incidents` will not work",
			strerror(-err));
	metrics_server_want(&m->metrics, m->options->metrics ?: m->policy.policy.metrics,
			    m->handover.takes_over ? m->handover.listen_fd : m->service.listen_fd);
	ask_tick(m);
	evidence_sensors(&m->evidence, m->sensors);
	if (!m->handover.takes_over)
		tally_begin(m);
	coverage_report(m->sensors, instances_alive(&m->instances), report_blind_spot, m);
	return 0;
}
