// SPDX-License-Identifier: BSD-2-Clause
/* metrics.c - see metrics.h. The names are a contract: dashboards and alerts use them. */
#include "monitor/metrics.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/macros.h"
#include "base/proc.h"
#include "monitor/conn_count.h"
#include "monitor/health.h"
#include "monitor/loss.h"
#include "sensor/coverage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The page that is being written, and the row whose samples come next. */
struct out {
	FILE *to;
	const struct metric *metric;
	bool begun; /* a sample of it was written: its help precedes the first one */
};

struct metric {
	const char *name, *type, *help;
	void (*write)(struct out *o, const struct monitor *m);
};

/* --- text --- */

static void put_label(struct out *o, const char *name, const char *value, bool first)
{
	fprintf(o->to, "%s%s=\"", first ? "{" : ",", name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", o->to);
		else if (*value == '"' || *value == '\\')
			fprintf(o->to, "\\%c", *value);
		else
			fputc(*value, o->to);
	}
	fputc('"', o->to);
}

static void put_labels(struct out *o, va_list labels)
{
	const char *name, *suffix = "";

	while ((name = va_arg(labels, const char *))) {
		put_label(o, name, va_arg(labels, const char *), !suffix[0]);
		suffix = "}";
	}
	fputs(suffix, o->to);
}

static void begin(struct out *o)
{
	const struct metric *k = o->metric;

	if (!o->begun)
		fprintf(o->to, "# HELP %s %s\n# TYPE %s %s\n", k->name, k->help, k->name, k->type);
	o->begun = true;
	fputs(k->name, o->to);
}

/* A whole number. Then names and values of labels, NULL at the end. */
__attribute__((sentinel)) static void put(struct out *o, uint64_t value, ...)
{
	va_list labels;

	begin(o);
	va_start(labels, value);
	put_labels(o, labels);
	va_end(labels);
	fprintf(o->to, " %" PRIu64 "\n", value);
}

static void put_seconds(struct out *o, double value)
{
	begin(o);
	fprintf(o->to, " %.3f\n", value);
}

/* --- the monitor --- */

static void build_info(struct out *o, const struct monitor *m)
{
	put(o, 1, "version", CACHEWARDEN_VERSION, "kernel", host_get()->kernel, NULL);
}

static void problems(struct out *o, const struct monitor *m)
{
	static struct health h; /* large */

	health_check(m, &h);
	put(o, h.lines + h.more, NULL);
}

static void start_time(struct out *o, const struct monitor *m)
{
	put_seconds(o, (double)clock_epoch_ms(m->began_ns) / 1000);
}

static void cpu(struct out *o, const struct monitor *m)
{
	struct rusage u;

	if (!getrusage(RUSAGE_SELF, &u))
		put_seconds(o, (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
				       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
}

static void memory(struct out *o, const struct monitor *m)
{
	uint64_t pages = proc_resident_pages();

	if (pages)
		put(o, pages * (uint64_t)sysconf(_SC_PAGESIZE), NULL);
}

static void guard(struct out *o, const struct monitor *m)
{
	put(o, m->guard.pid != 0, NULL);
}

static void heartbeats(struct out *o, const struct monitor *m)
{
	if (m->options->heartbeat_s)
		put(o, m->heartbeat.count, NULL);
}

/* --- what happened --- */

/* Zeros, too: a series that begins with its first event has no increase. */
static void events(struct out *o, const struct monitor *m)
{
	for (unsigned int rule = RULE_NONE + 1; rule < RULE_MAX; rule++) {
		for (unsigned int v = 0; v < VERDICT_MAX && rule != RULE_SELF_BLIND; v++)
			put(o, m->totals.events[rule][v], "rule", rule_name(rule), "verdict",
			    verdict_name(v), NULL);
	}
}

static void incidents(struct out *o, const struct monitor *m)
{
	put(o, m->incidents.next_id, NULL);
}

static void incidents_open(struct out *o, const struct monitor *m)
{
	put(o, m->incidents.by_lineage.count, NULL);
}

/* --- what was not seen --- */

static void put_losses(struct out *o, const struct monitor *m, const char *group, const char *label)
{
	for (size_t i = 0; i < losses; i++) {
		if (!strcmp(loss[i].group, group))
			put(o, sensors_counter(m->sensors, loss[i].id), label, loss[i].name, NULL);
	}
}

static void lost(struct out *o, const struct monitor *m)
{
	put_losses(o, m, "lost", "reason");
}

static void wire(struct out *o, const struct monitor *m)
{
	put_losses(o, m, "wire", "kind");
}

static void blind_spots(struct out *o, const struct monitor *m)
{
	uint64_t all = 0;

	for (struct alert *a = NULL; (a = alerts_next(&m->alerts, a));) {
		if (a->ev.key.rule == RULE_SELF_BLIND)
			all++;
	}
	put(o, all, NULL);
}

static void sensor_attached(struct out *o, const struct monitor *m)
{
	struct sensor_part part[SENSOR_PARTS_MAX];
	size_t n = sensors_parts(m->sensors, part);

	for (size_t i = 0; i < n; i++)
		put(o, part[i].attached == part[i].programs, "sensor", part[i].sensor, "tier",
		    part[i].tier, NULL);
}

static void uncovered(struct out *o, const struct monitor *m)
{
	put_seconds(o, (double)m->totals.uncovered_ns / 1e9);
}

static void lag(struct out *o, const struct monitor *m)
{
	put_seconds(o, (double)m->lag.most_ns / 1e9);
}

static void late(struct out *o, const struct monitor *m)
{
	put(o, m->lag.late, NULL);
}

static void sweeps(struct out *o, const struct monitor *m)
{
	put(o, m->sweeps.count, NULL);
}

static void sweeps_failed(struct out *o, const struct monitor *m)
{
	put(o, m->sweeps.failed, NULL);
}

/* --- servers --- */

static void instances(struct out *o, const struct monitor *m)
{
	put(o, instances_alive(&m->instances), NULL);
}

/* The first ones that live. Two that have not said where they listen may have one name: they are counted together. */
struct named {
	const char *name[METRICS_INSTANCES + 1]; /* the last one: METRICS_OTHERS */
	size_t count;
};

static size_t place_of(struct named *n, const char *name)
{
	size_t i = 0;

	while (i < n->count && strcmp(n->name[i], name))
		i++;
	if (i == METRICS_INSTANCES)
		name = METRICS_OTHERS;
	if (i == n->count)
		n->name[n->count++] = name;
	return i;
}

static void plaintext_bytes(struct out *o, const struct monitor *m)
{
	uint64_t bytes[METRICS_INSTANCES + 1] = {};
	struct named n = {};

	for (size_t i = 0; i < m->instances.count; i++) {
		const struct instance *in = m->instances.all[i];

		if (in->members)
			bytes[place_of(&n, in->name)] += in->plaintext_bytes;
	}
	for (size_t i = 0; i < n.count; i++)
		put(o, bytes[i], "instance", n.name[i], NULL);
}

static void connections(struct out *o, const struct monitor *m)
{
	static struct conn_count row[CONN_COUNTS_MAX]; /* large */
	size_t rows = conn_counts(m, row), place[CONN_COUNTS_MAX];
	struct named n = {};

	for (size_t i = 0; i < rows; i++) {
		const struct instance *in = instances_find(&m->instances, row[i].instance);

		place[i] = place_of(&n, in ? in->name : METRICS_OTHERS);
	}
	for (size_t i = 0; i < rows; i++) {
		uint64_t count = row[i].count;

		for (size_t k = i + 1; k < rows;
		     k++) { /* rows with the same labels are one sample */
			if (place[k] == place[i] && row[k].version == row[i].version) {
				count += row[k].count;
				row[k].count = 0;
			}
		}
		if (row[i].count)
			put(o, count, "instance", n.name[place[i]], "tls_version",
			    conn_count_version(&row[i]), NULL);
	}
}

/* --- output and evidence --- */

static void output_waiting(struct out *o, const struct monitor *m)
{
	for (size_t i = 0; i < m->sinks.count; i++)
		put(o, m->output[i].lag, "sink", m->sinks.sink[i].name, NULL);
}

static void output_lost(struct out *o, const struct monitor *m)
{
	for (size_t i = 0; i < m->sinks.count; i++)
		put(o, m->output[i].dropped, "sink", m->sinks.sink[i].name, NULL);
}

static bool has_log(const struct monitor *m, struct writer_status *ret)
{
	if (m->evidence.writer)
		writer_status(m->evidence.writer, ret);
	return m->evidence.writer;
}

static void evidence_size(struct out *o, const struct monitor *m)
{
	struct writer_status s;

	if (has_log(m, &s))
		put(o, s.entries, NULL);
}

static void evidence_signed(struct out *o, const struct monitor *m)
{
	struct writer_status s;

	if (has_log(m, &s))
		put_seconds(o, (double)s.signed_ms / 1000);
}

static void evidence_waiting(struct out *o, const struct monitor *m)
{
	struct writer_status s;

	if (has_log(m, &s))
		put(o, s.waiting, NULL);
}

static void evidence_lost(struct out *o, const struct monitor *m)
{
	struct writer_status s;

	if (has_log(m, &s))
		put(o, s.lost + s.refused, NULL);
}

static void evidence_failed(struct out *o, const struct monitor *m)
{
	struct writer_status s;

	if (has_log(m, &s))
		put(o, s.failed, NULL);
}

static void cosigned_size(struct out *o, const struct monitor *m)
{
	if (m->policy.policy.witness)
		put(o, m->witnessing.size, NULL);
}

static void cosigned_time(struct out *o, const struct monitor *m)
{
	if (m->witnessing.time_ms)
		put_seconds(o, (double)m->witnessing.time_ms / 1000);
}

static void witness_failed(struct out *o, const struct monitor *m)
{
	if (!m->policy.policy.witness)
		return;
	put(o, m->witnessing.failed, "why", "unreached", NULL);
	put(o, m->witnessing.refused, "why", "refused", NULL);
	put(o, m->witnessing.damaged, "why", "damaged", NULL);
}

/* --- the table --- */

#define NAME(text) "cachewarden_" text

static const struct metric metrics[] = {
	{NAME("build_info"), "gauge", "Always 1; version of the monitor and release of the kernel.",
	 build_info},
	{NAME("problems"), "gauge",
	 "What is wrong with the monitor, number of lines that cachewarden status shows; 0: all is well.",
	 problems},
	{NAME("guard_running"), "gauge",
	 "Whether the process runs that reports the monitor's death.", guard},
	{NAME("heartbeats_total"), "counter", "Heartbeats sent; only with --heartbeat.",
	 heartbeats},
	{NAME("events_total"), "counter", "Attempts that broke a rule, by what the policy said.",
	 events},
	{NAME("incidents_total"), "counter", "Incidents opened.", incidents},
	{NAME("incidents_open"), "gauge", "Incidents that are not closed.", incidents_open},
	{NAME("events_lost_total"), "counter",
	 "What was not recorded, or not in full; attempts: in no event and no count.", lost},
	{NAME("wire_total"), "counter",
	 "Sockets, segments, streams and bytes that were not followed throughout.", wire},
	{NAME("blind_spots"), "gauge", "Different things that could not be seen since the start.",
	 blind_spots},
	{NAME("sensor_attached"), "gauge", "Whether all programs of the sensor are attached.",
	 sensor_attached},
	{NAME("uncovered_seconds_total"), "counter",
	 "Time in which a program was not attached, or no monitor ran since one was killed.",
	 uncovered},
	{NAME("lag_seconds_max"), "gauge", "The longest that an event or tick was handled late.",
	 lag},
	{NAME("late_total"), "counter", "Events and ticks handled more than a second late.", late},
	{NAME("sweeps_total"), "counter", "Sweeps for what no hook saw.", sweeps},
	{NAME("sweeps_failed_total"), "counter", "Sweeps that failed.", sweeps_failed},
	{NAME("instances"), "gauge", "Servers watched.", instances},
	{NAME("connections"), "gauge", "Open connections whose handshake was seen.", connections},
	{NAME("plaintext_bytes_total"), "counter",
	 "Bytes of the server's connections that should have been TLS and were not.",
	 plaintext_bytes},
	{NAME("output_waiting_messages"), "gauge", "Messages that the reader has not taken yet.",
	 output_waiting},
	{NAME("output_lost_messages_total"), "counter", "Messages that the reader never gets.",
	 output_lost},
	{NAME("evidence_tree_size"), "gauge",
	 "Entries of the evidence log that its checkpoint covers.", evidence_size},
	{NAME("last_checkpoint_timestamp_seconds"), "gauge",
	 "When the log's checkpoint was signed.", evidence_signed},
	{NAME("evidence_waiting_records"), "gauge", "Records that wait for the disk.",
	 evidence_waiting},
	{NAME("evidence_lost_records_total"), "counter", "Records that are not in the log.",
	 evidence_lost},
	{NAME("evidence_failed_commits_total"), "counter", "Attempts to write the log that failed.",
	 evidence_failed},
	{NAME("evidence_cosigned_tree_size"), "gauge",
	 "Entries of the log that its witness cosigned last; 0: none in this run.", cosigned_size},
	{NAME("last_cosignature_timestamp_seconds"), "gauge", "When the witness cosigned the log.",
	 cosigned_time},
	{NAME("evidence_witness_failures_total"), "counter",
	 "Attempts to have the log cosigned that failed, by why: unreached; refused: it has seen another log; or damaged: the log here cannot be read.",
	 witness_failed},
	{"process_start_time_seconds", "gauge", "When the monitor was started.", start_time},
	{"process_cpu_seconds_total", "counter", "CPU time of the monitor, without its guard.",
	 cpu},
	{"process_resident_memory_bytes", "gauge", "Memory of the monitor.", memory},
};

bool metrics_row(size_t i, struct metric_row *ret)
{
	if (i >= ARRAY_SIZE(metrics))
		return false;
	*ret = (struct metric_row){metrics[i].name, metrics[i].type, metrics[i].help};
	return true;
}

void metrics_write(const struct monitor *m, FILE *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		struct out o = {.to = to, .metric = &metrics[i]};

		metrics[i].write(&o, m);
	}
}

void metrics_tick(struct monitor *m)
{
	char *page = NULL;
	size_t len;
	FILE *to;

	if (!metrics_server_ready(&m->metrics))
		return;
	to = open_memstream(&page, &len);
	if (!to)
		return;
	metrics_write(m, to);
	if (!fclose(to))
		metrics_server_page(&m->metrics, page, len);
	else
		free(page);
}
