// SPDX-License-Identifier: BSD-2-Clause
/* drill.c - see drill.h. What each drill does is in drill_try.c. */
#include "validate/drill.h"

#include "base/clock.h"
#include "base/macros.h"
#include "model/rule.h"
#include "validate/confine.h"
#include "validate/drill_monitor.h"
#include "validate/drill_try.h"
#include "validate/inside.h"
#include "validate/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTOR "cw-drill"

static const struct {
	unsigned int rule;
	const char *why;
} missing[] = {
	{RULE_MEM_SPILL,
	 "it reports states that only the kernel and the server itself bring about: swap, KSM, "
	 "shared mappings; `mem-swap` and `mem-ksm` look at them"},
	{RULE_SELF_BLIND,
	 "whatever blinds a monitor costs what it should see meanwhile; `watch-covered` and "
	 "`cachewarden status` say whether it is blind"},
};

enum drill_id drill_find(unsigned int rule)
{
	enum drill_id id = 0;

	while (id < DRILL_MAX && drill_rows[id].rule != rule)
		id++;
	return id;
}

const char *drill_missing(unsigned int rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		if (missing[i].rule == rule)
			return missing[i].why;
	}
	return drill_find(rule) < DRILL_MAX ? NULL : "";
}

const char *drill_not_live(enum drill_id id)
{
	return drill_rows[id].not_live;
}

/* In the network of the server, and with no rights if it will read what that answers. */
static bool prepare(const struct scene *s, enum drill_id id)
{
	if (s->network_of && drill_rows[id].asks && !confine_enter_network(s->network_of))
		return false;
	return !drill_rows[id].asks || confine_drop_rights();
}

/* Returns its pid, and in *ret_err how the attempt ended; 0 if there is no process. A server may let it wait for ever. */
static pid_t attempt(const struct scene *s, enum drill_id id, int *ret_err)
{
	uint64_t began = clock_boot_ns(), until = began + DRILL_WAIT_MS * NS_PER_MS;
	int status = 0;
	pid_t pid;

	s->trial->began_ns = began;
	s->trial->port = 0;
	pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, ACTOR);
		signal(SIGPIPE, SIG_IGN);
		if (!prepare(s, id))
			_exit(ENOSYS);
		s->trial->began_ns = clock_boot_ns();
		_exit(drill_rows[id].try(s));
	}
	*ret_err = errno;
	if (pid < 0)
		return 0;
	while (!waitpid(pid, &status, WNOHANG)) {
		if (clock_boot_ns() > until)
			kill(pid, SIGKILL);
		usleep(200);
	}
	*ret_err = WIFEXITED(status) ? WEXITSTATUS(status) : ETIMEDOUT;
	/* it read what a server answers, which may have taken it over */
	if (s->trial->began_ns < began || s->trial->began_ns > clock_boot_ns())
		s->trial->began_ns = began;
	return pid;
}

static bool names_who(const struct drill_event *e, const struct scene *s, enum drill_id id,
		      pid_t actor)
{
	switch (drill_rows[id].whom) {
	case BY_ADDRESS:
		return s->trial->port && e->remote_port == s->trial->port;
	case BY_SERVER:
		return e->actor_pid == s->pid;
	case BY_ACTOR:
		return e->actor_pid == actor;
	default:
		return true;
	}
}

/* Is it what the drill must raise, and does it name who did it? */
static bool is_expected(const struct drill_event *e, const struct scene *s, enum drill_id id,
			pid_t actor)
{
	pid_t of = drill_rows[id].whose == OF_SERVER	? s->pid
		   : drill_rows[id].whose == OF_MONITOR ? s->monitor
							: 0;

	return !strcmp(e->rule, rule_name(drill_rows[id].rule)) && names_who(e, s, id, actor) &&
	       (!of || e->instance_pid == of);
}

/* What is refused is an attempt as well. What this kernel or the server has not got is none, nor is a decoy that has ended. */
static bool is_untried(int err)
{
	switch (err) {
	case ENOSYS:
	case ENOENT:
	case ENODEV:
	case EPROTONOSUPPORT:
	case ESRCH:
	case ECONNREFUSED:
	case EAGAIN:
		return true;
	default:
		return false;
	}
}

static void run(const struct scene *s, struct drill_monitor *m, enum drill_id id,
		struct facts_drill *ret)
{
	struct drill_event e;
	bool seen = false;
	uint64_t until;
	int err = 0;
	pid_t actor = attempt(s, id, &err);

	if (!actor || is_untried(err)) {
		snprintf(ret->why, sizeof(ret->why), "it cannot be tried here: %s", strerror(err));
		return;
	}
	until = s->trial->began_ns + DRILL_WAIT_MS * NS_PER_MS;
	while (!seen && drill_monitor_next(m, until, &e, ret->why))
		seen = is_expected(&e, s, id, actor);
	if (!seen && !ret->why[0] && (err == ETIMEDOUT || err == ECONNRESET))
		snprintf(ret->why, sizeof(ret->why), "it was stopped before it could be tried: %s",
			 strerror(err));
	if (!seen)
		return;
	ret->after_us = (int64_t)((clock_boot_ns() - s->trial->began_ns) / 1000);
	ret->alerted = !strcmp(e.verdict, "alert") || !strcmp(e.verdict, "prevented");
	snprintf(ret->outcome, sizeof(ret->outcome), "%s", e.outcome);
	if (!ret->alerted)
		snprintf(ret->why, sizeof(ret->why),
			 "the monitor saw it, but by its policy it is no alert: %s%s%s", e.verdict,
			 e.policy[0] ? ", " : "", e.policy);
}

static void run_all(struct facts *f, struct scene *s)
{
	struct drill_monitor m;
	char why[FACTS_WHY] = "";
	bool ok;

	progress("validate: waiting for a monitor that watches ...");
	ok = drill_monitor_open(&m, s->pid, f->drilled_by, why);

	s->monitor = m.pid;
	for (size_t i = 0; i < DRILL_MAX; i++) {
		struct facts_drill *d = &f->drill[i];

		progress("validate: drill %zu of %d: %s ...", i + 1, DRILL_MAX,
			 rule_name(drill_rows[i].rule));
		if (s->live && drill_rows[i].not_live)
			snprintf(d->why, sizeof(d->why), "not on a server that serves: %s",
				 drill_rows[i].not_live);
		else if (ok)
			run(s, &m, i, d);
		else
			snprintf(d->why, sizeof(d->why), "%s", why);
	}
	drill_monitor_close(&m);
}

static void none(struct facts *f, const char *why)
{
	for (size_t i = 0; i < DRILL_MAX; i++)
		snprintf(f->drill[i].why, sizeof(f->drill[i].why), "%s", why);
}

static void drill_decoy(struct facts *f, struct scene *s)
{
	char why[FACTS_WHY] = "";
	struct decoy d = {};

	s->decoy = &d;
	progress("validate: starting a decoy ...");
	if (decoy_start(&d, f->pid, f->name, (struct decoy_user){f->process.uid[1], f->process.gid},
			why, sizeof(why))) {
		s->pid = d.pid;
		s->plain = decoy_end(d.port);
		s->tls = decoy_end(d.tls_port);
		s->config = open(d.config, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		s->key = open(d.key, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		run_all(f, s);
	} else {
		none(f, why);
	}
	s->decoy = NULL;
	decoy_stop(&d);
}

/* A regular file that the server has by that path. */
static int find_file(int root, const char *path)
{
	int found = path[0] == '/' ? inside_find(root, path) : -1;
	struct stat st;

	if (found >= 0 && !fstat(found, &st) && S_ISREG(st.st_mode))
		return found;
	if (found >= 0)
		close(found);
	return -1;
}

static void drill_live(struct facts *f, struct scene *s)
{
	const struct facts_wire *w = &f->wire;
	int root = inside_root(f->pid);

	s->pid = f->pid;
	s->network_of = w->same_network ? 0 : f->pid;
	for (size_t i = 0; i < w->addresses; i++) {
		const struct facts_address *a = &w->address[i];
		struct decoy_end *end = a->plain ? &s->plain : a->tls ? &s->tls : NULL;

		if (!end || end->port || a->bus)
			continue;
		memcpy(end->ip, a->ip, sizeof(end->ip));
		end->port = a->port;
	}
	if (root >= 0 && !f->config.why[0]) {
		s->config = find_file(root, f->config.file);
		s->key = find_file(root, f->config.value[DIR_TLS_KEY]);
	}
	run_all(f, s);
	if (root >= 0)
		close(root);
}

void drill(struct facts *f, bool live)
{
	struct scene s = {
		.live = live, .config = -1, .key = -1, .trial = confine_alloc(sizeof(*s.trial))};
	sigset_t ending, before;

	/* whoever ends this waits until the decoy and its files are gone */
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_BLOCK, &ending, &before);
	f->drilled = true;
	f->drilled_live = live;
	if (geteuid() || !s.trial)
		none(f, geteuid() ? "only root can make drills" : "out of memory");
	else if (live)
		drill_live(f, &s);
	else
		drill_decoy(f, &s);
	if (s.config >= 0)
		close(s.config);
	if (s.key >= 0)
		close(s.key);
	confine_free(s.trial, sizeof(*s.trial));
	sigprocmask(SIG_SETMASK, &before, NULL);
}
