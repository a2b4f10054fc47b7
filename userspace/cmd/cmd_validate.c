// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_validate.c - cachewarden validate: tries one server and its host against a profile, once. It needs no monitor, runs one if it is
 * asked to, and changes nothing. Without root some checks are skipped.
 */
#include "cmd/cli.h"
#include "cmd/verbs.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "policy/policy_yaml.h"
#include "validate/baseline.h"
#include "validate/drill.h"
#include "validate/look.h"
#include "validate/out_file.h"
#include "validate/profile_read.h"
#include "validate/progress.h"
#include "validate/watch.h"
#include "validate/write.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_PROFILE "azure-cache"
#define DAY_S 86400

struct settings {
	struct look_choice which;
	struct look_login login;
	const char *profile, *host_name, *out, *baseline, *server_user;
	int format;
	uint32_t duration_s;	/* 0: not given */
	const char *while_runs; /* a shell command */
	bool drill, drill_live, list, show;
};

/* Returns CLI_PROCEED, or an exit code after an error message. Errors in files are printed as compilers print them. */
static int load_profile(struct profile *p, const char *name)
{
	const char *builtin = profile_builtin(name);
	char error[POLICY_ERROR_LEN], *text;
	size_t len = 0;
	bool ok;

	if (!builtin && !strchr(name, '/') && access(name, F_OK)) {
		log_error("validate: no profile '%s'; expected azure-cache, strict, or a YAML file",
			  name);
		return EXIT_USAGE;
	}
	if (builtin) {
		ok = profile_parse(p, name, builtin, strlen(builtin), error, sizeof(error));
	} else {
		text = policy_yaml_text(name, &len, error, sizeof(error));
		ok = text && profile_parse(p, name, text, len, error, sizeof(error));
		free(text);
	}
	if (ok)
		return CLI_PROCEED;
	fprintf(stderr, "%s\n", error);
	return EXIT_USAGE;
}

static int list_checks(void)
{
	for (size_t i = 0; i < check_count; i++)
		printf("%-20s %s\n", checks[i].id, checks[i].guarantee);
	return EXIT_FINE;
}

static int show_profile(const char *name)
{
	const char *text = profile_builtin(name);

	if (!text) {
		log_error("validate: --show-profile prints azure-cache or strict, not '%s'", name);
		return EXIT_USAGE;
	}
	fputs(text, stdout);
	return EXIT_FINE;
}

static int find_target(struct facts *f, const struct settings *s)
{
	char there[512];

	switch (look_target(f, &s->which, there, sizeof(there))) {
	case LOOK_FOUND:
		return CLI_PROCEED;
	case LOOK_MANY:
		log_error("validate: several servers run; choose one with --port or --instance: %s",
			  there);
		return EXIT_USAGE;
	default:
		if (there[0])
			log_error("validate: no such server; these run: %s", there);
		else
			log_error(
				"validate: no Redis or Valkey server runs here, or this user does not see it");
		return EXIT_CANNOT;
	}
}

static int look(struct facts *f, const struct settings *s)
{
	char error[1024];
	bool ok;

	progress("validate: asking %s: TLS versions, ciphers, certificate, configuration ...",
		 f->name);
	f->config.options.wanted = s->drill;
	look_addresses(f);
	ok = look_server(f, &s->login, error, sizeof(error));
	progress_end();
	if (!ok) {
		log_error("validate: %s", error);
		return EXIT_USAGE;
	}
	progress("validate: looking at its process, its files and the host ...");
	look_process(f);
	look_people(f);
	look_code(f);
	look_files(f);
	look_host(f);
	if (s->drill || s->drill_live)
		drill(f, s->drill_live);
	progress_end();
	if (f->interrupted[0]) {
		log_warn("validate: %s stopped the drills; the report has what was done by then",
			 f->interrupted);
		f->watch.asked = s->duration_s || s->while_runs;
		snprintf(f->watch.why, sizeof(f->watch.why),
			 "the drills before it were stopped by a signal");
	} else if (s->duration_s || s->while_runs) {
		watch(f, s->duration_s ?: DAY_S, s->while_runs);
	}
	return CLI_PROCEED;
}

static int write_report(const struct verdict_report *r, const struct settings *s)
{
	struct out_file o = {.stream = stdout};
	char why[PATH_MAX + 128];
	int err = s->out ? out_file_open(&o, s->out, why, sizeof(why)) : 0;
	bool ok;

	if (err) {
		log_error("validate: %s", why);
		return err == -EINVAL ? EXIT_USAGE : EXIT_CANNOT;
	}
	write_formats[s->format].write(r, o.stream);
	ok = s->out ? out_file_close(&o) : !fflush(stdout) && !ferror(stdout);
	if (ok)
		return CLI_PROCEED;
	log_error("validate: the report cannot be written: %s", strerror(errno));
	return EXIT_CANNOT;
}

static int code_of(enum verdict_sum s)
{
	return s == VERDICT_KEPT ? EXIT_FINE : s == VERDICT_BROKEN ? EXIT_VIOLATION : EXIT_CANNOT;
}

static int judge(struct facts *f, const struct profile *p, const struct settings *s)
{
	uint64_t began = clock_boot_ns();
	struct verdict_report *r;
	char error[512];
	int code = look(f, s);

	if (code != CLI_PROCEED)
		return code;
	r = calloc(1, sizeof(*r));
	if (!r)
		return EXIT_CANNOT;
	verdict_reach(r, f, p);
	clock_text_utc_s(f->now_s, r->time);
	r->took_ms = (int64_t)((clock_boot_ns() - began) / NS_PER_MS);
	if (s->baseline && !baseline_compare(r, s->baseline, error, sizeof(error))) {
		log_error("validate: %s", error);
		code = EXIT_USAGE;
	} else {
		code = write_report(r, s);
	}
	if (code == CLI_PROCEED)
		code = code_of(r->sum);
	free(r);
	return code;
}

static int validate(const struct settings *s)
{
	struct facts *f = calloc(1, sizeof(*f));
	struct profile p = {};
	int code = load_profile(&p, s->profile);

	if (code == CLI_PROCEED && f) {
		f->root = !geteuid();
		f->now_s = time(NULL);
		f->own_trust = s->login.ca;
		snprintf(f->host_name, sizeof(f->host_name), "%s", s->host_name ?: "");
		code = find_target(f, s);
		if (code == CLI_PROCEED)
			code = judge(f, &p, s);
	}
	if (p.name)
		profile_free(&p);
	free(f);
	if (code != CLI_PROCEED)
		return code;
	log_error("validate: out of memory");
	return EXIT_CANNOT;
}

/* What the table of arguments cannot say. */
static bool is_consistent(const struct settings *s)
{
	if (s->which.name && s->which.port)
		log_error(
			"validate: --instance and --port both say which server; give one of them");
	else if (!s->login.cert != !s->login.key)
		log_error("validate: --cert and --key belong together");
	else if (s->login.user && !s->login.password_file && !getenv(PASSWORD_VARIABLE))
		log_error("validate: --user needs --password-file, or " PASSWORD_VARIABLE
			  " in the environment");
	else if (s->drill && s->drill_live)
		log_error(
			"validate: --drill attacks a decoy and --drill-live the server; give one of them");
	else
		return true;
	return false;
}

/* By name, or by number for users that only a container knows. */
static bool know_server_user(struct settings *s)
{
	const char *text = s->server_user;
	const struct passwd *user;
	unsigned long long uid;
	char *end;

	if (!text)
		return true;
	errno = 0;
	uid = strtoull(text, &end, 10);
	user = getpwnam(text);
	if (user)
		uid = user->pw_uid;
	if ((!user && (text[0] < '0' || text[0] > '9' || *end || errno)) || uid >= UINT32_MAX) {
		log_error("validate: --server-user: no user '%s' here", text);
		return false;
	}
	s->which.uid = s->login.server_uid = (int64_t)uid;
	return true;
}

int cmd_validate(int argc, char **argv)
{
	struct settings s = {.profile = DEFAULT_PROFILE,
			     .which.uid = LOOK_ANY_UID,
			     .login.server_uid = LOOK_ANY_UID};
	const struct cli_arg args[] = {
		{"--instance", "NAME",
		 "Server to validate, as alerts name it. Default: the only one running.", CLI_TEXT,
		 &s.which.name},
		{"--port", "PORT", "The same, by a port it listens on.", CLI_NUMBER, &s.which.port,
		 .min = 1},
		{"--profile", "NAME|FILE",
		 "azure-cache, strict, or a YAML file. Default: azure-cache.", CLI_TEXT,
		 &s.profile},
		{"--duration", "SECONDS",
		 "Also run a monitor for so long, until SIGINT or SIGTERM at the latest, and judge what it saw.",
		 CLI_NUMBER, &s.duration_s, .min = 1},
		{"--while", "COMMAND",
		 "The same while this shell command runs, such as your integration tests.",
		 CLI_TEXT, &s.while_runs},
		{"--drill", NULL,
		 "Also attack a decoy, a second server with scratch data, to see that a monitor reports it.",
		 CLI_FLAG, &s.drill},
		{"--drill-live", NULL,
		 "The same on the server itself, with what neither stops it, changes it nor reads its data. It logs some refused connections, and monitors report attacks on it.",
		 CLI_FLAG, &s.drill_live},
		{"--format", "text|json|junit|sarif|html", "Format of the report. Default: text.",
		 CLI_CHOICE, &s.format},
		{"--out", "FILE", "Write the report to a file.", CLI_TEXT, &s.out},
		{"--baseline", "FILE", "An earlier report in JSON: show which verdicts changed.",
		 CLI_TEXT, &s.baseline},
		{"--user", "NAME", "User to authenticate as. Default: the default user.", CLI_TEXT,
		 &s.login.user},
		{"--password-file", "FILE",
		 "File whose first line is the password. Else it is taken from " PASSWORD_VARIABLE
		 " in the environment.",
		 CLI_TEXT, &s.login.password_file},
		{"--server-user", "NAME|UID",
		 "User that the server runs as: no other one is sent a password. Default: redis, valkey, root, or the one who runs this.",
		 CLI_TEXT, &s.server_user},
		{"--cert", "FILE", "Client certificate, for servers that require one.", CLI_TEXT,
		 &s.login.cert},
		{"--key", "FILE", "Its private key.", CLI_TEXT, &s.login.key},
		{"--ca", "FILE",
		 "Certificates that clients trust. A password is then sent to nobody else. Default: the server's tls-ca-cert-file, else the system's, and the password to whom the kernel says is the server.",
		 CLI_TEXT, &s.login.ca},
		{"--host", "NAME",
		 "Name or address that clients connect to: the certificate must be for it.",
		 CLI_TEXT, &s.host_name},
		{"--list", NULL, "List all checks.", CLI_FLAG, &s.list},
		{"--show-profile", NULL, "Print the profile's YAML, to begin one of your own.",
		 CLI_FLAG, &s.show},
	};
	int code = cli_parse(
		&(struct cli_command){
			"validate",
			"Tries one server and its host against a profile: TLS, memory, files, the host. Exits with 0 if\n"
			"everything is as promised, 1 if something is not, 3 if something could not be judged. It needs\n"
			"no monitor, and changes nothing; without root it sees less.",
			args, ARRAY_SIZE(args)},
		argc, argv);

	if (code != CLI_PROCEED)
		return code;
	prctl(PR_SET_DUMPABLE, 0); /* it may have a password */
	signal(SIGCHLD, SIG_DFL);  /* or the ends of children are not told */
	if (s.list)
		return list_checks();
	if (s.show)
		return show_profile(s.profile);
	return is_consistent(&s) && know_server_user(&s) ? validate(&s) : EXIT_USAGE;
}
