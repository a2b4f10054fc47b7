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
#include "validate/interrupt.h"
#include "validate/look.h"
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
#define LATE_NS (500 * NS_PER_MS) /* for what was prevented to be reported */

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

/* A process that makes one attempt. Its pid is that of the actor. */
struct drill_run {
	pid_t pid;
	uint64_t began_ns;
	bool late, ended;
	int err; /* how it ended */
};

/* Returns false with err if there is no process. */
static bool begin(struct drill_run *a, const struct scene *s, enum drill_id id)
{
	*a = (struct drill_run){.began_ns = clock_boot_ns()};
	*s->trial = (struct trial){.began_ns = a->began_ns};
	a->pid = fork();
	if (!a->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, ACTOR);
		signal(SIGPIPE, SIG_IGN);
		if (!prepare(s, id))
			_exit(EHOSTUNREACH);
		s->trial->began_ns = clock_boot_ns();
		_exit(drill_rows[id].try(s));
	}
	a->err = errno;
	a->ended = a->pid < 0;
	return !a->ended;
}

/* See whether it has ended. A server may let it wait for ever. */
static void look_at(struct drill_run *a)
{
	uint64_t now = clock_boot_ns();
	int status = 0;

	if (a->ended)
		return;
	a->late = a->late || interrupt_came() || now > a->began_ns + DRILL_WAIT_MS * NS_PER_MS;
	if (a->late)
		kill(a->pid, SIGKILL);
	a->ended = waitpid(a->pid, &status, WNOHANG) == a->pid;
	a->err = WIFEXITED(status) ? WEXITSTATUS(status) : a->late ? ETIMEDOUT : ECANCELED;
}

/* It says itself when its preparations were done. It read what a server answers, which may have taken it over. */
static uint64_t tried_ns(const struct drill_run *a, const struct scene *s, uint64_t seen_ns)
{
	uint64_t said = s->trial->began_ns;

	return said >= a->began_ns && said <= seen_ns ? said : a->began_ns;
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

/*
 * Did the monitor prevent what had to be done first? What that is has to be asked for after the event came: it was written down before
 * it was tried.
 */
static bool is_prevention(const struct drill_event *e, const struct scene *s, pid_t actor)
{
	unsigned int rule = s->trial->preparing;

	return rule && rule < RULE_MAX && !strcmp(e->rule, rule_name(rule)) &&
	       !strcmp(e->verdict, "prevented") && e->instance_pid == s->pid &&
	       (e->actor_pid == actor || (s->trial->port && e->remote_port == s->trial->port));
}

/* How the attempt ended, for whoever has to do something about it. */
static const char *text_of(int err)
{
	switch (err) {
	case ENOSYS:
		return "this kernel has no system call for it";
	case ENOENT:
		return "there is nothing to try it on: no such file, port or library";
	case ENODEV:
	case EOPNOTSUPP:
		return "this machine has no support for it";
	case EPROTONOSUPPORT:
		return "what is attacked does not speak it";
	case ESRCH:
		return "what is attacked has ended";
	case ECONNREFUSED:
		return "there is no connection to what is attacked";
	case EAGAIN:
		return "what is attacked did not answer within a second";
	case ECONNRESET:
	case EPIPE:
		return "the connection was closed before";
	case ETIMEDOUT:
		return "it did not come to an end in time";
	case ECANCELED:
		return "whoever tried it was killed";
	case EHOSTUNREACH:
		return "the server's network cannot be entered, or root's rights not be given up";
	case EPERM:
	case EACCES:
		return "refused even to root: by lockdown, seccomp, a security module or a lost "
		       "capability";
	default:
		return strerror(err);
	}
}

/*
 * What is refused is an attempt as well. What this kernel or the server has not got is none, nor is a decoy that has ended; what was
 * stopped on its way may have been prevented.
 */
enum trial_end { TRIAL_MADE, TRIAL_STOPPED, TRIAL_NONE };

static enum trial_end end_of(int err)
{
	switch (err) {
	case ENOSYS:
	case ENOENT:
	case ENODEV:
	case ESRCH:
	case ECONNREFUSED:
	case EHOSTUNREACH:
		return TRIAL_NONE;
	case EPROTONOSUPPORT:
	case EAGAIN:
	case ECONNRESET:
	case EPIPE:
	case ETIMEDOUT:
	case ECANCELED:
		return TRIAL_STOPPED;
	default:
		return TRIAL_MADE;
	}
}

static void judge(struct facts_drill *ret, const struct drill_event *e)
{
	ret->alerted = !strcmp(e->verdict, "alert") || !strcmp(e->verdict, "prevented");
	snprintf(ret->outcome, sizeof(ret->outcome), "%s", e->outcome);
	if (!ret->alerted)
		snprintf(ret->why, sizeof(ret->why),
			 "the monitor saw it, but by its policy it is no alert: %s%s%s", e->verdict,
			 e->policy[0] ? ", " : "", e->policy);
}

/* Must an alert still be waited for? One may come a moment after the attempt's end, however long that took. */
static bool is_due(const struct drill_run *a, enum trial_end end, uint64_t ended_ns)
{
	uint64_t now = clock_boot_ns();

	if (!a->ended)
		return true;
	return end != TRIAL_NONE && !interrupt_came() &&
	       (now < ended_ns + LATE_NS ||
		(end == TRIAL_MADE && now < a->began_ns + DRILL_WAIT_MS * NS_PER_MS));
}

static void tell(struct facts_drill *ret, const struct drill_run *a, enum trial_end end)
{
	if (ret->why[0])
		return;
	if (end == TRIAL_NONE || a->err == EPROTONOSUPPORT)
		snprintf(ret->why, sizeof(ret->why), "it cannot be tried here: %s",
			 text_of(a->err));
	else if (end == TRIAL_STOPPED)
		snprintf(ret->why, sizeof(ret->why), "it was stopped before it could be tried: %s",
			 text_of(a->err));
	else if (a->err)
		snprintf(ret->refused, sizeof(ret->refused), "%s", text_of(a->err));
}

/* Make the attempt, and listen meanwhile: what is prevented may let it wait. */
static void run(const struct scene *s, struct drill_monitor *m, enum drill_id id,
		struct facts_drill *ret)
{
	uint64_t ended_ns = UINT64_MAX, seen_ns = 0;
	enum trial_end end = TRIAL_MADE;
	struct drill_event e, seen;
	struct drill_run a;

	if (!begin(&a, s, id)) {
		snprintf(ret->why, sizeof(ret->why), "no process can be started: %s",
			 strerror(a.err));
		return;
	}
	while (is_due(&a, end, ended_ns) && !(a.ended && (seen_ns || ret->why[0]))) {
		look_at(&a);
		if (a.ended && ended_ns == UINT64_MAX) {
			ended_ns = clock_boot_ns();
			end = end_of(a.err);
			if (end == TRIAL_MADE && a.err && s->trial->preparing)
				end = TRIAL_STOPPED; /* what had to come first was refused */
		}
		if (seen_ns || !drill_monitor_next(m, clock_boot_ns() + NS_PER_MS, &e, ret->why))
			continue;
		if (is_expected(&e, s, id, a.pid) || is_prevention(&e, s, a.pid)) {
			seen_ns = clock_boot_ns();
			seen = e;
		}
	}
	if (!seen_ns) {
		tell(ret, &a, end);
		return;
	}
	ret->after_us = (int64_t)(seen_ns - tried_ns(&a, s, seen_ns)) / 1000;
	if (strcmp(seen.rule, rule_name(drill_rows[id].rule)) != 0)
		snprintf(ret->stopped_by, sizeof(ret->stopped_by), "%s", seen.rule);
	judge(ret, &seen);
}

static void run_one(struct scene *s, struct drill_monitor *m, enum drill_id id,
		    struct facts_drill *ret)
{
	if (s->decoy && drill_rows[id].commands)
		s->commands = decoy_commands(s->decoy);
	run(s, m, id, ret);
	if (s->commands >= 0)
		close(s->commands);
	s->commands = -1;
}

#define STOPPED "the drills were stopped by a signal"

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
		else if (ok && !interrupt_came())
			run_one(s, &m, i, d);
		else
			snprintf(d->why, sizeof(d->why), "%s", why[0] ? why : STOPPED);
		if (interrupt_came() && !d->alerted) /* of one that was not waited for */
			snprintf(d->why, sizeof(d->why), STOPPED);
	}
	drill_monitor_close(&m);
}

static void none(struct facts *f, const char *why)
{
	for (size_t i = 0; i < DRILL_MAX; i++)
		snprintf(f->drill[i].why, sizeof(f->drill[i].why), "%s", why);
}

/* A client whose certificate the decoy trusts: it may ask for one, as the server does. */
static bool identify(struct ask_link *l, const struct decoy *d)
{
	int key = open(d->key, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return key >= 0 && ask_link_init(l) && !ask_link_identify(l, d->key, key);
}

static bool has_rsa_key(const struct facts_wire *w)
{
	for (size_t i = 0; i < w->addresses; i++) {
		if (w->address[i].cert.seen)
			return !strncmp(w->address[i].cert.key, "RSA", strlen("RSA"));
	}
	return false;
}

static void drill_decoy(struct facts *f, struct scene *s)
{
	struct decoy_like like = {
		.pid = f->pid,
		.name = f->name,
		.user = {f->process.uid[1], f->process.gid},
		.rsa = has_rsa_key(&f->wire),
		.options = &f->config.options,
	};
	char why[FACTS_WHY] = "";
	struct ask_link client;
	struct decoy d = {};

	s->decoy = &d;
	progress("validate: starting a decoy ...");
	if (!option_count(like.options))
		look_options(f);
	if (decoy_start(&d, &like, why, sizeof(why))) {
		f->config.options.used = d.like_server;
		s->options = d.like_server ? like.options : NULL;
		s->client = identify(&client, &d) ? &client : NULL;
		s->pid = d.pid;
		s->plain = decoy_end(d.port);
		s->tls = decoy_end(d.tls_port);
		s->config = open(d.config, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		s->key = open(d.key, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		run_all(f, s);
	} else {
		none(f, interrupt_came() ? STOPPED : why);
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
	struct ask_link client;

	s->pid = f->pid;
	s->client = ask_link_init(&client) ? &client : NULL;
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
	struct scene s = {.live = live,
			  .config = -1,
			  .key = -1,
			  .commands = -1,
			  .trial = confine_alloc(sizeof(*s.trial))};
	const char *signal;
	sigset_t before;

	/* whoever ends this waits until the decoy and its files are gone */
	interrupt_hold(&before);
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
	signal = interrupt_release(&before);
	snprintf(f->interrupted, sizeof(f->interrupted), "%s", signal ?: "");
}
