/* SPDX-License-Identifier: BSD-2-Clause */
/* noise_steps.c - see noise.h. */
#include "noise.h"

#include <stdio.h>

void server_watched(struct monitor *m)
{
	struct server *s = server_start(&(struct server_opts){});
	struct trigger t, u;

	sleep_ms(1500); /* its name follows its port */
	monitors_mark();
	t = trigger("vm_readv", pid_of(s));
	u = trigger("proc_open", pid_of(s), "maps");
	expect(m, {.rule = "mem-read", .vector = "process_vm_readv", .server = s, .by = &t},
	       {.rule = "mem-inspect",
		.vector = "openat",
		.detail = "maps",
		.server = s,
		.by = &u});
}

void attempt_reported(struct monitor *m, const struct server *s)
{
	long long began = now_ms();
	struct trigger t = trigger("vm_readv", pid_of(s));
	json_t *found;

	while (!(found = alert_find(m, "mem-read", t.pid)) &&
	       now_ms() < began + ALERT_MS * patience)
		sleep_ms(10);
	require(found, "no alert of %s(%d) within %lld ms", t.name, t.pid, now_ms() - began);
	require(!strcmp(alert_str(found, "actor.comm"), "vm_readv") &&
			alert_int(found, "instance.pid") == s->pid,
		"the alert has no details");
	printf("# reported after %lld ms\n", now_ms() - began);
}

void noise_told(struct monitor *m, const char *note, const char *comm)
{
	json_t *told = NULL;

	require(blind_count_wait(m, note, 0) > 0, "\"%s\" is not told", note);
	for (size_t i = 0; i < m->count && !told; i++)
		if (!strcmp(alert_str(m->lines[i], "detail"), note))
			told = m->lines[i];
	require(alert_int(told, "actor.uid") == NOBODY &&
			!strcmp(alert_str(told, "actor.comm"), comm),
		"the actor is %s of uid %lld", alert_str(told, "actor.comm"),
		alert_int(told, "actor.uid"));
	require(alert_str(told, "incident")[0], "it is in no incident");
}

void no_noise_told(struct monitor *m)
{
	sleep_ms(1500); /* it is counted once a second */
	monitor_poll(m);
	for (size_t i = 0; i < m->count; i++)
		require(!strstr(alert_str(m->lines[i], "detail"), "uid 65534"), "told: %s",
			alert_str(m->lines[i], "detail"));
}

pid_t crowd_start(const char *what, const char *number, const char **ret_out)
{
	const char *nobody = str("%d", NOBODY), *exe = trigger_for_all("crowd");
	const char *const argv[] = {trigger_path("as_uid"), nobody, exe, what, number, NULL};

	*ret_out = str("%s/crowd.%s", scratch, what);
	return child_start(argv, &(struct child_opts){.out = *ret_out});
}

long connections(struct monitor *m, const struct server *s, const char *rule, size_t *alerts)
{
	json_t *last = json_object(), *count;
	const char *uid;
	long total = 0;

	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++) {
		json_t *l = m->lines[i];
		bool crowd = alert_true(l, "crowd");

		if (!strcmp(alert_str(l, "rule"), rule) && alert_int(l, "instance.pid") == s->pid)
			json_object_set_new(last, alert_uid(l),
					    json_integer(crowd ? alert_int(l, "count") : 1));
	}
	json_object_foreach (last, uid, count)
		total += json_integer_value(count);
	*alerts = json_object_size(last);
	json_decref(last);
	return total;
}

size_t all_counted(struct monitor *m, const struct server *s, const char *rule, long wanted)
{
	long long end = now_ms() + ALERT_MS * patience;
	size_t alerts;

	while (connections(m, s, rule, &alerts) < wanted && now_ms() < end)
		sleep_ms(10);
	sleep_ms(SETTLE_MS);
	monitor_sync(m);
	require(connections(m, s, rule, &alerts) == wanted, "%ld of %ld connections are counted",
		connections(m, s, rule, &alerts), wanted);
	return alerts;
}

pid_t client_pings(int port)
{
	return trigger("plain_client", "127.0.0.1", str("%d", port)).pid;
}

const char *client_reported(struct monitor *m, const struct server *s, pid_t pid)
{
	json_t *found = alert_find(m, "tls-plaintext", pid);

	require(found && alert_int(found, "instance.pid") == s->pid &&
			!alert_true(found, "crowd") &&
			!strcmp(alert_str(found, "actor.comm"), "plain_client"),
		"plaintext of somebody else is not told");
	return alert_str(found, "instance.name");
}
