/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_search.c - the files of a server that was started before the monitor: its configuration is read to its end, and
 * what cannot be protected is reported as a blind spot.
 */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* sysfs refuses to open it for reading, even to root. */
#define WRITE_ONLY "/sys/bus/platform/drivers_probe"

#define DIRECTORIES "/*/no-such-directory/*.conf"

#define UNPROTECTED "files of instances that could not be protected: access to them goes unseen"
#define UNREAD "server configurations not read in full: files they name may be unprotected"

#define KIB 1024

static struct server *without;
static struct monitor *mon;
static const char *included, *by_pattern;

static void append(const struct server *s, const char *text)
{
	FILE *f = fopen(s->config, "ae");

	require(f && fputs(text, f) >= 0 && !fclose(f), "%s: %s", s->config, strerror(errno));
}

static void append_comments(const struct server *s, size_t size)
{
	char *text = malloc(size + 1);

	require(text, "out of memory");
	memset(text, '#', size);
	for (size_t i = 63; i < size; i += 64)
		text[i] = '\n';
	text[size - 1] = '\n';
	text[size] = '\0';
	append(s, text);
	free(text);
}

static const char *write_config(const char *dir, const char *name)
{
	const char *path = strdup(str("%s/%s", dir, name));

	file_write(path, "maxmemory 10mb\nloglevel notice\n");
	require(!chmod(path, 0600), "chmod %s: %s", path, strerror(errno));
	return path;
}

static void monitor(void)
{
	mon = monitor_start("--sweep", "1", NULL);
}

static void unmonitor(void)
{
	require(!monitor_stop(mon, SIGTERM), "exit code");
}

static void setup(void)
{
	const char *dir = strdup(str("%s/conf.d", scratch));

	require(!mkdir(dir, 0700), "mkdir %s: %s", dir, strerror(errno));
	included = write_config(scratch, "included.conf");
	by_pattern = write_config(dir, "10-memory.conf");

	without = server_prepare(&(struct server_opts){});
	append_comments(without, 100 * KIB);
	append(without, str("include %s\n", included));
	append(without, str("include %s/*.conf\ninclude %s/no-*.conf\n", dir, dir));
	server_run(without);
	monitor();
}

static void expect_config_of(const struct server *s, const char *path)
{
	struct trigger t = trigger("file_open", path);

	expect(mon, {.rule = "rest-file", .detail = "configuration", .server = s, .by = &t});
}

static void long_config(const void *arg)
{
	expect_config_of(without, included);
}

static void included_by_pattern(const void *arg)
{
	expect_config_of(without, by_pattern);
}

static void whole_search(const void *arg)
{
	sleep_ms(2500); /* the first counters and sweeps */
	require(!blind_count(mon, UNPROTECTED) && !blind_count(mon, UNREAD),
		"a blind spot where there is none: %s", file_read(mon->out));
}

/* ---- what the search does not find is a blind spot ---- */

static struct server *unopened, *by_directories;

static const char *unopened_dump(void)
{
	return str("%s/old.rdb", unopened->dir);
}

static void unopened_start(void)
{
	unopened = server_prepare(&(struct server_opts){});
	if (!access(WRITE_ONLY, F_OK))
		require(!symlink(WRITE_ONLY, unopened_dump()), "symlink: %s", strerror(errno));
	server_run(unopened);
}

static void file_unprotected(const void *arg)
{
	if (access(WRITE_ONLY, F_OK))
		test_skip("no %s here", WRITE_ONLY);
	require(blind_count_wait(mon, UNPROTECTED, 0) == 1, "%ld files counted, not 1: %s",
		blind_count(mon, UNPROTECTED), file_read(mon->out));
	require(file_has(mon->err, str("cannot protect %s", unopened_dump())), "not in the log: %s",
		file_read(mon->err));
}

static void by_directories_start(void)
{
	by_directories = server_prepare(&(struct server_opts){});
	append(by_directories, "include " DIRECTORIES "\n");
	server_run(by_directories);
}

static void directories_by_pattern(const void *arg)
{
	require(blind_count_wait(mon, UNREAD, 0) == 1, "%ld configurations counted, not 1: %s",
		blind_count(mon, UNREAD), file_read(mon->out));
	require(file_has(mon->err, str("cannot read all of configuration " DIRECTORIES
				       " of instance redis-server:%d",
				       by_directories->tls_port)),
		"not in the log: %s", file_read(mon->err));
}

/* So many dumps that the search ends before them all, and a configuration that it cuts. */
static struct server *crowded, *cut;

static void excess_setup(void)
{
	crowded = server_prepare(&(struct server_opts){});
	for (int i = 0; i < 1200; i++)
		file_write(str("%s/%d.rdb", crowded->dir, i), "REDIS0009");
	server_run(crowded);
	cut = server_prepare(&(struct server_opts){});
	append_comments(cut, 1200 * KIB);
	server_run(cut);
	monitor();
}

static void many_files(const void *arg)
{
	require(blind_count_wait(mon, UNPROTECTED, 100) > 100, "%ld files counted: %s",
		blind_count(mon, UNPROTECTED), file_read(mon->out));
}

static void config_cut(const void *arg)
{
	require(blind_count_wait(mon, UNREAD, 0) == 1, "%ld configurations counted, not 1: %s",
		blind_count(mon, UNREAD), file_read(mon->out));
	require(file_has(mon->err, cut->config), "not in the log: %s", file_read(mon->err));
}

/* ---- what the last monitor learnt ---- */

static struct server *learnt; /* its key and configuration lie where no search looks */
static char *state; /* what a monitor that has ended since wrote when it saw the server start */

static void learn(void)
{
	const char *dir = strdup(str("%s/odd", scratch));

	learnt = server_prepare(&(struct server_opts){});
	require(!mkdir(dir, 0700), "mkdir %s: %s", dir, strerror(errno));
	snprintf(learnt->key, sizeof(learnt->key), "%s/a secret%%", dir);
	key_copy(learnt->key);
	append(learnt, str("tls-key-file \"%s\"\n", learnt->key));
	require(!rename(learnt->config, str("%s/settings", dir)), "rename: %s", strerror(errno));
	snprintf(learnt->config, sizeof(learnt->config), "%s/settings", dir);
	monitor();
	server_run(learnt);
	sleep_ms(2500);
	unmonitor();
	state = file_read(run_path("files"));
}

/* For the next monitor, in place of what the last one wrote. */
static void leave(const char *text, mode_t mode)
{
	const char *path = run_path("files");

	unlink(path);
	file_write(path, text);
	require(!chmod(path, mode), "chmod: %s", strerror(errno));
}

static void known_again(const void *arg)
{
	struct stat st;
	struct trigger t;

	leave(state, 0600);
	monitor();
	t = trigger("file_open", learnt->key);
	expect(mon, {.rule = "tls-key", .detail = "private key", .server = learnt, .by = &t});
	monitors_mark();
	expect_config_of(learnt, learnt->config);
	unmonitor();
	require(!stat(run_path("files"), &st) && !st.st_uid && (st.st_mode & 0777) == 0600,
		"mode of the state is %o", st.st_mode);
}

static void unknown_is_said(const void *arg)
{
	unlink(run_path("files"));
	monitor();
	require(file_has(mon->err, str("redis-server:%d: 1 file protected; none known as: "
				       "configuration, ACL file",
				       learnt->tls_port)),
		"it is not said: %s", file_read(mon->err));
}

static void damaged(const void *arg)
{
	const char *end = strstr(state, "\nend\n");

	require(end, "the state has no end: %s", state);
	leave(str("%.*s", (int)(end + 1 - state), state), 0600);
	monitor();
	require(file_has(mon->err, "/files is damaged at line"), "it is not said: %s",
		file_read(mon->err));
}

static void written_by_others(const void *arg)
{
	leave(state, 0666);
	monitor();
	require(file_has(mon->err, "/files is ignored"), "it is used: %s", file_read(mon->err));
}

/* ---- what the command line names ---- */

static const char *odd_dir(const char *of)
{
	const char *dir = strdup(str("%s/%s", scratch, of));

	require(!mkdir(dir, 0700), "mkdir %s: %s", dir, strerror(errno));
	return dir;
}

static void expect_key_of(const struct server *s, const char *path)
{
	struct trigger t = trigger("file_open", path);

	expect(mon, {.rule = "tls-key", .detail = "private key", .server = s, .by = &t});
}

static void start_with(struct server *s, const char *const *more)
{
	const char *argv[24] = {REDIS_SERVER,
				"--port",
				"0",
				"--tls-port",
				strdup(str("%d", s->tls_port)),
				"--bind",
				"127.0.0.1",
				"--tls-cert-file",
				strdup(cert_path()),
				"--tls-ca-cert-file",
				strdup(cert_path()),
				"--logfile",
				s->log};

	for (int n = 13; *more; n++)
		argv[n] = *more++;
	s->pid = child_start(argv, &(struct child_opts){});
	server_ready(s);
	unlink(s->config);
}

/* As `make run` starts one: everything on the command line, which the server overwrites. */
static struct server *overwritten;

static void overwritten_start(void)
{
	overwritten = server_prepare(&(struct server_opts){});
	start_with(overwritten, (const char *const[]){"--dir", overwritten->dir, "--tls-key-file",
						      overwritten->key, NULL});
}

static void without_config(const void *arg)
{
	expect_key_of(overwritten, overwritten->key);
	require(file_has(mon->err, str("redis-server:%d: 1 file protected", overwritten->tls_port)),
		"not 1 file: %s", file_read(mon->err));
}

/* The key, the ACL file and the data lie where no search looks; the server keeps its command line. */
static struct server *titled;
static const char *titled_key, *titled_acl;

static void titled_start(void)
{
	const char *dir = odd_dir("arguments");

	titled = server_prepare(&(struct server_opts){});
	titled_key = strdup(str("%s/a key", dir));
	titled_acl = strdup(str("%s/people", dir));
	key_copy(titled_key);
	file_write(titled_acl, "user default on nopass ~* &* +@all\n");
	require(!chmod(titled_acl, 0600), "chmod: %s", strerror(errno));
	start_with(titled, (const char *const[]){"--set-proc-title", "no", "--TLS-Key-File",
						 titled_key, "--aclfile", titled_acl, "--dir",
						 odd_dir("arguments.data"), NULL});
	unlink(titled->key);
}

static void by_arguments(const void *arg)
{
	struct trigger t;

	expect_key_of(titled, titled_key);
	monitors_mark();
	t = trigger("file_open", titled_acl);
	expect(mon, {.rule = "rest-file", .detail = "ACL file", .server = titled, .by = &t});
}

/* redis-server FILE --dir DIR: the file that its command line names is read, and what it names in turn. */
static struct server *configured;

static void configured_start(void)
{
	struct server *s = configured = server_prepare(&(struct server_opts){});
	const char *dir = odd_dir("settings");

	snprintf(s->key, sizeof(s->key), "%s/secret", dir);
	key_copy(s->key);
	append(s, str("tls-key-file %s\nset-proc-title no\n", s->key));
	require(!rename(s->config, str("%s/settings", dir)), "rename: %s", strerror(errno));
	snprintf(s->config, sizeof(s->config), "%s/settings", dir);
	s->pid = child_start((const char *const[]){REDIS_SERVER, s->config, "--dir",
						   odd_dir("settings.data"), NULL},
			     &(struct child_opts){});
	server_ready(s);
}

static void config_by_arguments(const void *arg)
{
	expect_key_of(configured, configured->key);
	monitors_mark();
	expect_config_of(configured, configured->config);
}

/* Until strace has stopped it for longer than any other call takes. */
static void await_held(const struct monitor *m)
{
	long long end = now_ms() + 8000 * patience;
	int stopped = 0;

	for (; stopped < 50; sleep_ms(10)) {
		const char *stat = file_read(str("/proc/%d/stat", m->pid)),
			   *name_end = strrchr(stat, ')');

		stopped = name_end && name_end[2] == 't' ? stopped + 1 : 0;
		require(now_ms() < end, "it was not held: %s", file_read(m->err));
	}
}

/* Two monitors that look for files at the same time: what the one opens, the other does not take for a file that it opens
 * itself to learn it. The first is held while it opens the key. */
static void not_what_another_opens(const void *arg)
{
	const char *key = str("/proc/%d/root%s", configured->pid, configured->key);
	const char *const argv[] = {
		"strace", "-D",		  "-f", "-qq",
		"-o",	  "/dev/null",	  "-P", key,
		"-e",	  "trace=openat", "-e", "inject=openat:delay_enter=6000000",
		MONITOR,  "run",	  "-v", NULL};
	struct monitor *held, *other;

	held = monitor_start_with(&(struct child_opts){}, argv);
	await_held(held);
	other = monitor_start("-v", NULL);
	require(!file_has(held->err, "watching "), "the first was not held");
	monitor_ready(held);
	require(file_has(held->err, str("private key %s", configured->key)),
		"the key is not learnt: %s", file_read(held->err));
	require(!file_has(held->err, "configuration /etc/"), "learnt from another: %s",
		file_read(held->err));
	monitor_stop(other, SIGTERM);
	monitor_stop(held, SIGTERM);
}

/* The benign twin: an option of another program names the same kind of file. */
static const char *strangers_key;

static void stranger_start(void)
{
	strangers_key = strdup(str("%s/key", odd_dir("stranger")));
	key_copy(strangers_key);
	child_start((const char *const[]){"/bin/sh", "-c", "sleep 1000; :", "--tls-key-file",
					  strangers_key, NULL},
		    &(struct child_opts){});
}

static void strangers_arguments(const void *arg)
{
	trigger("file_open", strangers_key);
	expect_nothing(mon);
}

static void before_setup(void)
{
	unopened_start();
	by_directories_start();
	overwritten_start();
	titled_start();
	configured_start();
	stranger_start();
	monitor();
}

static const struct test tests[] = {
	TEST("a file named behind 100 KiB of configuration", long_config),
	TEST("a configuration included by a pattern", included_by_pattern),
	TEST("a search that misses nothing reports no blind spot", whole_search),
	{},
};

static const struct test before_tests[] = {
	TEST("a file that cannot be opened is a blind spot", file_unprotected),
	TEST("directories included by a pattern are a blind spot", directories_by_pattern),
	TEST("a private key in the working directory of a server without configuration",
	     without_config),
	TEST("a key and an ACL file that only the command line names", by_arguments),
	TEST("a configuration that only the command line names, and its key", config_by_arguments),
	TEST("a key that a stranger's command line names is nobody's", strangers_arguments),
	TEST("what another monitor opens meanwhile is not learnt", not_what_another_opens),
	{},
};

static const struct test excess_tests[] = {
	TEST("more files than are searched are a blind spot", many_files),
	TEST("a configuration larger than is read is a blind spot", config_cut),
	{},
};

static const struct test learnt_tests[] = {
	TEST("a key and a configuration that the last monitor learnt", known_again),
	TEST("which kinds of files are not known is said", unknown_is_said),
	TEST("what the last monitor learnt is not used if it is damaged", damaged),
	TEST("what the last monitor learnt is not used if others may write it", written_by_others),
	{},
};

const struct suite files_search_suite = {"search", setup, NULL, tests};
const struct suite files_search_before_suite = {"search: before", before_setup, NULL, before_tests};
const struct suite files_search_excess_suite = {"search: excess", excess_setup, NULL, excess_tests};
const struct suite files_learnt_suite = {"search: learnt", learn, NULL, learnt_tests};
