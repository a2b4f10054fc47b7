// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_doctor.c - cachewarden doctor: loads and attaches everything for a moment, and says which
 * rung each sensor stands on and what nobody sees from there.
 */
#include "sensor/cgroup.h"
#include "cmd/cli.h"
#include "base/jsonw.h"
#include "sensor/features.h"
#include "base/log.h"
#include "model/rule.h"
#include "sensor/loader.h"
#include "cmd/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a rung leaves unseen even when all its programs hold: docs/coverage.md has the reasons. */
static const struct {
	const char *sensor, *tier, *unseen;
} limits[] = {
	{"memory", "io_uring",
	 "refused opens through io_uring (no file, and no path at completion)"},
	{"memory", "syscalls",
	 "32-bit callers: what they open, take or steer (reads, writes and PTRACE_ATTACH are seen)"},
	{"memory", "syscalls", "readlink, stat and path walks through /proc/PID/{root,cwd,exe,fd}"},
	{"memory", "syscalls",
	 "refused opens, and fd/N reopened, where the path in user memory hides them"},
	{"memory", "access",
	 "refused opens of files on disk; files renamed, truncated or removed without an open"},
	{"memory", "syscalls",
	 "refused opens of files on disk; files renamed, truncated or removed without an open"},
	{"processes", "hooks",
	 "LD_PRELOAD and its kin of servers from before: they write over their environment"},
	{"wire", "packets", "what reaches a socket without a packet: none known for TCP"},
	{"wire", "packets",
	 "record boundaries of connections from before the monitor, until it finds one"},
};

/* Only what concerns a rung that is stood on here. */
static bool limit_holds(const struct sensor_program *p, size_t n, size_t i)
{
	for (size_t k = 0; k < n; k++) {
		if (!strcmp(p[k].sensor, limits[i].sensor) && !strcmp(p[k].tier, limits[i].tier))
			return true;
	}
	return false;
}

struct diagnosis {
	struct kernel_facts kernel;
	char cgroup[256];
	char error[512];
	struct sensors *sensors;
	uint32_t preventable;
	bool ready;   /* run would work */
	bool partial; /* but some program does not hold */
};

static void diagnose(struct diagnosis *d)
{
	const struct sensor_program *p;
	int fd, err;
	size_t n;

	kernel_look(&d->kernel, true);
	if (kernel_ready(d->error, sizeof(d->error)))
		return;
	err = kernel_tracefs();
	if (err)
		log_warn("tracefs cannot be mounted: %s", strerror(-err));
	fd = cgroup_root_open(d->cgroup, sizeof(d->cgroup));
	if (fd < 0) {
		snprintf(d->error, sizeof(d->error),
			 "no cgroup2 hierarchy, and none can be mounted: %s", strerror(-fd));
		return;
	}
	err = sensors_load(&d->sensors, d->error, sizeof(d->error));
	if (!err)
		err = sensors_attach(d->sensors, fd, d->error, sizeof(d->error));
	close(fd);
	if (err)
		return;
	d->ready = true;
	d->preventable = sensors_preventable(d->sensors);
	n = sensors_programs(d->sensors, &p);
	for (size_t i = 0; i < n; i++)
		d->partial = d->partial || !p[i].attached;
}

static const char *verdict(const struct diagnosis *d)
{
	return !d->ready ? "cannot run" : d->partial ? "partial" : "full";
}

static const char *offered(int err, char *buf, size_t size)
{
	if (!err)
		return "yes";
	snprintf(buf, size, "no (%s)", strerrorname_np(-err) ? strerrorname_np(-err) : "?");
	return err == -ENODATA ? "not tried" : buf;
}

static void text(const struct diagnosis *d)
{
	const struct sensor_program *p = NULL;
	char buf[32], rules[256];
	size_t n = d->sensors ? sensors_programs(d->sensors, &p) : 0;

	printf("kernel        %s %s\n", d->kernel.release, d->kernel.machine);
	printf("root          %s\n", d->kernel.root ? "yes" : "no");
	printf("BTF           %s\n", d->kernel.btf ? "yes" : "no");
	printf("cgroup2       %s\n", d->cgroup[0] ? d->cgroup : "-");
	printf("access hook   fmod_ret %s", offered(d->kernel.fmod_ret, buf, sizeof(buf)));
	printf(", lsm %s%s", offered(d->kernel.lsm, buf, sizeof(buf)),
	       !d->kernel.lsm && !d->kernel.bpf_lsm
		       ? " (but bpf is no active LSM: it would never fire)"
		       : "");
	printf(", fexit %s\n\n", offered(d->kernel.fexit, buf, sizeof(buf)));
	if (n)
		printf("%-10s %-9s %-15s %-5s %s\n", "sensor", "tier", "program", "attached",
		       "without it unseen");
	for (size_t i = 0; i < n; i++) {
		printf("%-10s %-9s %-15s %-5s %s\n", p[i].sensor, p[i].tier, p[i].name,
		       p[i].attached ? "yes" : "NO", p[i].unseen);
		if (p[i].error[0])
			printf("%37s%s\n", "", p[i].error);
	}
	printf("\nunseen from these rungs\n");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limit_holds(p, n, i))
			printf("  %-7s %-9s %s\n", limits[i].sensor, limits[i].tier,
			       limits[i].unseen);
	rule_names(d->preventable, rules, sizeof(rules));
	printf("\nprevention    %s%s%s\n", rules[0] ? rules : "none", rules[0] ? ": " : "",
	       rules[0] ? sensors_preventing(d->sensors) : "");
	printf("coverage      %s%s%s\n", verdict(d), d->error[0] ? ": " : "", d->error);
}

static void put_hook(struct jsonw *j, const char *name, int err)
{
	jsonw_object(j, name);
	jsonw_bool(j, "offered", !err);
	jsonw_int(j, "errno", -err);
	jsonw_end_object(j);
}

static void put_json(const struct diagnosis *d)
{
	const struct sensor_program *p = NULL;
	size_t n = d->sensors ? sensors_programs(d->sensors, &p) : 0, len;
	struct jsonw j = {};
	const char *line;

	jsonw_object(&j, NULL);
	jsonw_string(&j, "version", CACHEWARDEN_VERSION);
	jsonw_string(&j, "kernel", d->kernel.release);
	jsonw_string(&j, "machine", d->kernel.machine);
	jsonw_bool(&j, "root", d->kernel.root);
	jsonw_bool(&j, "btf", d->kernel.btf);
	jsonw_string(&j, "cgroup2", d->cgroup[0] ? d->cgroup : NULL);
	jsonw_bool(&j, "bpf_lsm", d->kernel.bpf_lsm);
	jsonw_object(&j, "access_hook");
	put_hook(&j, "fmod_ret", d->kernel.fmod_ret);
	put_hook(&j, "lsm", d->kernel.lsm);
	put_hook(&j, "fexit", d->kernel.fexit);
	jsonw_end_object(&j);
	jsonw_array(&j, "programs");
	for (size_t i = 0; i < n; i++) {
		jsonw_object(&j, NULL);
		jsonw_string(&j, "sensor", p[i].sensor);
		jsonw_string(&j, "rung", p[i].tier);
		jsonw_string(&j, "program", p[i].name);
		jsonw_bool(&j, "holds", p[i].attached);
		jsonw_string(&j, "unseen_without", p[i].unseen);
		jsonw_string(&j, "error", p[i].error[0] ? p[i].error : NULL);
		jsonw_end_object(&j);
	}
	jsonw_end_array(&j);
	jsonw_array(&j, "unseen");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!limit_holds(p, n, i))
			continue;
		jsonw_object(&j, NULL);
		jsonw_string(&j, "sensor", limits[i].sensor);
		jsonw_string(&j, "rung", limits[i].tier);
		jsonw_string(&j, "what", limits[i].unseen);
		jsonw_end_object(&j);
	}
	jsonw_end_array(&j);
	jsonw_object(&j, "prevention");
	jsonw_array(&j, "rules");
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		if (d->preventable >> r & 1)
			jsonw_string(&j, NULL, rule_name(r));
	}
	jsonw_end_array(&j);
	jsonw_string(&j, "how", d->preventable ? sensors_preventing(d->sensors) : NULL);
	jsonw_end_object(&j);
	jsonw_string(&j, "coverage", verdict(d));
	jsonw_string(&j, "error", d->error[0] ? d->error : NULL);
	jsonw_end_object(&j);
	line = jsonw_done(&j, &len);
	if (line)
		fwrite(line, 1, len, stdout);
	jsonw_free(&j);
}

int cmd_doctor(int argc, char **argv)
{
	int output = 0;
	const struct cli_option options[] = {
		{"--output", "text|json", "text: a table for people; json: one object", CLI_CHOICE,
		 &output},
	};
	int code = cli_parse("doctor", "say what this kernel offers and what stays unseen", options,
			     sizeof(options) / sizeof(options[0]), argc, argv);
	struct diagnosis d = {};

	if (code >= 0)
		return code;
	diagnose(&d);
	if (output == 1)
		put_json(&d);
	else
		text(&d);
	sensors_free(d.sensors);
	if (!d.ready)
		log_error("%s", d.error);
	return d.ready ? EXIT_FINE : EXIT_CANNOT;
}
