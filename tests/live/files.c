/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.c - opening a server's files is reported with the actor, however the file is opened; so is opening the host's
 * memory devices, and what is wrong with a server's files and environment at its start.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWEEPS_MS 2500 /* at least two sweeps */

static struct server *a;   /* started after the monitor */
static struct server *old; /* started before the monitor */
static const char *old_dump, *dump, *acl;
static struct trigger holder, ring_holder, own_ring_holder;
static struct monitor *mon;

static const char *in_dir(const struct server *s, const char *name)
{
	return strdup(str("%s/%s", s->dir, name));
}

static void save(const struct server *s)
{
	struct client *c = client_open(s, "127.0.0.1", true);
	const char *said = client_do(c, "SAVE");

	require(!strncmp(said, "+OK", 3), "SAVE: %s", said);
	client_close(c);
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

static void start(struct server *s)
{
	s->pid = child_start((const char *const[]){REDIS_SERVER, s->config, NULL},
			     &(struct child_opts){});
	server_ready(s);
}

static void setup(void)
{
	old = with_files();
	start(old);
	save(old);
	old_dump = in_dir(old, "dump.rdb");
	holder = trigger_stay("file_open", old_dump, "-h");
	ring_holder = trigger_stay("uring_direct", old_dump, "hold");
	own_ring_holder = trigger_stay("uring_direct", old_dump, "registered");
	mon = monitor_start("--sweep", "1", NULL);
	a = with_files();
	start(a);
	save(a);
	dump = in_dir(a, "dump.rdb");
	acl = in_dir(a, "users.acl");
	sleep_ms(SWEEPS_MS);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

static int open_errno(const struct trigger *t)
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
	struct trigger t = trigger("file_open", dump, "-w", w->way, "-m", w->mode ?: "r");

	if (!strcmp(w->way, "uring") && open_errno(&t) == ENOSYS)
		test_skip("no io_uring here");
	if (!strcmp(w->way, "handle") && open_errno(&t) == EOPNOTSUPP)
		test_skip("this file system has no handles");
	require(!open_errno(&t), "it was not opened: errno %d", open_errno(&t));
	expect(mon, {.rule = "rest-file",
		     .vector = w->vector,
		     .detail = "data file",
		     .server = a,
		     .by = &t});
}

/* The descriptor exists in the ring alone; "hold" leaves it there for the sweep. */
static void dump_direct(const void *arg)
{
	const char *way = arg;
	bool hold = way && !strcmp(way, "hold");
	struct trigger t =
		hold ? trigger_stay("uring_direct", dump, way) : trigger("uring_direct", dump, way);
	json_t *found = NULL;

	if (trigger_true(&t, "missing"))
		test_skip("io_uring has no direct descriptors here");
	require(hold || trigger_int(&t, "bytes_read") > 0, "nothing was read");
	for (int i = 0; i < 60 && !found; i++) {
		sleep_ms(50);
		found = alert_find(mon, "rest-file", trigger_int(&t, "reader"));
	}
	require(found, "nothing names %lld", trigger_int(&t, "reader"));
	require(!strncmp(alert_str(found, "detail"), "data file", 9), "it is called %s",
		alert_str(found, "detail"));
}

/* What no dump is, through the same descriptors. */
static void stranger_direct(const void *arg)
{
	const char *other = str("%s/other", scratch);

	file_write(other, "nobody's");
	trigger("uring_direct", other);
	expect_nothing(mon);
}

/* A descriptor of the server that is a pipe, 0 if it has none. */
static int pipe_of(const struct server *s)
{
	char to[32];
	ssize_t n;

	for (int fd = 3; fd < 64; fd++) {
		n = readlink(str("/proc/%d/fd/%d", s->pid, fd), to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = '\0';
		if (!strncmp(to, "pipe:", 5))
			return fd;
	}
	return 0;
}

/* The path that is opened says nothing of /proc. */
static void pipe_by_link(const void *arg)
{
	int fd = pipe_of(a);
	struct trigger t;

	if (!fd)
		test_skip("the server has no pipe");
	t = trigger("file_open", str("/proc/%d/fd/%d", a->pid, fd), "-w", "away");
	require(!open_errno(&t), "it was not opened: errno %d", open_errno(&t));
	expect(mon, {.rule = "mem-fd", .vector = "openat", .detail = "fd/N", .server = a, .by = &t},
	       {.rule = "mem-inspect", /* the test itself reads the links */
		.vector = "readlink",
		.server = a,
		.optional = true});
}

/* A stranger's pipe, as of a shell's process substitution. */
static void stranger_pipe(const void *arg)
{
	struct run r = run_command(3000, "/bin/bash", "-c", "cat <(echo one) | cat /dev/stdin");

	require(!r.status, "the pipes failed: %s", r.err);
	expect_nothing(mon);
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
	start(b);
	save(b);
	t = trigger("file_open", str("%s/dump.rdb", link));
	u = trigger("file_open", str("%s/dump.rdb", real));
	expect(mon, {.rule = "rest-file", .detail = "data file", .server = b},
	       {.rule = "rest-file", .detail = "data file", .server = b});
	require(alert_find(mon, "rest-file", t.pid) && alert_find(mon, "rest-file", u.pid),
		"not both of %d and %d are named", t.pid, u.pid);
	server_stop(b, SIGTERM);
}

static void overlaid(const void *arg)
{
	struct trigger t = trigger("file_open", dump, "-w", "overlay");

	if (open_errno(&t) == ENODEV)
		test_skip("this kernel has no overlayfs");
	require(!open_errno(&t), "it was not opened: errno %d", open_errno(&t));
	expect(mon, {.rule = "rest-file",
		     .vector = "openat",
		     .detail = "data file",
		     .server = a,
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
	b->pid = child_start((const char *const[]){REDIS_SERVER, b->config, NULL},
			     &(struct child_opts){.setup = mount_merged});
	server_ready(b);
	save(b);
	sleep_ms(SETTLE_MS);
	t = trigger("file_open", str("%s/dump.rdb", upper));
	require(!open_errno(&t), "it was not opened: errno %d", open_errno(&t));
	expect(mon, {.rule = "rest-file", .detail = "data file", .server = b, .by = &t});
	server_stop(b, SIGTERM);
}

static void path_only(const void *arg)
{
	trigger_stay("file_open", dump, "-w", "path_only", "-h");
	sleep_ms(SWEEPS_MS);
	expect_nothing(mon);
}

struct kind {
	const char *file, *rule, *detail;
	bool old;
};

#define KIND(...) &((const struct kind){__VA_ARGS__})

static void kind(const void *arg)
{
	const struct kind *k = arg;
	struct server *s = k->old ? old : a;
	struct trigger t = trigger("file_open", in_dir(s, k->file));

	expect(mon,
	       {.rule = k->rule, .vector = "openat", .detail = k->detail, .server = s, .by = &t});
}

static void public_file(const void *file)
{
	trigger("file_open", in_dir(a, file));
	trigger("file_open", cert_path());
	expect_nothing(mon);
}

static void next_dump(const void *arg)
{
	struct trigger t;

	save(a);
	t = trigger("file_open", dump);
	expect(mon, {.rule = "rest-file", .vector = "openat", .server = a, .by = &t});
}

static void run_in_background(const char *command, const char *running)
{
	struct client *c = client_open(a, "127.0.0.1", true);

	client_do(c, command);
	for (int i = 0; i < 100 && strstr(client_do(c, "INFO persistence"), running); i++)
		sleep_ms(50);
	client_close(c);
}

static void own_access(const void *arg)
{
	run_in_background("BGSAVE", "rdb_bgsave_in_progress:1");
	run_in_background("BGREWRITEAOF", "aof_rewrite_in_progress:1");
	run_in_background("DEBUG RELOAD", "nothing");
	run_in_background("ACL SAVE", "nothing");
	run_in_background("ACL LOAD", "nothing");
	run_in_background("CONFIG REWRITE", "nothing");
	expect_nothing(mon);
}

/* The kernel hands an open descriptor of the dump to whoever watches its directory. */
static void by_fanotify(const void *arg)
{
	const char *read_it = strdup(str("%s/fanotify.read", scratch));
	struct trigger t = trigger_stay("fanotify", a->dir, "dump.rdb", read_it);
	json_t *found = NULL;

	if (trigger_true(&t, "missing"))
		test_skip("no fanotify here");
	run_in_background("DEBUG RELOAD", "nothing"); /* the server opens its dump */
	for (int i = 0; i < 100 && access(read_it, F_OK); i++)
		sleep_ms(50);
	require(!access(read_it, F_OK), "nothing was read");
	for (int i = 0; i < 100 && !found; i++) {
		sleep_ms(50);
		found = alert_find(mon, "rest-file", t.pid);
	}
	require(found, "nothing names %d", t.pid);
	require(!strncmp(alert_str(found, "detail"), "data file", 9), "it is called %s",
		alert_str(found, "detail"));
}

/* An AOF is written under another name in another directory. */
static void aof_rewritten(const void *arg)
{
	struct trigger t;

	run_in_background("BGREWRITEAOF", "aof_rewrite_in_progress:1");
	sleep_ms(SWEEPS_MS);
	t = trigger("file_open", in_dir(a, "appendonlydir/appendonly.aof.manifest"));
	expect(mon, {.rule = "rest-file", .vector = "openat", .server = a, .by = &t});
}

static void dump_moved(const void *arg)
{
	const char *away = str("%s/moved.%d", scratch, getpid());
	struct trigger t;

	require(!rename(dump, away), "rename: %s", strerror(errno));
	sleep_ms(SWEEPS_MS);
	t = trigger("file_open", away);
	expect(mon, {.rule = "rest-file",
		     .vector = "openat",
		     .detail = "data file",
		     .server = a,
		     .by = &t});
	unlink(away);
	save(a);
}

static void same_name(const void *arg)
{
	const char *other = str("%s/dump.rdb", scratch);

	file_write(other, "nobody's");
	trigger("file_open", other);
	expect_nothing(mon);
}

/* An inode number that is used again is another file. */
static void dump_name_reused(const void *arg)
{
	for (int i = 0; i < 8; i++) {
		require(!unlink(dump), "unlink: %s", strerror(errno));
		file_write(dump, "a stranger's");
		trigger("file_open", dump);
		unlink(dump);
		expect_nothing(mon);
		save(a);
	}
}

static void cross_tenant(const void *arg)
{
	struct server *b = server_prepare(&(struct server_opts){});
	json_t *found = NULL;

	file_write(b->config,
		   str("%s\ndbfilename dump.rdb\ndir %s\n", file_read(b->config), a->dir));
	start(b);
	for (int i = 0; i < 60 && !(found = alert_find(mon, "rest-file", b->pid)); i++) {
		sleep_ms(50);
		monitor_poll(mon);
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
	start(b);
	start(c);
	expect_nothing(mon);
	server_stop(b, SIGTERM);
	sleep_ms(SWEEPS_MS);
	struct trigger t = trigger("file_open", both);
	expect(mon, {.rule = "rest-file", .detail = "configuration", .server = c, .by = &t});
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
	b->pid = child_start((const char *const[]){REDIS_SERVER, b->config, NULL},
			     &(struct child_opts){.setup = mount_hidden});
	server_ready(b);
	sleep_ms(SETTLE_MS);
	t = trigger("file_open", str("/proc/%d/root%s/people", b->pid, hidden));
	expect(mon,
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

	start(b);
	server_stop(b, SIGTERM);
	/* its files are forgotten when the monitor learns of its end, which takes a while on a slow machine */
	require(file_wait(mon->err, str("ended: pid %d\n", b->pid), 5000),
		"its end is not reported: %s", file_read(mon->err));
	sleep_ms(SETTLE_MS);
	trigger("file_open", b->config);
	expect_nothing(mon);
}

static void server_restarted(const void *arg)
{
	struct server *b = with_files();

	start(b);
	save(b);
	server_stop(b, SIGTERM);
	unlink(b->log);
	start(b);
	expect_nothing(mon);
	server_stop(b, SIGTERM);
}

/* ---- from before the monitor, and at rest ---------------------------------------------------------- */

static void found_held(pid_t pid)
{
	json_t *found;

	monitor_poll(mon);
	for (size_t i = 0; i < mon->count; i++) {
		found = mon->lines[i];
		if (alert_int(found, "actor.pid") == pid) {
			require(!strcmp(alert_str(found, "rule"), "rest-file") &&
					!strcmp(alert_str(found, "found_by"), "sweep"),
				"it is %s", alert_str(found, "rule"));
			return;
		}
	}
	test_fail("nothing says that %d holds a dump open", pid);
}

static void held_before(const void *arg)
{
	found_held(holder.pid);
}

static void held_in_ring_before(const void *arg)
{
	const struct trigger *t = arg;

	if (trigger_true(t, "missing"))
		test_skip("io_uring has no such descriptors here");
	found_held((pid_t)trigger_int(t, "reader"));
}

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
	start(b);
	if (e->closed)
		expect_nothing(mon);
	else
		expect(mon,
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

/* ---- environment at the start ------------------------------------------------------------------------- */

struct variable {
	const char *set, *rule, *detail;
	bool dies; /* Debian's redis-server does not start with it */
};

#define VARIABLE(...) &((const struct variable){__VA_ARGS__})

static void variable(const void *arg)
{
	const struct variable *v = arg;
	struct server *b = server_prepare(&(struct server_opts){});

	b->pid = child_start(
		(const char *const[]){"/usr/bin/env", v->set, REDIS_SERVER, b->config, NULL},
		&(struct child_opts){});
	if (!v->dies)
		server_ready(b);
	if (v->rule)
		expect(mon, {.rule = v->rule,
			     .vector = "exec",
			     .detail = v->detail,
			     .server = b,
			     .young = true});
	else
		expect_nothing(mon);
	if (!v->dies)
		server_stop(b, SIGTERM);
}

static void variable_stranger(const void *arg)
{
	run_command(3000, "/usr/bin/env", "LD_PRELOAD=libm.so.6", "/bin/true");
	expect_nothing(mon);
}

/* ---- files of the host -------------------------------------------------------------------------------- */

struct door {
	const char *path, *mode, *rule, *detail;
};

#define DOOR(...) &((const struct door){__VA_ARGS__})

static void door(const void *arg)
{
	const struct door *d = arg;
	struct trigger t;

	if (access(d->path, F_OK))
		test_skip("no %s here", d->path);
	t = trigger("file_open", d->path, "-m", d->mode);
	if (open_errno(&t))
		test_skip("%s cannot be opened here: errno %d", d->path, open_errno(&t));
	if (d->rule)
		expect(mon, {.rule = d->rule, .vector = "openat", .detail = d->detail, .by = &t});
	else
		expect_nothing(mon);
}

static void mem_node(const void *arg)
{
	struct trigger t = trigger("file_open", str("%s/node", scratch), "-w", "mem");

	if (open_errno(&t))
		test_skip("there is no memory device: errno %d", open_errno(&t));
	expect(mon, {.rule = "mem-kernel", .vector = "openat", .detail = "/dev/mem", .by = &t});
}

static void preload_file(const void *mode)
{
	const char *path = str("%s/etc/ld.so.preload", scratch);
	struct trigger t;

	mkdir(str("%s/etc", scratch), 0755);
	file_write(path, "");
	t = trigger("file_open", path, "-m", mode);
	if (!strcmp(mode, "r"))
		expect_nothing(mon);
	else
		expect(mon,
		       {.rule = "mem-inject",
			.vector = "openat",
			.detail = "/etc/ld.so.preload",
			.by = &t},
		       {.rule = "mem-inject",
			.detail = "/etc/ld.so.preload",
			.optional = true, /* the test itself writes it first */
			.many = true});
}

static void dump_filter(const void *mode)
{
	struct trigger t = trigger("proc_open", pid_of(a), "coredump_filter", "-m", mode);

	if (open_errno(&t))
		test_skip("no coredump_filter here");
	if (!strcmp(mode, "r"))
		expect_nothing(mon);
	else
		expect(mon, {.rule = "mem-dump",
			     .vector = "openat",
			     .detail = "coredump_filter",
			     .server = a,
			     .by = &t});
}

static const struct test tests[] = {
	TEST("from before: a dump held open", held_before),
	TEST("from before: a dump held as a direct descriptor of io_uring", held_in_ring_before,
	     &ring_holder),
	TEST("from before: the same, in a ring without a descriptor", held_in_ring_before,
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
	TEST("an RDB file as a direct descriptor of io_uring", dump_direct),
	TEST("the same by a worker", dump_direct, "async"),
	TEST("the same by a polling thread", dump_direct, "sqpoll"),
	TEST("the same, spliced into a pipe", dump_direct, "splice"),
	TEST("the same, read by a process that shares the ring", dump_direct, "parent"),
	TEST("the same, only opened and held", dump_direct, "hold"),
	TEST("a stranger's file as a direct descriptor raises nothing", stranger_direct),
	TEST("a server's pipe through a link to /proc/PID/fd/N", pipe_by_link),
	TEST("a stranger's pipe opened again raises nothing", stranger_pipe),
	TEST("an RDB file in a directory that is a symbolic link", symlinked_dir),
	TEST("an RDB file by an overlay over its directory", overlaid),
	TEST("an RDB file of a server in an overlay, by the upper layer", upper_layer),
	TEST("an RDB file by a descriptor of fanotify", by_fanotify),
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
	TEST("LD_PRELOAD at start", variable,
	     VARIABLE("LD_PRELOAD=libm.so.6", "mem-inject", "LD_PRELOAD in its environment")),
	TEST("LD_AUDIT at start", variable,
	     VARIABLE("LD_AUDIT=/nowhere.so", "mem-inject", "LD_AUDIT in its environment", true)),
	TEST("SSLKEYLOGFILE at start", variable,
	     VARIABLE("SSLKEYLOGFILE=/nowhere/keys", "tls-key",
		      "SSLKEYLOGFILE in its environment")),
	TEST("LD_LIBRARY_PATH at start", variable,
	     VARIABLE("LD_LIBRARY_PATH=/nowhere", "mem-inject",
		      "LD_LIBRARY_PATH in its environment")),
	TEST("OPENSSL_CONF at start", variable,
	     VARIABLE("OPENSSL_CONF=/nowhere", "mem-inject", "OPENSSL_CONF in its environment")),
	TEST("OPENSSL_MODULES at start", variable,
	     VARIABLE("OPENSSL_MODULES=/nowhere", "mem-inject",
		      "OPENSSL_MODULES in its environment")),
	TEST("OPENSSL_ENGINES at start", variable,
	     VARIABLE("OPENSSL_ENGINES=/nowhere", "mem-inject",
		      "OPENSSL_ENGINES in its environment")),
	TEST("a variable whose name only begins like one raises nothing", variable,
	     VARIABLE("LD_LIBRARY_PATH_64=/nowhere")),
	TEST("LD_PRELOAD set to nothing raises nothing", variable, VARIABLE("LD_PRELOAD=")),
	TEST("LD_PRELOAD of a stranger raises nothing", variable_stranger),
	TEST("/proc/kcore", door, DOOR("/proc/kcore", "r", "mem-kernel", "kcore")),
	TEST("core_pattern for writing", door,
	     DOOR("/proc/sys/kernel/core_pattern", "w", "mem-dump", "core_pattern")),
	TEST("core_pattern read raises nothing", door, DOOR("/proc/sys/kernel/core_pattern", "r")),
	TEST("uprobe_events for writing", door,
	     DOOR("/sys/kernel/tracing/uprobe_events", "rw", "mem-probe", "uprobe_events")),
	TEST("uprobe_events read raises nothing", door,
	     DOOR("/sys/kernel/tracing/uprobe_events", "r")),
	TEST("the memory device by a node of one's own", mem_node),
	TEST("/etc/ld.so.preload for writing", preload_file, "w"),
	TEST("/etc/ld.so.preload read raises nothing", preload_file, "r"),
	TEST("coredump_filter for writing", dump_filter, "w"),
	TEST("coredump_filter read raises nothing", dump_filter, "r"),
	{},
};

const struct suite files_suite = {"files", setup, teardown, tests};
