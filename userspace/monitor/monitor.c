// SPDX-License-Identifier: BSD-2-Clause
/*
 * monitor.c - the product's story: event -> instance -> policy -> incident -> output, and, once a second,
 * what was counted and what was not seen.
 */
#include "monitor/state.h"

#include "sensor/cgroup.h"
#include "base/clock.h"
#include "sensor/coverage.h"
#include "sensor/features.h"
#include "base/log.h"
#include "base/proc.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_NS NS_PER_SEC

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

const struct instance *monitor_instance(const struct monitor *m, uint32_t id)
{
	return id == INSTANCE_SELF ? &m->self : instances_find(&m->instances, id);
}

/* Once a second. */
static void tick(struct monitor *m, bool flush)
{
	m->now = clock_boot_ns();
	m->flush = flush;
	monitor_counters(m);
	incidents_tick(&m->incidents, m->now,
		       (uint64_t)m->policy_state.policy.quiet_s * NS_PER_SEC);
	monitor_baseline(m);
	monitor_blind_spots(m);
	monitor_programs(m);
	handoff_check(m);
	control_serve(&m->ask, control_request, m);
	m->flush = false;
}

static void candidate(void *ctx, pid_t pid, const char *argv0)
{
	const char *name = strrchr(argv0, '/') ? strrchr(argv0, '/') + 1 : argv0;
	size_t len = strcspn(name, " ");

	for (const char *const *known = sensor_exe_names; *known; known++) {
		if (strlen(*known) == len && !strncmp(name, *known, len))
			sensors_candidate(ctx, pid);
	}
}

/* What is needed of the host. Returns 0, or -1 and said why. */
static int prepare(struct monitor *m)
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
	if (m->cgroup_fd >= 0)
		return 0;
	log_error("no cgroup2 hierarchy, and none can be mounted (%s): packets cannot be seen. "
		  "Mount one: mount -t cgroup2 none /sys/fs/cgroup/unified",
		  strerror(-m->cgroup_fd));
	return -1;
}

/* The sensors see, and what they see is read. Returns 0, or -1 and said why. */
static int attach(struct monitor *m)
{
	char error[512];
	int err = sensors_load(&m->sensors, error, sizeof(error));

	if (!err && sensors_enrol_self(m->sensors))
		log_warn("the monitor cannot enter itself: what is done to it is not told");
	if (!err)
		err = sensors_attach(m->sensors, m->cgroup_fd, error, sizeof(error));
	if (err) {
		log_error("%s", error);
		return -1;
	}
	m->files = files_new(m->sensors, monitor_attempt, m);
	err = m->files ? collector_open(&m->collector, m->sensors, monitor_event, m) : -ENOMEM;
	if (err) {
		log_error("the ring buffer cannot be read: %s", strerror(-err));
		return -1;
	}
	err = collector_handshakes(m->collector, sensors_handshakes_fd(m->sensors),
				   monitor_handshake);
	if (err)
		log_warn("handshakes cannot be read (%s): versions and ciphers are not judged",
			 strerror(-err));
	return 0;
}

/* Who ran before, and what is theirs. */
static void find_instances(struct monitor *m)
{
	int err;

	proc_each_title(candidate, m->sensors);
	err = sensors_sweep(m->sensors);
	if (err)
		log_warn("the sweep at start failed (%s): what ran before is not watched",
			 strerror(-err));
	active_policy_prevent(&m->policy_state, m->sensors, &m->instances);
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
}

static int start(struct monitor *m)
{
	int err;

	if (prepare(m) || attach(m))
		return -1;
	find_instances(m);
	monitor_sweep(m);
	collector_poll(m->collector, 0);
	handoff_start(m);
	err = control_open(&m->ask);
	if (err)
		log_warn("no questions are answered (cachewarden conns): %s", strerror(-err));
	coverage_report(m->sensors, instances_alive(&m->instances), report_blind_spot, m);
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
	if (!active_policy_reload(&m->policy_state))
		return;
	active_policy_prevent(&m->policy_state, m->sensors, &m->instances);
	guard_stop(&m->guard); /* its policy is a copy of the old one */
	handoff_start(m);
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
			monitor_sweep(m);
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
		handoff_update(m);
		if (m->out.error == EPIPE) {
			log_error("nobody reads standard output any more; ending");
			return -1;
		}
		tell_output_error(m);
	}
	return 0;
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
	if (!active_policy_open(&m.policy_state, o->policy,
				(o->prevent ? POLICY_PREVENT_MEMORY : 0) |
					(o->enforce_tls ? POLICY_PREVENT_PLAINTEXT : 0)))
		return 2;
	instance_self(&m.self, (uint32_t)getpid(), exe);
	catch_signals();
	output_init(&m.out, STDOUT_FILENO);
	m.ask.fd = -1;
	err = alerts_init(&m.alerts) ?: conns_init(&m.conns)
		?: incidents_init(&m.incidents, report_incident, &m);
	if (!err)
		err = start(&m);
	if (!err) {
		err = loop(&m);
		tell_who_stopped();
		guard_stop(&m.guard);
		collector_poll(m.collector, 0);
		tick(&m, true);
		incidents_end(&m.incidents, m.now);
		output_pump(&m.out, OUTPUT_DRAIN_MS);
		if (m.out.len)
			m.out.dropped++;
		monitor_summary(&m);
		if (m.out.error || m.out.dropped)
			err = -1;
	}
	collector_free(m.collector);
	files_free(m.files);
	sensors_free(m.sensors);
	incidents_free(&m.incidents);
	control_close(&m.ask);
	alerts_free(&m.alerts);
	conns_free(&m.conns);
	instances_free(&m.instances);
	active_policy_close(&m.policy_state);
	if (m.cgroup_fd >= 0)
		close(m.cgroup_fd);
	output_free(&m.out);
	jsonw_free(&m.json);
	return err ? 3 : 0;
}
