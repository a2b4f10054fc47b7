/* SPDX-License-Identifier: BSD-2-Clause */
/* files_host.c - what a server is started with, and the host's own ways to its memory. */
#include "files.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- environment at the start ---- */

void files_variable(const void *arg)
{
	const struct variable *v = arg;
	struct server *b = server_prepare(&(struct server_opts){});

	b->pid = child_start(
		(const char *const[]){"/usr/bin/env", v->set, REDIS_SERVER, b->config, NULL},
		&(struct child_opts){});
	if (!v->dies)
		server_ready(b);
	if (v->rule)
		expect(files_mon, {.rule = v->rule,
				   .vector = "exec",
				   .detail = v->detail,
				   .server = b,
				   .young = true});
	else
		expect_nothing(files_mon);
	if (!v->dies)
		server_stop(b, SIGTERM);
}

void files_variable_of_stranger(const void *arg)
{
	run_command(3000, "/usr/bin/env", "LD_PRELOAD=libm.so.6", "/bin/true");
	expect_nothing(files_mon);
}

/* ---- files of the host ---- */

void files_host_file(const void *arg)
{
	const struct host_file *f = arg;
	struct trigger t;

	if (access(f->path, F_OK))
		test_skip("no %s here", f->path);
	t = trigger("file_open", f->path, "-m", f->mode);
	if (files_open_errno(&t))
		test_skip("%s cannot be opened here: errno %d", f->path, files_open_errno(&t));
	if (f->rule)
		expect(files_mon,
		       {.rule = f->rule, .vector = "openat", .detail = f->detail, .by = &t});
	else
		expect_nothing(files_mon);
}

void files_mem_node(const void *arg)
{
	struct trigger t = trigger("file_open", str("%s/node", scratch), "-w", "mem");

	if (files_open_errno(&t))
		test_skip("there is no memory device: errno %d", files_open_errno(&t));
	expect(files_mon,
	       {.rule = "mem-kernel", .vector = "openat", .detail = "/dev/mem", .by = &t});
}

void files_preload(const void *mode)
{
	const char *path = str("%s/etc/ld.so.preload", scratch);
	struct trigger t;

	mkdir(str("%s/etc", scratch), 0755);
	file_write(path, "");
	t = trigger("file_open", path, "-m", mode);
	if (!strcmp(mode, "r"))
		expect_nothing(files_mon);
	else
		expect(files_mon,
		       {.rule = "mem-inject",
			.vector = "openat",
			.detail = "/etc/ld.so.preload",
			.by = &t},
		       {.rule = "mem-inject",
			.detail = "/etc/ld.so.preload",
			.optional = true, /* the test itself writes it first */
			.many = true});
}

void files_dump_filter(const void *mode)
{
	struct trigger t =
		trigger("proc_open", pid_of(files_server), "coredump_filter", "-m", mode);

	if (files_open_errno(&t))
		test_skip("no coredump_filter here");
	if (!strcmp(mode, "r"))
		expect_nothing(files_mon);
	else
		expect(files_mon, {.rule = "mem-dump",
				   .vector = "openat",
				   .detail = "coredump_filter",
				   .server = files_server,
				   .by = &t});
}
