/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.c - opening a server's files at rest is reported with the actor, however the file is opened; and files that
 * others may read. files_fd.c has descriptors without an open, files_host.c the host's files and a server's start.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

struct server *files_server;
const char *files_dump;
struct monitor *files_mon;

static struct server *old; /* started before the monitor */
static struct trigger holder, ring_holder, own_ring_holder;

static const char *in_dir(const struct server *s, const char *name)
{
	return strdup(str("%s/%s", s->dir, name));
}

static struct server *with_files(void)
{
	struct server *s = server_prepare(&(struct server_opts){
		.extra = "appendonly yes\nenable-debug-command yes\naclfile ACLFILE"});
	char *text = file_read(s->config), *at = strstr(text, "ACLFILE");

	*at = '\0';
	file_write(s->config, str("%s%s/users.acl\n", text, s->dir));
	file_write(str("%s/users.acl", s->dir), "user default on nopass ~* &* +@all\n");
	free(text);
	return s;
}

static void setup(void)
{
	const char *old_dump;

	old = with_files();
	server_run(old);
	server_save(old);
	old_dump = in_dir(old, "dump.rdb");
	holder = trigger_stay("file_open", old_dump, "-h");
	ring_holder = trigger_stay("uring_direct", old_dump, "hold");
	own_ring_holder = trigger_stay("uring_direct", old_dump, "registered");
	files_mon = monitor_start("--sweep", "1", NULL);
	files_server = with_files();
	server_run(files_server);
	server_save(files_server);
	files_dump = in_dir(files_server, "dump.rdb");
	sleep_ms(SWEEPS_MS);
}

static void teardown(void)
{
	monitor_stop(files_mon, SIGTERM);
}

int files_open_errno(const struct trigger *t)
{
	return (int)trigger_int(t, "errno");
}

/* ---- files of a server --------------------------------------------------------------------------- */

struct way {
	const char *way, *mode, *vector;
};

#define WAY(...) &((const struct way){__VA_ARGS__})

static void dump_opened(const void *arg)
{
	const struct way *w = arg;
	struct trigger t = trigger("file_open", files_dump, "-w", w->way, "-m", w->mode ?: "r");

	if (!strcmp(w->way, "uring") && files_open_errno(&t) == ENOSYS)
		test_skip("no io_uring here");
	if (!strcmp(w->way, "handle") && files_open_errno(&t) == EOPNOTSUPP)
		test_skip("this file system has no handles");
	require(!files_open_errno(&t), "it was not opened: errno %d", files_open_errno(&t));
	expect(files_mon, {.rule = "rest-file",
			   .vector = w->vector,
			   .detail = "data file",
			   .server = files_server,
			   .by = &t});
}

/* The directory of its data is a symbolic link; a file is opened through it, and past it. */
static void symlinked_dir(const void *arg)
{
	struct server *b = server_prepare(&(struct server_opts){});
	const char *real = strdup(str("%s/real", b->dir)), *link = strdup(str("%s/link", b->dir));
	char *text = file_read(b->config), *dir = strstr(text, "\ndir ");
	struct trigger t, u;

	require(!mkdir(real, 0700) && !symlink(real, link), "mkdir, symlink: %s", strerror(errno));
	if (dir)
		dir[1] = '#';
	file_write(b->config, str("%s\ndir %s\n", text, link));
	free(text);
	server_run(b);
	server_save(b);
	t = trigger("file_open", str("%s/dump.rdb", link));
	u = trigger("file_open", str("%s/dump.rdb", real));
	expect(files_mon, {.rule = "rest-file", .detail = "data file", .server = b},
	       {.rule = "rest-file", .detail = "data file", .server = b});
	require(alert_find(files_mon, "rest-file", t.pid) &&
			alert_find(files_mon, "rest-file", u.pid),
		"not both of %d and %d are named", t.pid, u.pid);
	server_stop(b, SIGTERM);
}

static void overlaid(const void *arg)
{
	struct trigger t = trigger("file_open", files_dump, "-w", "overlay");

	if (files_open_errno(&t) == ENODEV)
		test_skip("this kernel has no overlayfs");
	require(!files_open_errno(&t), "it was not opened: errno %d", files_open_errno(&t));
	expect(files_mon, {.rule = "rest-file",
			   .vector = "openat",
			   .detail = "data file",
			   .server = files_server,
			   .by = &t});
}

static const char *merged; /* where the server sees the overlay of lower, upper and work */

static void mount_merged(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("overlay", merged, "overlay", 0,
		  str("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", merged, merged,
		      merged)))
		_exit(125);
}

/* A server in an overlay, as in a container; the host reads the upper layer. */
static void upper_layer(const void *arg)
{
	struct server *b = server_prepare(&(struct server_opts){});
	char *text = file_read(b->config), *dir = strstr(text, "\ndir ");
	const char *upper;
	struct run probe;
	struct trigger t;

	merged = strdup(str("%s/merged", b->dir));
	upper = strdup(str("%s/upper", merged));
	require(!mkdir(merged, 0700) && !mkdir(upper, 0700) &&
			!mkdir(str("%s/lower", merged), 0700) &&
			!mkdir(str("%s/work", merged), 0700),
		"mkdir: %s", strerror(errno));
	probe = run_with(&(struct child_opts){.setup = mount_merged}, 3000, "/bin/true");
	if (probe.status == 125)
		test_skip("no overlay can be mounted here");
	if (dir)
		dir[1] = '#';
	file_write(b->config, str("%s\ndir %s\n", text, merged));
	free(text);
	server_run_with(b, mount_merged);
	server_save(b);
	sleep_ms(SETTLE_MS);
	t = trigger("file_open", str("%s/dump.rdb", upper));
	require(!files_open_errno(&t), "it was not opened: errno %d", files_open_errno(&t));
	expect(files_mon, {.rule = "rest-file", .detail = "data file", .server = b, .by = &t});
	server_stop(b, SIGTERM);
}

static void path_only(const void *arg)
{
	trigger_stay("file_open", files_dump, "-w", "path_only", "-h");
	sleep_ms(SWEEPS_MS);
	expect_nothing(files_mon);
}

struct kind {
	const char *file, *rule, *detail;
	bool old;
};

#define KIND(...) &((const struct kind){__VA_ARGS__})

static void kind(const void *arg)
{
	const struct kind *k = arg;
	struct server *s = k->old ? old : files_server;
	struct trigger t = trigger("file_open", in_dir(s, k->file));

	expect(files_mon,
	       {.rule = k->rule, .vector = "openat", .detail = k->detail, .server = s, .by = &t});
}

static void public_file(const void *file)
{
	trigger("file_open", in_dir(files_server, file));
	trigger("file_open", cert_path());
	expect_nothing(files_mon);
}

static void next_dump(const void *arg)
{
	struct trigger t;

	server_save(files_server);
	t = trigger("file_open", files_dump);
	expect(files_mon,
	       {.rule = "rest-file", .vector = "openat", .server = files_server, .by = &t});
}

void files_run_in_background(const char *command, const char *running)
{
	struct client *c = client_open(files_server, "127.0.0.1", true);

	client_do(c, command);
	for (int i = 0; i < 100 && strstr(client_do(c, "INFO persistence"), running); i++)
		sleep_ms(50);
	client_close(c);
}

static void own_access(const void *arg)
{
	files_run_in_background("BGSAVE", "rdb_bgsave_in_progress:1");
	files_run_in_background("BGREWRITEAOF", "aof_rewrite_in_progress:1");
	files_run_in_background("DEBUG RELOAD", "nothing");
	files_run_in_background("ACL SAVE", "nothing");
	files_run_in_background("ACL LOAD", "nothing");
	files_run_in_background("CONFIG REWRITE", "nothing");
	expect_nothing(files_mon);
}

/* An AOF is written under another name in another directory. */
static void aof_rewritten(const void *arg)
{
	struct trigger t;

	files_run_in_background("BGREWRITEAOF", "aof_rewrite_in_progress:1");
	sleep_ms(SWEEPS_MS);
	t = trigger("file_open", in_dir(files_server, "appendonlydir/appendonly.aof.manifest"));
	expect(files_mon,
	       {.rule = "rest-file", .vector = "openat", .server = files_server, .by = &t});
}

static void dump_moved(const void *arg)
{
	const char *away = str("%s/moved.%d", scratch, getpid());
	struct trigger t;

	require(!rename(files_dump, away), "rename: %s", strerror(errno));
	sleep_ms(SWEEPS_MS);
	t = trigger("file_open", away);
	expect(files_mon, {.rule = "rest-file",
			   .vector = "openat",
			   .detail = "data file",
			   .server = files_server,
			   .by = &t});
	unlink(away);
	server_save(files_server);
}

static void same_name(const void *arg)
{
	const char *other = str("%s/dump.rdb", scratch);

	file_write(other, "nobody's");
	trigger("file_open", other);
	expect_nothing(files_mon);
}

/* An inode number that is used again is another file. */
static void dump_name_reused(const void *arg)
{
	for (int i = 0; i < 8; i++) {
		require(!unlink(files_dump), "unlink: %s", strerror(errno));
		file_write(files_dump, "a stranger's");
		trigger("file_open", files_dump);
		unlink(files_dump);
		expect_nothing(files_mon);
		server_save(files_server);
	}
}

static void cross_tenant(const void *arg)
{
	struct server *b = server_prepare(&(struct server_opts){});
	json_t *found = NULL;

	file_write(b->config, str("%s\ndbfilename dump.rdb\ndir %s\n", file_read(b->config),
				  files_server->dir));
	server_run(b);
	for (int i = 0; i < 60 && !(found = alert_find(files_mon, "rest-file", b->pid)); i++) {
		sleep_ms(50);
		monitor_poll(files_mon);
	}
	require(found, "nothing came of a server that loads another one's data");
	require(!strcmp(alert_str(found, "detail"), "data file"), "it is called %s",
		alert_str(found, "detail"));
	server_stop(b, SIGTERM);
}

static void shared_config(const void *arg)
{
	const char *both = str("%s/both.conf", scratch);
	struct server *b = server_prepare(&(struct server_opts){}),
		      *c = server_prepare(&(struct server_opts){});

	file_write(both, "maxmemory 10mb\nloglevel notice\n");
	chmod(both, 0600);
	file_write(b->config, str("%s\ninclude %s\n", file_read(b->config), both));
	file_write(c->config, str("%s\ninclude %s\n", file_read(c->config), both));
	server_run(b);
	server_run(c);
	expect_nothing(files_mon);
	server_stop(b, SIGTERM);
	sleep_ms(SWEEPS_MS);
	struct trigger t = trigger("file_open", both);
	expect(files_mon, {.rule = "rest-file", .detail = "configuration", .server = c, .by = &t});
	server_stop(c, SIGTERM);
}

static const char *hidden; /* a directory whose content only the server sees */

static void mount_hidden(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", hidden, "tmpfs", 0, NULL))
		_exit(125);
	file_write(str("%s/people", hidden), "user default on nopass ~* &* +@all\n");
	if (chmod(str("%s/people", hidden), 0600))
		_exit(125);
}

/* In a mount namespace of its own, as in a container. */
static void mount_namespace(const void *arg)
{
	struct server *b = server_prepare(&(struct server_opts){});
	struct trigger t;

	hidden = strdup(str("%s/hidden", b->dir));
	require(!mkdir(hidden, 0700), "mkdir: %s", strerror(errno));
	file_write(b->config, str("%s\naclfile %s/people\n", file_read(b->config), hidden));
	server_run_with(b, mount_hidden);
	sleep_ms(SETTLE_MS);
	t = trigger("file_open", str("/proc/%d/root%s/people", b->pid, hidden));
	expect(files_mon,
	       {.rule = "rest-file",
		.vector = "openat",
		.detail = "ACL file",
		.server = b,
		.by = &t},
	       {.rule = "mem-inspect", .server = b, .by = &t, .optional = true});
	server_stop(b, SIGTERM);
}

static void server_ended(const void *arg)
{
	struct server *b = server_prepare(&(struct server_opts){});

	server_run(b);
	server_stop(b, SIGTERM);
	/* its files are forgotten when the monitor learns of its end, which takes a while on a slow machine */
	require(file_wait(files_mon->err, str("ended: pid %d\n", b->pid), 5000),
		"its end is not reported: %s", file_read(files_mon->err));
	sleep_ms(SETTLE_MS);
	trigger("file_open", b->config);
	expect_nothing(files_mon);
}

static void server_restarted(const void *arg)
{
	struct server *b = with_files();

	server_run(b);
	server_save(b);
	server_stop(b, SIGTERM);
	server_run(b);
	expect_nothing(files_mon);
	server_stop(b, SIGTERM);
}

/* ---- readable by others ---------------------------------------------------------------------------- */

struct readable {
	const char *file, *rule, *detail;
	bool closed; /* others cannot enter its directory */
};

#define EXPOSED(...) &((const struct readable){__VA_ARGS__})

static void readable_by_others(const void *arg)
{
	const struct readable *e = arg;
	struct server *b = with_files();

	require(!chmod(b->dir, e->closed ? 0750 : 0755) &&
			!chmod(str("%s/%s", b->dir, e->file), 0644) &&
			(!strcmp(e->file, "redis.conf") || !chmod(b->config, 0600)) &&
			(!strcmp(e->file, "users.acl") ||
			 !chmod(str("%s/users.acl", b->dir), 0600)),
		"chmod: %s", strerror(errno));
	server_run(b);
	if (e->closed)
		expect_nothing(files_mon);
	else
		expect(files_mon,
		       {.rule = e->rule,
			.vector = "sweep",
			.detail = e->detail,
			.server = b,
			.found_by = "sweep",
			.outcome = "unknown",
			.young = true},
		       {.rule = "rest-file",
			.vector = "sweep",
			.detail = "data file that others may read",
			.server = b,
			.found_by = "sweep",
			.outcome = "unknown",
			.young = true,
			.optional = true});
	server_stop(b, SIGTERM);
	sleep_ms(SWEEPS_MS); /* a late report of its temporary file belongs to this test */
}

static const struct test tests[] = {
	TEST("from before: a dump held open", files_held_before, &holder),
	TEST("from before: a dump held as a direct descriptor of io_uring",
	     files_held_in_ring_before, &ring_holder),
	TEST("from before: the same, in a ring without a descriptor", files_held_in_ring_before,
	     &own_ring_holder),
	TEST("an RDB file by open", dump_opened, WAY("open", .vector = "open")),
	TEST("an RDB file by openat", dump_opened, WAY("openat", .vector = "openat")),
	TEST("an RDB file by openat2", dump_opened, WAY("openat2", .vector = "openat2")),
	TEST("an RDB file for writing", dump_opened, WAY("openat", "w", "openat")),
	TEST("an RDB file by O_PATH and /proc/self/fd", dump_opened,
	     WAY("opath", .vector = "openat")),
	TEST("an RDB file by a symlink", dump_opened, WAY("symlink", .vector = "openat")),
	TEST("an RDB file by a second link", dump_opened, WAY("link", .vector = "openat")),
	TEST("an RDB file by its handle", dump_opened,
	     WAY("handle", .vector = "open_by_handle_at")),
	TEST("an RDB file by io_uring", dump_opened, WAY("uring", .vector = "io_uring")),
	TEST("an RDB file as a direct descriptor of io_uring", files_direct),
	TEST("the same by a worker", files_direct, "async"),
	TEST("the same by a polling thread", files_direct, "sqpoll"),
	TEST("the same, spliced into a pipe", files_direct, "splice"),
	TEST("the same, read by a process that shares the ring", files_direct, "parent"),
	TEST("the same, only opened and held", files_direct, "hold"),
	TEST("a stranger's file as a direct descriptor raises nothing", files_stranger_direct),
	TEST("a server's pipe through a link to /proc/PID/fd/N", files_pipe_by_link),
	TEST("a stranger's pipe opened again raises nothing", files_stranger_pipe),
	TEST("an RDB file in a directory that is a symbolic link", symlinked_dir),
	TEST("an RDB file by an overlay over its directory", overlaid),
	TEST("an RDB file of a server in an overlay, by the upper layer", upper_layer),
	TEST("an RDB file by a descriptor of fanotify", files_fanotify),
	TEST("an RDB file by O_PATH alone raises nothing", path_only),
	TEST("an AOF file", kind,
	     KIND("appendonlydir/appendonly.aof.1.incr.aof", "rest-file", "data file")),
	TEST("an AOF's base", kind,
	     KIND("appendonlydir/appendonly.aof.1.base.rdb", "rest-file", "data file")),
	TEST("an AOF's manifest", kind,
	     KIND("appendonlydir/appendonly.aof.manifest", "rest-file", "data file")),
	TEST("the configuration", kind, KIND("redis.conf", "rest-file", "configuration")),
	TEST("the ACL file", kind, KIND("users.acl", "rest-file", "ACL file")),
	TEST("the private key", kind, KIND("key.pem", "tls-key", "private key")),
	TEST("from before: an RDB file", kind, KIND("dump.rdb", "rest-file", "data file", true)),
	TEST("from before: an AOF file", kind,
	     KIND("appendonlydir/appendonly.aof.1.incr.aof", "rest-file", "data file", true)),
	TEST("from before: the configuration", kind,
	     KIND("redis.conf", "rest-file", "configuration", true)),
	TEST("from before: the ACL file", kind, KIND("users.acl", "rest-file", "ACL file", true)),
	TEST("from before: the private key", kind, KIND("key.pem", "tls-key", "private key", true)),
	TEST("its log and its certificate raise nothing", public_file, "redis.log"),
	TEST("the next dump is protected as the last", next_dump),
	TEST("what a server does with its own files raises nothing", own_access),
	TEST("an AOF that was rewritten", aof_rewritten),
	TEST("a dump that was moved away", dump_moved),
	TEST("a stranger's dump.rdb raises nothing", same_name),
	TEST("what takes a deleted dump's name raises nothing", dump_name_reused),
	TEST("a server that loads another one's data", cross_tenant),
	TEST("servers that share a configuration raise nothing, a stranger does", shared_config),
	TEST("an ACL file only its server's mount namespace has", mount_namespace),
	TEST("files of a server that ended raise nothing", server_ended),
	TEST("a server started again on its own files raises nothing", server_restarted),
	TEST("a private key that others may read", readable_by_others,
	     EXPOSED("key.pem", "tls-key", "private key that others may read")),
	TEST("a configuration that others may read", readable_by_others,
	     EXPOSED("redis.conf", "rest-file", "configuration that others may read")),
	TEST("an ACL file that others may read", readable_by_others,
	     EXPOSED("users.acl", "rest-file", "ACL file that others may read")),
	TEST("a private key in a directory others may not enter raises nothing", readable_by_others,
	     EXPOSED("key.pem", .closed = true)),
	TEST("LD_PRELOAD at start", files_variable,
	     VARIABLE("LD_PRELOAD=libm.so.6", "mem-inject", "LD_PRELOAD in its environment")),
	TEST("LD_AUDIT at start", files_variable,
	     VARIABLE("LD_AUDIT=/nowhere.so", "mem-inject", "LD_AUDIT in its environment", true)),
	TEST("SSLKEYLOGFILE at start", files_variable,
	     VARIABLE("SSLKEYLOGFILE=/nowhere/keys", "tls-key",
		      "SSLKEYLOGFILE in its environment")),
	TEST("LD_LIBRARY_PATH at start", files_variable,
	     VARIABLE("LD_LIBRARY_PATH=/nowhere", "mem-inject",
		      "LD_LIBRARY_PATH in its environment")),
	TEST("OPENSSL_CONF at start", files_variable,
	     VARIABLE("OPENSSL_CONF=/nowhere", "mem-inject", "OPENSSL_CONF in its environment")),
	TEST("OPENSSL_MODULES at start", files_variable,
	     VARIABLE("OPENSSL_MODULES=/nowhere", "mem-inject",
		      "OPENSSL_MODULES in its environment")),
	TEST("OPENSSL_ENGINES at start", files_variable,
	     VARIABLE("OPENSSL_ENGINES=/nowhere", "mem-inject",
		      "OPENSSL_ENGINES in its environment")),
	TEST("a variable whose name only begins like one raises nothing", files_variable,
	     VARIABLE("LD_LIBRARY_PATH_64=/nowhere")),
	TEST("LD_PRELOAD set to nothing raises nothing", files_variable, VARIABLE("LD_PRELOAD=")),
	TEST("LD_PRELOAD of a stranger raises nothing", files_variable_of_stranger),
	TEST("/proc/kcore", files_host_file, HOST_FILE("/proc/kcore", "r", "mem-kernel", "kcore")),
	TEST("core_pattern for writing", files_host_file,
	     HOST_FILE("/proc/sys/kernel/core_pattern", "w", "mem-dump", "core_pattern")),
	TEST("core_pattern read raises nothing", files_host_file,
	     HOST_FILE("/proc/sys/kernel/core_pattern", "r")),
	TEST("uprobe_events for writing", files_host_file,
	     HOST_FILE("/sys/kernel/tracing/uprobe_events", "rw", "mem-probe", "uprobe_events")),
	TEST("uprobe_events read raises nothing", files_host_file,
	     HOST_FILE("/sys/kernel/tracing/uprobe_events", "r")),
	TEST("the memory device by a node of one's own", files_mem_node, .arg = "mem"),
	TEST("the image that hibernation writes, by a node of one's own", files_mem_node,
	     .arg = "snapshot"),
	TEST("the block device below a dump", files_disk),
	TEST("a block device that holds no file of a server raises nothing", files_other_disk),
	TEST("blkid on the block device below a dump is observed", files_disk_tool),
	TEST("/etc/ld.so.preload for writing", files_preload, "w"),
	TEST("/etc/ld.so.preload read raises nothing", files_preload, "r"),
	TEST("coredump_filter for writing", files_dump_filter, "w"),
	TEST("coredump_filter read raises nothing", files_dump_filter, "r"),
	{},
};

const struct suite files_suite = {"files", setup, teardown, tests};
