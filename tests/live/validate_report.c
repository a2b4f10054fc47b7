/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * validate_report.c - what `cachewarden validate` writes, in which formats, and where to; that other scanners see the same; and the
 * files of docs/ci.
 */
#include "validate.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void reports(const void *arg)
{
	static const char *const formats[] = {"junit", "sarif", "json", "html", "text"};
	struct server *s = prepare(true, USERS);
	char *file[5];

	server_run_with(s, as_server);
	for (size_t i = 0; i < 5; i++) {
		struct run r;

		file[i] = strdup(str("%s/report.%s", scratch, formats[i]));
		r = validate("--format", formats[i], "--out", file[i], PORT_OF(s), AS_CHECK);
		require(r.status == 1 && !r.out[0], "exit code %d: %s%s", r.status, r.out, r.err);
		require(strstr(file_read(file[i]), "tls-plain-port"), "%s lacks a check",
			formats[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		struct run r = run_command(10000 * patience, "python3", "tests/scripts/reports.py",
					   formats[i], file[i]);

		if (strstr(r.err, "No such file"))
			test_skip("no python3 here");
		require(r.status == 0, "%s: %s%s", formats[i], r.out, r.err);
	}
}

/* A device of its own: a mistake must not cost the host its /dev/null. */
static void to_a_device(const void *arg)
{
	struct server *s = prepare(true, USERS);
	const char *device = str("%s/null", scratch);
	struct stat st;
	struct run r;

	require(!mknod(device, S_IFCHR | 0600, makedev(1, 3)), "mknod: %s", strerror(errno));
	server_run_with(s, as_server);
	r = validate("--out", device, PORT_OF(s), AS_CHECK);
	require(r.status == 1 && !r.out[0], "exit code %d: %s%s", r.status, r.out, r.err);
	require(!lstat(device, &st) && S_ISCHR(st.st_mode), "the device was replaced");
	require(!symlink(s->config, str("%s/link", scratch)), "symlink: %s", strerror(errno));
	r = validate("--out", str("%s/link", scratch), PORT_OF(s), AS_CHECK);
	require(r.status == 2 && strstr(r.err, "not a regular file"), "exit code %d: %s", r.status,
		r.err);
	require(strstr(file_read(s->config), "tls-port"), "the file behind a link was replaced");
}

static void baseline(const void *arg)
{
	struct server *s = prepare(false, USERS);
	const char *before = str("%s/before.json", scratch);
	struct run r;

	server_run_with(s, as_server);
	validate("--format", "json", "--out", before, PORT_OF(s), AS_CHECK);
	require(!chmod(s->key, 0644), "chmod");
	r = validate("--baseline", before, PORT_OF(s), AS_CHECK);
	require(r.status == 1 && strstr(r.out, "FAIL  rest-key: ") &&
			strstr(r.out, "(before: pass)"),
		"exit code %d: %s", r.status, r.out);
}

/* What a run writes to standard error, which is a terminal here, and how it ends. */
static char *on_terminal(const char *const *argv, int *ret_status)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), pid, status;
	static char seen[65536];
	size_t len = 0;
	ssize_t n;

	require(master >= 0 && !grantpt(master) && !unlockpt(master), "pty: %s", strerror(errno));
	require(!fcntl(master, F_SETFL, O_NONBLOCK), "fcntl: %s", strerror(errno));
	pid = child_start(argv, &(struct child_opts){.err = ptsname(master)});
	for (bool ended = false; !ended || n > 0;) {
		ended = child_ended(pid);
		n = read(master, seen + len, sizeof(seen) - 1 - len);
		if (n > 0)
			len += (size_t)n;
		else
			sleep_ms(10);
	}
	seen[len] = '\0';
	status = child_wait(pid, 1000);
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	close(master);
	return seen;
}

/* A line on a terminal, which is gone in the end; a pipe gets none. */
static void progress_line(const void *arg)
{
	struct server *s = prepare(true, USERS);
	const char *const argv[] = {MONITOR, "validate", PORT_OF(s), AS_CHECK, "--drill", NULL};
	const char *const without[] = {MONITOR, "validate", PORT_OF(s), AS_CHECK, NULL};
	struct run r;
	char *seen;
	int status;

	server_run_with(s, as_server);
	setenv("TERM", "xterm", 1);
	seen = on_terminal(argv, &status);
	require(status == 1, "exit code %d: %s", status, seen);
	require(strstr(seen, "\r\033[Kvalidate: asking redis-server:") &&
			strstr(seen, "\r\033[Kvalidate: drill 2 of "),
		"on a terminal: %s", seen);
	require(!strchr(seen, '\n') && strlen(seen) > 4 &&
			!strcmp(seen + strlen(seen) - 4, "\r\033[K"),
		"the line is left: %s", seen);
	for (const char *line = seen; (line = strchr(line, '\r')); line++)
		require(strcspn(line + 4, "\r") < 80, "it wraps: %s", line);
	setenv("TERM", "dumb", 1);
	seen = on_terminal(without, &status);
	require(status == 1 && !seen[0], "on a dumb terminal: %s", seen);
	setenv("TERM", "xterm", 1);
	r = validate_argv(without + 2);
	require(r.status == 1 && !r.err[0] && !strchr(r.out, '\r'), "in a pipe: %s", r.err);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

/* The same versions and, where each suite belongs to one version, the same number of suites. */
static void like_sslscan(const void *arg)
{
	static const char *const names[][2] = {{"SSLv3 ", "SSLv3"},
					       {"TLSv1.0 ", "TLSv1 "},
					       {"TLSv1.1 ", "TLSv1.1"},
					       {"TLSv1.2 ", "TLSv1.2"},
					       {"TLSv1.3 ", "TLSv1.3"}};
	const bool weak = arg;
	struct server *s = prepare(false, weak ? USERS EVERYTHING : USERS);
	char ours[2048];
	const char *seen;
	json_t *report;
	struct run r;

	if (access("/usr/bin/sslscan", X_OK))
		test_skip("no sslscan here");
	server_run_with(s, as_server);
	report = report_of(validate("--format", "json", "--profile", arg ? "strict" : "azure-cache",
				    PORT_OF(s), AS_CHECK));
	r = run_command(30000 * patience, "sslscan", "--no-colour", "--no-heartbleed",
			str("127.0.0.1:%d", s->tls_port));
	seen = of(check_of(report, "tls-versions"), "seen");
	snprintf(ours, sizeof(ours), "%s ", seen);
	for (char *c = ours; *c; c++)
		*c = *c == ',' || *c == ':' ? ' ' : *c;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool theirs = strstr(r.out, str("%s  enabled", names[i][0]));

		/* by strict, 1.3 is not among those that are named for being bad */
		if (i < 4 || !weak)
			require(theirs == !!strstr(ours, names[i][1]), "%s: sslscan %d, here: %s",
				names[i][0], theirs, seen);
	}
	if (weak)
		return;
	seen = of(check_of(report, "tls-ciphers"), "seen");
	require((size_t)atoi(seen) == count(r.out, "Accepted  ") + count(r.out, "Preferred "),
		"sslscan has another number of suites than %s: %s", seen, r.out);
}

/* Another tool, which brings an OpenSSL of its own for what is no longer spoken. */
static void like_testssl(const void *arg)
{
	static const char *const names[][2] = {{"SSLv3 ", "SSLv3"},
					       {"TLS 1 ", "TLSv1 "},
					       {"TLS 1.1 ", "TLSv1.1"},
					       {"TLS 1.2 ", "TLSv1.2"},
					       {"TLS 1.3 ", "TLSv1.3"}};
	struct server *s = prepare(false, arg);
	const char *line, *end, *seen;
	char ours[1024];
	struct run r;

	if (access("/usr/bin/testssl", X_OK))
		test_skip("no testssl here");
	server_run_with(s, as_server);
	seen = of(check_of(report_of(validate("--format", "json", PORT_OF(s), AS_CHECK)),
			   "tls-versions"),
		  "seen");
	snprintf(ours, sizeof(ours), "%s ", seen);
	for (char *c = ours; *c; c++)
		*c = *c == ',' || *c == ':' ? ' ' : *c;
	r = run_command(120000 * patience, "testssl", "--protocols", "--quiet", "--color", "0",
			"--warnings", "off", str("127.0.0.1:%d", s->tls_port));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		line = strstr(r.out, str("\n %s", names[i][0]));
		require(line, "no %sin: %s%s", names[i][0], r.out, r.err);
		end = strchr(line + 1, '\n');
		line = str("%.*s", (int)(end - line), line);
		/* ours names the bad ones alone where there are some */
		if (!strstr(ours, "accepted") || i < 3)
			require(!strstr(line, "not offered") == !!strstr(ours, names[i][1]),
				"testssl: %s; here: %s", line, seen);
	}
}

static const char *working_directory(void)
{
	static char path[PATH_MAX];

	require(getcwd(path, sizeof(path)), "getcwd: %s", strerror(errno));
	return path;
}

/* The shell of a CI file of docs/ci, run as it stands there. */
static void ci_file(const void *name)
{
	static const char *const reports[] = {"cachewarden.xml", "cachewarden.sarif"};
	struct server *s = prepare(true, USERS);
	const char *dir = str("%s/ci", scratch), *steps = str("%s/steps", dir);
	const char *checker = str("%s/tests/scripts/reports.py", working_directory());
	struct run r;

	server_run(s); /* as root: whoever knows the password may send it to that one */
	require(!mkdir(dir, 0700) || errno == EEXIST, "mkdir: %s", strerror(errno));
	r = run_command(10000 * patience, "python3", "tests/scripts/ci_steps.py",
			str("docs/ci/%s", (const char *)name));
	if (strstr(r.err, "No such file") || strstr(r.err, "No module named"))
		test_skip("no python3 with yaml here");
	require(r.status == 0, "%s%s", r.out, r.err);
	file_write(steps, r.out);
	r = run_command(60000 * patience, "env", "-C", dir,
			str("PATH=%s/build:/usr/bin:/bin", working_directory()),
			str("CACHE_PORT=%d", s->tls_port),
			"INTEGRATION_TESTS=env; echo the tests ran",
			str("CHECK_PASSWORD_FILE=%s", password_file(PASSWORD)),
			"CACHEWARDEN_PASSWORD=" PASSWORD, "sh", "-e", steps);
	require(!strstr(r.err, PASSWORD), "the tests are told the password: %s", r.err);
	require(r.status == 1 && strstr(r.err, "the tests ran"), "exit code %d: %s%s", r.status,
		r.out, r.err);
	for (size_t i = 0; i < 2; i++) {
		const char *file = str("%s/%s", dir, reports[i]);

		if (access(file, R_OK))
			continue;
		r = run_command(10000 * patience, "python3", checker, i ? "sarif" : "junit", file);
		require(r.status == 0, "%s%s", r.out, r.err);
		require(strstr(file_read(file), "drill-mem-read"), "%s lacks a drill", file);
		require(!strstr(file_read(file), PASSWORD), "the password is in %s", file);
		require(!unlink(file), "unlink %s", file);
		return;
	}
	test_fail("no report: %s%s", r.out, r.err);
}

static const struct test tests[] = {
	TEST("docs/ci: the shell of GitLab CI gives a report", ci_file, .arg = "gitlab-ci.yml"),
	TEST("docs/ci: the shell of GitHub Actions gives a report", ci_file,
	     .arg = "github-actions.yml", .slow = true),
	TEST("docs/ci: the shell of Jenkins gives a report", ci_file, .arg = "Jenkinsfile",
	     .slow = true),
	TEST("JUnit XML and SARIF are what CI servers read", reports),
	TEST("a report to a device leaves it one, and a link to a file is refused", to_a_device),
	TEST("a progress line on a terminal, and none in a pipe", progress_line),
	TEST("a baseline shows what changed", baseline),
	TEST("sslscan finds the same versions and suites", like_sslscan),
	TEST("sslscan finds the same old versions", like_sslscan, .arg = USERS, .slow = true),
	TEST("testssl.sh finds the same versions", like_testssl, .arg = USERS, .slow = true),
	TEST("testssl.sh finds the same old versions", like_testssl, .arg = USERS EVERYTHING,
	     .slow = true),
	{},
};

const struct suite validate_report_suite = {"validate report", NULL, NULL, tests};
