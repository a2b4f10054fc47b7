/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep_code.c - code that gets into a server after its start (modules, mappings, breakpoints), and memory that is
 * swapped out.
 */
#include "sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char *module_path(void)
{
	char *real = realpath("build/triggers/nothing.so", NULL);
	const char *path = str("%s", real ?: "");

	require(real, "build/triggers/nothing.so: %s (make tests)", strerror(errno));
	free(real);
	return path;
}

static void object_is(const char *rule, const char *path)
{
	json_t *alert = alert_find(sweep_mon, rule, 0);

	require(!strcmp(alert_str(alert, "object"), path), "object is %s, not %s",
		alert_str(alert, "object"), path);
}

void sweep_module_loaded(const void *arg)
{
	struct client *c = client_open(sweep_redis, "127.0.0.1", true);
	const char *reply = client_do(c, str("MODULE LOAD %s", module_path()));

	require(!strncmp(reply, "+OK", 3), "MODULE LOAD: %s", reply);
	sleep_ms(SWEEPS_MS);
	expect(sweep_mon, {.rule = "mem-inject",
			   .vector = "mmap",
			   .detail = "file",
			   .server = sweep_redis,
			   .count = 1});
	object_is("mem-inject", module_path());
	client_close(c);
}

void sweep_module_at_start(const void *arg)
{
	struct server *s =
		server_start(&(struct server_opts){.extra = str("loadmodule %s", module_path())});

	sleep_ms(STARTED_MS + SWEEPS_MS);
	require(file_has(s->log, "Module 'nothing' loaded"), "no module: %s", file_read(s->log));
	expect_nothing(sweep_mon);
}

/* They act in their tests, and have finished starting by then. */
static struct server *standins[STANDINS];

void sweep_code_setup(void)
{
	static const char *const what[STANDINS] = {[STANDIN_WX] = "wx",
						   [STANDIN_RWX] = "rwx",
						   [STANDIN_FILE] = "file",
						   [STANDIN_GROW] = "grow"};

	for (int i = 0; i < STANDINS; i++)
		standins[i] = standin_start(
			what[i], i == STANDIN_FILE ? trigger_path("vm_once") : NULL, false);
}

void sweep_injected(const void *arg)
{
	const struct injected_code *in = arg;
	struct server *s = standins[in->standin];

	standin_act(s);
	sleep_ms(SWEEPS_MS);
	expect(sweep_mon, {.rule = "mem-inject",
			   .vector = in->vector,
			   .detail = in->detail,
			   .server = s,
			   .count = 1});
	if (in->standin == STANDIN_FILE)
		object_is("mem-inject", trigger_path("vm_once"));
}

void sweep_allocates(const void *arg)
{
	standin_act(standins[STANDIN_GROW]);
	sleep_ms(SWEEPS_MS);
	expect_nothing(sweep_mon);
}

void sweep_probe_planted(const void *arg)
{
	struct trigger t = trigger_stay("uprobe");

	sleep_ms(SWEEPS_MS);
	expect(sweep_mon,
	       {.rule = "mem-probe",
		.vector = "perf_event_open",
		.detail = "uprobe",
		.server = sweep_redis,
		.by = &t},
	       {.rule = "mem-probe",
		.vector = "perf_event_open",
		.detail = "uprobe",
		.server = sweep_probed,
		.by = &t});
}

#define ZRAM "/sys/block/zram0"

static void zram_off(void)
{
	run_command(5000, "swapoff", "/dev/zram0");
	file_write(ZRAM "/reset", "1");
}

void sweep_swapped_out(const void *arg)
{
	struct server *s;
	long long end;
	json_t *alert;
	struct run r;

	if (access(ZRAM, F_OK) || strcmp(file_read(ZRAM "/disksize"), "0\n"))
		test_skip("no zram here to swap to, or it is in use");
	file_write(ZRAM "/disksize", "67108864");
	r = run_command(5000, "mkswap", "/dev/zram0");
	require(!r.status, "mkswap: %s", r.err);
	r = run_command(5000, "swapon", "/dev/zram0");
	require(!r.status, "swapon: %s", r.err);
	s = standin_start("swap", NULL, false);
	kill(s->pid, SIGUSR1);
	end = now_ms() + 8000 * patience;
	while (!(alert = alert_find(sweep_mon, "mem-spill", 0)) && now_ms() < end)
		sleep_ms(20);
	zram_off();
	require(alert && alert_int(alert, "instance.pid") == s->pid, "no mem-spill: %s",
		file_read(sweep_mon->out));
	require(strstr(alert_str(alert, "detail"), "pages swapped out, encrypted or in RAM") &&
			atoi(alert_str(alert, "detail")) > 0,
		"detail is %s", alert_str(alert, "detail"));
	require(!strcmp(alert_str(alert, "severity"), "info"), "severity %s",
		alert_str(alert, "severity"));
}
