// SPDX-License-Identifier: BSD-2-Clause
/*
 * monitor.c - the main loop. What happens to an event, in order:
 *
 *   event -> instance     events.c applies it to the server it concerns
 *   -> alert              model/alert.h: the first of a kind at once, repeats counted once a second
 *   -> policy             report.c fills a finding and evaluates it
 *   -> incident           model/incident.h: what one actor does to one server
 *   -> evidence           evidence.h: queued for the log before any sink is called
 *   -> sinks              report/sinks.h: formatted and delivered, never waiting for a reader
 *
 * Besides, a tick once a second (counters, blind spots, the guard, the heartbeat), sweeps for what no hook saw, and
 * requests on the control socket.
 */
#include "monitor/monitor.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/log.h"
#include "base/macros.h"
#include "monitor/ask.h"
#include "monitor/conns_request.h"
#include "monitor/counters.h"
#include "monitor/describe.h"
#include "monitor/events.h"
#include "monitor/handoff.h"
#include "monitor/handover.h"
#include "monitor/health.h"
#include "monitor/heartbeat.h"
#include "monitor/metrics.h"
#include "monitor/recent_request.h"
#include "monitor/report.h"
#include "monitor/signals.h"
#include "monitor/startup.h"
#include "monitor/state.h"
#include "monitor/status_request.h"
#include "monitor/sweeps.h"
#include "monitor/tally.h"
#include "monitor/upgrade_request.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TICK_NS NS_PER_SEC
#define SUSPENDED_MIN_NS (100 * NS_PER_MS) /* the two clocks are not read at the same instant */
#define RETRY_OUTPUT_MS 10 /* between attempts to write what a slow reader has not taken */

static void check_turn(struct monitor *m)
{
	if (!sensors_turn_check(m->sensors))
		report_blind_spot(
			m, "somebody changed which monitor reports: nothing was reported meanwhile",
			++m->totals.turns_changed);
}

static void tick(struct monitor *m, bool last)
{
	m->now = clock_boot_ns();
	m->flushing = last;
	counters_attempts(m);
	incidents_tick(&m->incidents, m->now, (uint64_t)m->policy.policy.quiet_s * NS_PER_SEC);
	sweeps_baseline(m);
	instances_trim(&m->instances);
	events_check_sharing(m);
	describe_servers(m);
	counters_blind_spots(m);
	counters_programs(m);
	counters_lag(m);
	if (!last) {
		ask_tick(m);
		witnessing_tick(&m->witnessing, &m->evidence,
				m->policy.policy.witness); /* before others reap its process */
	}
	check_turn(m);
	handoff_check(m);
	heartbeat_tick(m);
	tally_tick(m, false);
	control_alive(&m->control);
	if (!last) {
		metrics_tick(m);
		health_tick(m);
	}
	m->flushing = false;
}

/* Between two events; what arrives meanwhile waits in the ring buffer. */
static void reload_policy(struct monitor *m)
{
	char error[POLICY_ERROR_LEN];

	service_reloading(&m->service);
	if (!active_policy_reload(&m->policy, error)) {
		evidence_policy_refused(&m->evidence, m->policy.file, error);
		service_say(&m->service, "READY=1"); /* with the old one */
		return;
	}
	active_policy_prevent(&m->policy, m->sensors, &m->instances);
	active_policy_check(&m->policy, &m->instances);
	asks_restart(&m->asks);
	evidence_policy(&m->evidence, &m->policy.policy, "reloaded");
	guard_stop(&m->guard); /* it has a copy of the old policy */
	handoff_start(m);
	service_say(&m->service, "READY=1");
}

/*
 * Deliver what is queued. Returns 0, or -1 after an error message when a vital sink's reader has gone. Other errors are
 * logged once per sink: a full disk may have space again.
 */
static int deliver(struct monitor *m, bool *ret_pending)
{
	const struct sink *failed;
	int error;

	*ret_pending = !report_flush(m, 0);
	while ((failed = sinks_take_error(&m->sinks, &error))) {
		if (error == EPIPE && failed->row.ops->vital) {
			log_error("%s: the reader is gone, ending", failed->name);
			return -1;
		}
		log_error("%s%s: %s; alerts are being lost, monitoring continues",
			  failed->row.ops->vital ? "" : "sink ", failed->name,
			  sink_error(failed, error));
	}
	return 0;
}

static void answer(void *ctx, int fd, const struct control_request *request)
{
	switch (request->letter) {
	case CONTROL_STATUS:
		status_request(ctx, fd);
		break;
	case CONTROL_INCIDENTS:
		recent_request_incidents(ctx, fd, request->number);
		break;
	case CONTROL_UPGRADE:
		upgrade_request(ctx, fd);
		break;
	case CONTROL_EVENTS:
		recent_request_events(ctx, fd, request->number);
		break;
	default:
		conns_request(ctx, fd, request);
	}
}

/*
 * Wait for events, at most timeout_ms, and handle them. Requests on the control socket are answered at once, but after the
 * events that precede them: a handshake that the client of the request has finished is known by then.
 */
static int receive(struct monitor *m, int timeout_ms)
{
	struct pollfd fd[1 + CONTROL_POLL_MAX + 1] = {
		{.fd = collector_fd(m->collector), .events = POLLIN}};
	size_t count = 1 + control_poll(&m->control, fd + 1);
	int ready, n;

	count += handover_poll(&m->handover, fd + count);
	ready = poll(fd, count, timeout_ms);
	n = collector_poll(m->collector, 0);
	if (ready > (fd[0].revents != 0)) /* a client's is among them */
		control_serve(&m->control, answer, m);
	return n;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How long the host was suspended since the last call: no process ran then, so nothing counts as late. */
static uint64_t suspended(struct monitor *m)
{
	uint64_t total = clock_suspended_ns(), since = total - m->suspended_ns;

	if (total < m->suspended_ns + SUSPENDED_MIN_NS)
		return 0;
	m->suspended_ns = total;
	m->lag.since_ns = clock_boot_ns();
	return since;
}

/* Returns 0 when the monitor is to end, -1 after an error message. */
static int loop(struct monitor *m)
{
	uint64_t now = clock_boot_ns(), next_tick = now + TICK_NS, end = UINT64_MAX, until;
	bool pending = false;
	int n;

	m->lag.since_ns = now;
	m->suspended_ns = clock_suspended_ns();
	if (m->options->duration_s)
		end = now + m->options->duration_s * NS_PER_SEC;
	for (; !signals_stop() && now < end && !handover_over(&m->handover, now);
	     now = clock_boot_ns()) {
		handover_tick(m, now);
		handoff_alive(m);
		service_alive(&m->service, now);
		evidence_tick(&m->evidence, &m->conns);
		next_tick += suspended(m);
		if (signals_take_reload())
			reload_policy(m);
		if (now >= m->sweeps.next_ns)
			sweeps_run(m);
		if (now >= m->plaintext_due_ns) {
			m->now = now;
			report_waiting(m);
		}
		if (now >= next_tick) {
			lag_note(&m->lag, next_tick, clock_boot_ns());
			tick(m, false);
			next_tick = now + TICK_NS;
		}
		until = earliest(earliest(next_tick, end),
				 earliest(m->sweeps.next_ns, m->plaintext_due_ns));
		until = earliest(until, handover_due(&m->handover));
		now = clock_boot_ns();
		until = earliest(until, discovery_due(&m->discovery, now));
		n = receive(m, pending	     ? RETRY_OUTPUT_MS
			       : until > now ? (int)((until - now) / NS_PER_MS) + 1
					     : 0);
		events_discover(m);
		if (n < 0) {
			log_error("cannot read the ring buffer: %s", strerror(-n));
			return -1;
		}
		if (deliver(m, &pending))
			return -1;
	}
	return 0;
}

/* The next monitor may open what this one has closed. It reports already, so this one's time ended then. */
static void hand_over(struct monitor *m)
{
	int err;

	service_say(&m->service, "MAINPID=%d", (int)m->handover.pid);
	control_close(&m->control);
	metrics_server_close(&m->metrics);
	err = handover_done(m);
	if (err) { /* the guard goes on, and reports that nothing is monitored */
		log_error("pid %d, which took over, is gone (%s)", (int)m->handover.pid,
			  strerror(-err));
		return;
	}
	guard_stop(&m->guard);
	log_info("handed over to pid %d, ending", (int)m->handover.pid);
}

static void end(struct monitor *m)
{
	bool handed = handover_over(&m->handover, clock_boot_ns());

	if (handed) {
		guard_leaving(&m->guard);
	} else {
		handover_cancel(m);
		service_say(&m->service, "STOPPING=1");
		guard_stop(
			&m->guard); /* else it is still to report, should this not get to its end */
	}
	signals_log_sender();
	collector_poll(m->collector, 0);
	tick(m, true);
	sweeps_save(m, handed); /* the next one may have written less since, and reads it again */
	incidents_end(&m->incidents, handed ? END_HANDOVER : END_MONITOR, m->now);
	if (handed)
		m->now = m->handover.at_ns;
	tally_tick(m, true);
	report_end(m, OUTPUT_DRAIN_MS);
	counters_summary(m);
	if (handed)
		evidence_handover(&m->evidence, m->handover.pid, m->self.exe, m->handover.at_ms);
	evidence_close(&m->evidence, &m->conns,
		       &(struct evidence_totals){m->totals.attempts, m->incidents.next_id,
						 sensors_counter(m->sensors, COUNTER_LOST)});
	if (handed)
		hand_over(m);
	else
		witnessing_end(&m->witnessing, &m->evidence, m->policy.policy.witness);
}

static void release(struct monitor *m)
{
	evidence_close(&m->evidence, NULL,
		       &(struct evidence_totals){}); /* unless it was ended properly */
	tally_free(&m->tally);
	collector_free(m->collector);
	asks_free(&m->asks);
	files_free(m->files);
	sharing_free(&m->sharing);
	lookalikes_free(&m->lookalikes);
	discovery_free(&m->discovery);
	sensors_free(m->sensors);
	incidents_free(&m->incidents);
	free(m->recent);
	control_close(&m->control);
	metrics_server_close(&m->metrics);
	service_close(&m->service);
	alerts_free(&m->alerts);
	conns_free(&m->conns);
	instances_free(&m->instances);
	active_policy_close(&m->policy);
	if (m->cgroup_fd >= 0)
		close(m->cgroup_fd);
	sinks_close(&m->sinks);
}

/* Those of the policy and of the options. Returns 0, or -1 after an error message. */
static int open_sinks(struct monitor *m)
{
	struct policy_sink all[POLICY_SINKS_MAX];
	const struct policy *p = &m->policy.policy;
	const char *failed;
	int err;

	if (p->sinks + m->options->sinks > POLICY_SINKS_MAX) {
		log_error("too many sinks: at most %d, those of the policy and --sink together",
			  POLICY_SINKS_MAX);
		return -1;
	}
	for (size_t i = 0; i < p->sinks; i++)
		all[i] = p->sink[i];
	for (size_t i = 0; i < m->options->sinks; i++)
		all[p->sinks + i] = m->options->sink[i];
	err = sinks_open(&m->sinks, m->options->format, all, p->sinks + m->options->sinks, &failed);
	if (err)
		log_error("cannot open %s: %s", failed, strerror(-err));
	return err;
}

/* Returns 0, or -1 after an error message. */
static int init(struct monitor *m)
{
	char exe[PATH_LEN] = "";
	uint64_t run;
	int err;

	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		exe[0] = '\0';
	m->instances.boot = host_get()->boot_id;
	instance_self(&m->self, (uint32_t)getpid(), exe);
	if (getrandom(&run, sizeof(run), 0) != sizeof(run)) {
		log_error("cannot get random bytes for the ids of findings: %s", strerror(errno));
		return -1;
	}
	snprintf(m->uid_prefix, sizeof(m->uid_prefix), "%016" PRIx64, run);
	signals_catch();
	if (open_sinks(
		    m)) /* first: their processes are forked before there are threads and BPF maps */
		return -1;
	if (!m->handover.takes_over) /* else the one before still writes it */
		startup_evidence(m);
	m->recent = calloc(1, sizeof(*m->recent));
	err = (m->recent ? 0 : -ENOMEM) ?: alerts_init(&m->alerts) ?: conns_init(&m->conns)
		?: incidents_init(&m->incidents, report_incident, m)
		?: lookalikes_init(&m->lookalikes) ?: discovery_init(&m->discovery);
	if (err)
		log_error("cannot set up the tables of alerts, connections and incidents: %s",
			  strerror(-err));
	return err;
}

int monitor_run(const struct monitor_options *o)
{
	static struct monitor m; /* too large for the stack */
	uint32_t prevent = (o->prevent ? POLICY_PREVENT_MEMORY : 0) |
			   (o->enforce_tls ? POLICY_PREVENT_PLAINTEXT : 0);
	int err;

	m = (struct monitor){.options = o,
			     .began_ns = clock_boot_ns(),
			     .cgroup_fd = -1,
			     .control.fd = -1,
			     .plaintext_due_ns = UINT64_MAX};
	if (handover_adopt(&m.handover))
		return 3;
	service_open(&m.service);
	if (!active_policy_open(&m.policy, o->policy, prevent))
		return 2;
	err = init(&m) ?: startup(&m);
	if (!err) {
		service_say(&m.service, "READY=1");
		health_tick(&m);
		err = loop(&m);
		end(&m);
		if (report_lost(&m))
			err = -1;
	}
	release(&m);
	if (err)
		return 3;
	return o->fail_on && m.totals.worst >= o->fail_on ? 1 : 0;
}
