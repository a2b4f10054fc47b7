/* SPDX-License-Identifier: BSD-2-Clause */
/* files_host.c - what a server is started with, and the host's own ways to its memory. */
#include "files.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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
	const char *device = arg;
	struct trigger t = trigger("file_open", str("%s/node", scratch), "-w", device);

	if (files_open_errno(&t))
		test_skip("/dev/%s cannot be opened: errno %d", device, files_open_errno(&t));
	expect(files_mon,
	       {.rule = "mem-kernel", .vector = "openat", .detail = "/dev/mem", .by = &t});
}

/* ---- the disk below ---- */

static struct server
	*on_disk; /* its data is on a file system of its own, in a mount namespace of its own */

static void mount_disk(void)
{
	if (unshare(CLONE_NEWNS) ||
	    system(str("mount --make-rprivate / && mount -o loop %s.img %s/disk", on_disk->dir,
		       on_disk->dir)))
		_exit(1);
}

/* Returns a name for the block device below its dump. */
static const char *disk_of_server(void)
{
	struct server *s = server_prepare(&(struct server_opts){});
	const char *image = str("%s.img", s->dir), *at = str("%s/disk", s->dir), *node;
	struct stat st;
	struct run r;

	r = run_command(10000, "bash", "-c",
			str("mkdir %s && truncate -s 8M %s && mke2fs -q -F %s && "
			    "mount -o loop %s %s && umount %s",
			    at, image, image, image, at, at));
	if (r.status)
		test_skip("no file system in a file here: %s", r.err);
	file_write(s->config, str("%s\ndir %s\n", file_read(s->config), at));
	on_disk = s;
	server_run_with(s, mount_disk);
	server_save(s);
	require(!stat(str("/proc/%d/root%s/dump.rdb", s->pid, at), &st), "no dump");
	node = str("%s.node", s->dir);
	require(!mknod(node, S_IFBLK | 0600, st.st_dev), "mknod: %s", strerror(errno));
	sleep_ms(SWEEPS_MS); /* one finds the device */
	monitors_mark();
	return node;
}

void files_disk(const void *arg)
{
	const char *node = disk_of_server();

	for (int i = 0; i < 2; i++) {
		struct trigger t = trigger("file_open", node, "-m", i ? "rw" : "r");

		require(!files_open_errno(&t), "errno %d", files_open_errno(&t));
		expect(files_mon, {.rule = "rest-file",
				   .vector = "openat",
				   .detail = "block device below files of servers",
				   .by = &t});
		monitors_mark();
	}
}

/* A block device of nobody's: a loop device without a file. */
void files_other_disk(const void *arg)
{
	const char *other = str("%s/other.node", scratch);
	struct trigger t;

	require(!mknod(other, S_IFBLK | 0600, makedev(7, 63)), "mknod: %s", strerror(errno));
	t = trigger("file_open", other);
	unlink(other);
	if (files_open_errno(&t))
		test_skip("no such device: errno %d", files_open_errno(&t));
	expect_nothing(files_mon);
}

void files_disk_tool(const void *arg)
{
	const char *node;
	json_t *alert;
	struct run r;

	if (access("/usr/sbin/blkid", X_OK))
		test_skip("no blkid");
	node = disk_of_server();
	r = run_command(5000, "/usr/sbin/blkid", "-p", node);
	require(strstr(r.out, "ext"), "blkid: %s", r.out);
	sleep_ms(SETTLE_MS);
	alert = alert_find(files_mon, "rest-file", 0);
	require(alert && !strcmp(alert_str(alert, "verdict"), "observed"), "not observed");
	monitors_mark();
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
