/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code.c - whoever writes into a file that a server executes is reported, whatever the file is and however it is
 * written. The page cache is shared: what is written there is executed at once.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWEEPS_MS 2500 /* at least two sweeps */
#define PADDING 4096   /* behind a module's last section: tests change it without harm */
#define LIBSSL "/usr/lib/x86_64-linux-gnu/libssl.so.3"

/* A server with copies of its own of a library and a module. */
struct own {
	struct server *server;
	const char *library, *module;
};

static struct own a;	     /* started after the monitor */
static struct own old;	     /* started before the monitor */
static const char *unmapped; /* a library that no server maps */
static struct trigger holder;
static struct monitor *mon;
static const char *library_dir;

static void use_library_dir(void)
{
	setenv("LD_LIBRARY_PATH", library_dir, 1);
}

static void pad(const char *path)
{
	static char nothing[PADDING];
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	nothing[PADDING - 1] = 'x';
	require(fd >= 0 && write(fd, nothing, PADDING) == PADDING, "%s: %s", path, strerror(errno));
	close(fd);
}

static const char *copy(const char *from, const char *dir, const char *name)
{
	const char *to = strdup(str("%s/%s/%s", scratch, dir, name));

	mkdir(str("%s/%s", scratch, dir), 0755);
	file_copy(from, to);
	pad(to);
	return to;
}

static struct own prepare(const char *name)
{
	return (struct own){
		.library = copy(LIBSSL, name, "libssl.so.3"),
		.module = copy(trigger_path("nothing.so"), name, "nothing.so"),
	};
}

static void start(struct own *o, const char *name)
{
	library_dir = strdup(str("%s/%s", scratch, name));
	o->server = server_start(&(struct server_opts){.extra = str("loadmodule %s", o->module),
						       .child = {.setup = use_library_dir}});
	require(file_has(o->server->log, "Module 'nothing' loaded"), "no module: %s",
		file_read(o->server->log));
}

static void setup(void)
{
	if (access(LIBSSL, R_OK))
		test_skip("no %s here", LIBSSL);
	unmapped = copy(LIBSSL, "unmapped", "libssl.so.3");
	old = prepare("old");
	a = prepare("new");
	start(&old, "old");
	mon = monitor_start("--sweep", "1", NULL);
	holder = trigger_stay("rewrite", a.module, "-a", "map", "-w");
	start(&a, "new");
	sleep_ms(SWEEPS_MS);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

static void object_is(const char *path)
{
	json_t *alert = alert_find(mon, "mem-inject", 0);

	require(alert && !strcmp(alert_str(alert, "object"), path), "object is %s, not %s",
		alert_str(alert, "object"), path);
}

static void severity_is(const char *severity)
{
	json_t *alert = alert_find(mon, "mem-inject", 0);

	require(alert && !strcmp(alert_str(alert, "severity"), severity), "severity is %s, not %s",
		alert_str(alert, "severity"), severity);
}

/* ---- opened for writing --------------------------------------------------------------------------- */

struct way {
	const char *way, *vector;
	bool old, module;
};

#define WAY(...) &((const struct way){__VA_ARGS__})

static void opened(const void *arg)
{
	const struct way *w = arg;
	const struct own *o = w->old ? &old : &a;
	const char *path = w->module ? o->module : o->library;
	struct trigger t = trigger("file_open", path, "-w", w->way, "-m", "w");
	int err = (int)trigger_int(&t, "errno");

	if ((!strcmp(w->way, "uring") && err == ENOSYS) ||
	    (!strcmp(w->way, "handle") && err == EOPNOTSUPP))
		test_skip("not possible here: errno %d", err);
	require(!err, "it was not opened: errno %d", err);
	expect(mon, {.rule = "mem-inject",
		     .vector = w->vector,
		     .detail = "code of the server",
		     .server = o->server,
		     .by = &t});
	severity_is("critical");
	if (!strstr(w->way, "link"))
		object_is(path);
}

static void same_byte(const void *arg)
{
	struct trigger t = trigger("rewrite", a.library, "-a", "same");

	require(!trigger_int(&t, "errno"), "errno %lld", trigger_int(&t, "errno"));
	sleep_ms(SWEEPS_MS);
	expect(mon, {.rule = "mem-inject",
		     .vector = "openat",
		     .detail = "code of the server",
		     .server = a.server,
		     .by = &t});
}

static void read_only(const void *arg)
{
	trigger("file_open", a.library);
	trigger("file_open", old.module);
	expect_nothing(mon);
}

static void other_file(const void *arg)
{
	trigger("rewrite", unmapped, "-a", "last");
	trigger("rewrite", unmapped, "-a", "replace");
	trigger("rewrite", unmapped, "-a", "shrink");
	sleep_ms(SWEEPS_MS);
	expect_nothing(mon);
}

/* ---- found by a sweep ----------------------------------------------------------------------------- */

#define CHANGED(own_)                                                                              \
	{                                                                                          \
		.rule = "mem-inject", .vector = "sweep", .detail = "code whose file was changed",  \
		.server = (own_).server, .found_by = "sweep", .outcome = "unknown"                 \
	}

/* The descriptor is older than the server: no hook saw it opened as a file of that server. */
static void changed_by_holder(const void *arg)
{
	file_write(str("%s.go", a.module), "");
	sleep_ms(SWEEPS_MS);
	expect(mon, CHANGED(a));
	severity_is("critical");
	object_is(a.module);
}

static void shrunk(const void *arg)
{
	struct trigger t = trigger("rewrite", old.module, "-a", "shrink");

	require(!trigger_int(&t, "errno"), "errno %lld", trigger_int(&t, "errno"));
	sleep_ms(SWEEPS_MS);
	expect(mon, CHANGED(old));
	object_is(old.module);
}

/* Its last byte is padding: not zero before. */
static void punched(const void *arg)
{
	struct trigger t = trigger("rewrite", old.library, "-a", "punch");

	if (trigger_int(&t, "errno") == EOPNOTSUPP)
		test_skip("no holes in files here");
	require(!trigger_int(&t, "errno"), "errno %lld", trigger_int(&t, "errno"));
	sleep_ms(SWEEPS_MS);
	expect(mon,
	       {.rule = "mem-inject",
		.vector = "openat",
		.detail = "code of the server",
		.server = old.server,
		.by = &t},
	       CHANGED(old));
}

/* Whoever opens the path gets another file; the server goes on with its own. */
static void covered(const void *arg)
{
	const char *other = copy(LIBSSL, "cover", "libssl.so.3");
	struct run r = run_command(5000, "mount", "--bind", other, a.library);

	if (r.status)
		test_skip("no mount here: %s", r.err);
	sleep_ms(SWEEPS_MS);
	run_command(5000, "umount", "-l", a.library);
	expect(mon, {.rule = "mem-inject",
		     .vector = "sweep",
		     .detail = "code whose file was replaced or removed",
		     .server = a.server,
		     .found_by = "sweep",
		     .outcome = "unknown",
		     .count = 1});
	severity_is("low");
}

/* What dpkg does. The server goes on with the old file. */
static void replaced(const void *arg)
{
	trigger("rewrite", old.library, "-a", "replace");
	trigger("rewrite", old.module, "-a", "replace");
	sleep_ms(SWEEPS_MS);
	expect(mon, {.rule = "mem-inject",
		     .vector = "sweep",
		     .detail = "code whose file was replaced or removed",
		     .server = old.server,
		     .found_by = "sweep",
		     .outcome = "unknown",
		     .count = 1});
	severity_is("low");
}

/* ---- modules loaded at the start -------------------------------------------------------------------- */

struct loaded {
	const char *name, *detail;
	uid_t owner;
	mode_t mode, dir_mode;
};

#define LOADED(...) &((const struct loaded){__VA_ARGS__})

static void loaded(const void *arg)
{
	const struct loaded *c = arg;
	const char *module = copy(trigger_path("nothing.so"), c->name, "nothing.so");
	struct server *b;

	require(!chown(module, c->owner, 0) && !chmod(module, c->mode) &&
			!chmod(str("%s/%s", scratch, c->name), c->dir_mode),
		"%s: %s", module, strerror(errno));
	b = server_start(&(struct server_opts){.extra = str("loadmodule %s", module)});
	sleep_ms(SWEEPS_MS);
	if (c->detail) {
		expect(mon, {.rule = "mem-inject",
			     .vector = "sweep",
			     .detail = c->detail,
			     .server = b,
			     .found_by = "sweep",
			     .outcome = "unknown",
			     .young = true});
		object_is(module);
	} else {
		expect_nothing(mon);
	}
	server_stop(b, SIGTERM);
}

static const struct test tests[] = {
	TEST("a library opened for writing", opened, WAY("openat", "openat")),
	TEST("a library opened for writing by open", opened, WAY("open", "open")),
	TEST("a library opened for writing by openat2", opened, WAY("openat2", "openat2")),
	TEST("a library opened for writing by O_PATH and /proc/self/fd", opened,
	     WAY("opath", "openat")),
	TEST("a library opened for writing by a second link", opened, WAY("link", "openat")),
	TEST("a library opened for writing by its handle", opened,
	     WAY("handle", "open_by_handle_at")),
	TEST("a library opened for writing by io_uring", opened, WAY("uring", "io_uring")),
	TEST("a module opened for writing", opened, WAY("openat", "openat", .module = true)),
	TEST("from before: a library opened for writing", opened,
	     WAY("openat", "openat", .old = true)),
	TEST("from before: a module opened for writing", opened,
	     WAY("openat", "openat", .old = true, .module = true)),
	TEST("a byte written back as it was: only the open", same_byte),
	TEST("reading a server's code raises nothing", read_only),
	TEST("writing, truncating and replacing other libraries raises nothing", other_file),
	TEST("a module changed through a descriptor older than the server", changed_by_holder),
	TEST("from before: a module truncated by its path", shrunk),
	TEST("from before: a hole punched in a library", punched),
	TEST("from before: libraries replaced by rename: one low finding", replaced),
	TEST("a library that a mount covers", covered),
	TEST("a module of another user loaded at the start", loaded,
	     LOADED("owner", "code that belongs to a user other than root", NOBODY, 0755, 0755)),
	TEST("a module that everybody may write loaded at the start", loaded,
	     LOADED("mode", "code that users other than root may write", 0, 0757, 0755)),
	TEST("a module in a directory that everybody may write loaded at the start", loaded,
	     LOADED("place", "code in a directory that users other than root may write", 0, 0755,
		    0777)),
	TEST("a module in a sticky directory loaded at the start raises nothing", loaded,
	     LOADED("sticky", NULL, 0, 0755, 01777)),
	TEST("a module of root loaded at the start raises nothing", loaded,
	     LOADED("root", NULL, 0, 0755, 0755)),
	{},
};

const struct suite code_suite = {"code", setup, teardown, tests};
