// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_doctor.c - cachewarden doctor: loads and attaches everything for a moment, and shows which tier each
 * sensor reached, which programs are attached, and what stays unseen. Watches nothing.
 */
#include "cmd/cli.h"
#include "cmd/verbs.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/macros.h"
#include "model/rule.h"
#include "policy/policy.h"
#include "sensor/cgroup.h"
#include "sensor/features.h"
#include "sensor/sensors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct diagnosis {
	struct kernel_facts kernel;
	char cgroup[256];
	char error[512];
	struct sensors *sensors;
	const struct sensor_program *programs; /* of the tiers chosen on this kernel */
	size_t program_count;
	uint32_t preventable; /* rules, 1u << rule */
	bool ready;	      /* `run` would work */
	bool partial;	      /* but some program is not attached */
};

static void diagnose(struct diagnosis *d, bool quiet)
{
	int fd, err;

	kernel_probe(&d->kernel, true);
	if (kernel_ready(d->error, sizeof(d->error)))
		return;
	err = kernel_tracefs();
	if (err)
		log_warn("cannot mount tracefs: %s; syscall tracepoints will be missing",
			 strerror(-err));
	fd = cgroup_root_open(d->cgroup, sizeof(d->cgroup));
	if (fd < 0) {
		snprintf(d->error, sizeof(d->error), "cannot find or mount a cgroup2 hierarchy: %s",
			 strerror(-fd));
		return;
	}
	err = sensors_load(&d->sensors, quiet, NULL, d->error, sizeof(d->error));
	if (!err)
		err = sensors_attach(d->sensors, fd, d->error, sizeof(d->error));
	close(fd);
	if (d->sensors)
		d->program_count = sensors_programs(d->sensors, &d->programs);
	if (err)
		return;
	d->ready = true;
	d->preventable = sensors_preventable(d->sensors);
	for (size_t i = 0; i < d->program_count; i++)
		d->partial = d->partial || !d->programs[i].attached;
}

static const char *coverage(const struct diagnosis *d)
{
	if (!d->ready)
		return "cannot run";
	if (d->partial)
		return "partial";
	return sensors_are_quiet(d->sensors) ? "quiet" : "full";
}

/* --- text --- */

static void print_hook(const char *name, int err)
{
	if (!err)
		printf("%s yes", name);
	else if (err == -ENODATA)
		printf("%s not tried", name);
	else
		printf("%s no (%s)", name, strerrorname_np(-err) ? strerrorname_np(-err) : "?");
}

static void print_kernel(const struct diagnosis *d)
{
	printf("kernel        %s %s\n", d->kernel.release, d->kernel.machine);
	printf("root          %s\n", d->kernel.root ? "yes" : "no");
	printf("BTF           %s\n", d->kernel.btf ? "yes" : "no");
	printf("cgroup2       %s\n", d->cgroup[0] ? d->cgroup : "-");
	printf("access check  ");
	print_hook("fmod_ret", d->kernel.fmod_ret);
	print_hook(", lsm", d->kernel.lsm);
	if (!d->kernel.lsm && !d->kernel.bpf_lsm)
		printf(" (loads, but never fires: bpf is not an active LSM)");
	print_hook(", fexit", d->kernel.fexit);
	printf("\n");
}

static void print_programs(const struct diagnosis *d)
{
	size_t limit_count;
	const struct sensor_limit *limits = sensor_limits(&limit_count);

	if (!d->program_count)
		return;
	printf("\n%-10s %-9s %-15s %-9s %s\n", "sensor", "tier", "program", "attached",
	       "unseen without it");
	for (size_t i = 0; i < d->program_count; i++) {
		const struct sensor_program *p = &d->programs[i];

		printf("%-10s %-9s %-15s %-9s %s\n", p->sensor, p->tier, p->name,
		       p->attached ? "yes" : "NO", p->unseen);
		if (p->error[0])
			printf("%-47s%s\n", "", p->error);
	}
	printf("\nunseen on these tiers, with everything attached\n");
	for (size_t i = 0; i < limit_count; i++) {
		if (sensor_limit_applies(&limits[i], d->programs, d->program_count))
			printf("  %-10s %-9s %s\n", limits[i].sensor, limits[i].tier,
			       limits[i].unseen);
	}
}

static void print_text(const struct diagnosis *d)
{
	char rules[256];

	rule_names(d->preventable, rules, sizeof(rules));
	print_kernel(d);
	print_programs(d);
	if (rules[0])
		printf("\nprevention    %s: %s\n", rules, sensors_prevention_text(d->sensors));
	else
		printf("\nprevention    none\n");
	printf("coverage      %s%s%s\n", coverage(d), d->error[0] ? ": " : "", d->error);
}

/* --- JSON; its member names are stable --- */

static void json_hook(struct jsonw *j, const char *name, int err)
{
	jsonw_object(j, name);
	jsonw_bool(j, "offered", !err);
	jsonw_int(j, "errno", -err);
	jsonw_end_object(j);
}

static void json_kernel(struct jsonw *j, const struct diagnosis *d)
{
	jsonw_string(j, "version", CACHEWARDEN_VERSION);
	jsonw_string(j, "kernel", d->kernel.release);
	jsonw_string(j, "machine", d->kernel.machine);
	jsonw_bool(j, "root", d->kernel.root);
	jsonw_bool(j, "btf", d->kernel.btf);
	jsonw_string(j, "cgroup2", d->cgroup[0] ? d->cgroup : NULL);
	jsonw_bool(j, "bpf_lsm", d->kernel.bpf_lsm);
	jsonw_object(j, "choke_point");
	json_hook(j, "fmod_ret", d->kernel.fmod_ret);
	json_hook(j, "lsm", d->kernel.lsm);
	json_hook(j, "fexit", d->kernel.fexit);
	jsonw_end_object(j);
}

static void json_programs(struct jsonw *j, const struct diagnosis *d)
{
	jsonw_array(j, "programs");
	for (size_t i = 0; i < d->program_count; i++) {
		const struct sensor_program *p = &d->programs[i];

		jsonw_object(j, NULL);
		jsonw_string(j, "sensor", p->sensor);
		jsonw_string(j, "rung", p->tier);
		jsonw_string(j, "program", p->name);
		jsonw_bool(j, "holds", p->attached);
		jsonw_string(j, "unseen_without", p->unseen);
		jsonw_string(j, "error", p->error[0] ? p->error : NULL);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static void json_limits(struct jsonw *j, const struct diagnosis *d)
{
	size_t limit_count;
	const struct sensor_limit *limits = sensor_limits(&limit_count);

	jsonw_array(j, "unseen");
	for (size_t i = 0; i < limit_count; i++) {
		if (!sensor_limit_applies(&limits[i], d->programs, d->program_count))
			continue;
		jsonw_object(j, NULL);
		jsonw_string(j, "sensor", limits[i].sensor);
		jsonw_string(j, "rung", limits[i].tier);
		jsonw_string(j, "what", limits[i].unseen);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static void json_prevention(struct jsonw *j, const struct diagnosis *d)
{
	jsonw_object(j, "prevention");
	jsonw_array(j, "rules");
	for (unsigned int rule = RULE_NONE + 1; rule < RULE_MAX; rule++) {
		if (d->preventable >> rule & 1)
			jsonw_string(j, NULL, rule_name(rule));
	}
	jsonw_end_array(j);
	jsonw_string(j, "how", d->preventable ? sensors_prevention_text(d->sensors) : NULL);
	jsonw_end_object(j);
}

static void print_json(const struct diagnosis *d)
{
	struct jsonw j = {};
	const char *line;
	size_t len;

	jsonw_object(&j, NULL);
	json_kernel(&j, d);
	json_programs(&j, d);
	json_limits(&j, d);
	json_prevention(&j, d);
	jsonw_string(&j, "coverage", coverage(d));
	jsonw_string(&j, "error", d->error[0] ? d->error : NULL);
	jsonw_end_object(&j);
	line = jsonw_done(&j, &len);
	if (line)
		fwrite(line, 1, len, stdout);
	jsonw_free(&j);
}

int cmd_doctor(int argc, char **argv)
{
	int output = 0, tier = TIER_FULL;
	const struct cli_arg args[] = {
		{"--output", "text|json", "Print a table, or one JSON object. Default: text.",
		 CLI_CHOICE, &output},
		{"--tier", "full|quiet", "As for run. Default: full.", CLI_CHOICE, &tier},
	};
	int code = cli_parse(
		&(struct cli_command){
			"doctor",
			"Loads and attaches all BPF programs for a moment and shows what this kernel supports, what\n"
			"is attached, and what stays unseen. Exits with 3 if 'cachewarden run' cannot work here.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	struct diagnosis d = {};

	if (code != CLI_PROCEED)
		return code;
	diagnose(&d, tier == TIER_QUIET);
	if (output == 1)
		print_json(&d);
	else
		print_text(&d);
	sensors_free(d.sensors);
	if (!d.ready)
		log_error("%s", d.error);
	return d.ready ? EXIT_FINE : EXIT_CANNOT;
}
