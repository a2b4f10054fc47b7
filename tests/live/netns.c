/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netns.c - network namespaces, what joins two of them, and what the kernel counts in one.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

pid_t netns_start(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	require(!pipe2(ready, O_CLOEXEC), "pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		alarm(0);
		if (unshare(CLONE_NEWNET) || write(ready[1], "", 1) != 1)
			_exit(1);
		while (1)
			pause();
	}
	child_adopt(pid);
	close(ready[1]);
	require(read(ready[0], &byte, 1) == 1, "no network namespace");
	close(ready[0]);
	run_with(&((struct child_opts){.netns = pid}), 3000, "ip", "link", "set", "lo", "up");
	return pid;
}

bool netns_sh(pid_t ns, const char **said, const char *script)
{
	struct run r = run_with(&((struct child_opts){.netns = ns}), 5000, "sh", "-c",
				str("exec 2>&1; %s", script));

	r.out[strcspn(r.out, "\n")] = 0;
	*said = r.out;
	return !r.status;
}

void netns_must(pid_t ns, const char *script)
{
	const char *why;

	require(netns_sh(ns, &why, script), "%s: %s", script, why);
}

void netns_join(pid_t one, pid_t two, int net)
{
	const char *why;

	if (!netns_sh(one, &why,
		      str("ip link add cw%d type veth peer name cw%d netns %d", net, net, two)))
		test_skip("no veth here: %s", why);
	for (int i = 1; i <= 2; i++) {
		const char *v6 =
			access("/proc/net/if_inet6", R_OK)
				? ":"
				: str("ip addr add fd79::%d:%d/112 dev cw%d nodad", net, i, net);

		netns_must(i == 1 ? one : two,
			   str("ip addr add 10.%d.0.%d/24 dev cw%d && %s && ip link set cw%d up",
			       net, i, net, v6, net));
	}
}

long netns_counted(pid_t ns, const char *file, const char *protocol, const char *name)
{
	struct run r = run_with(&((struct child_opts){.netns = ns}), 3000, "cat",
				str("/proc/net/%s", file));
	char *names = strstr(r.out, str("%s: ", protocol)), *values, *save = NULL,
	     *save_values = NULL;

	values = names ? strstr(names + 1, str("\n%s: ", protocol)) : NULL;
	require(values, "no /proc/net/%s: %s", file, r.err);
	*values++ = 0;
	names = strtok_r(names, " ", &save);
	values = strtok_r(values, " \n", &save_values);
	while (names && values && strcmp(names, name)) {
		names = strtok_r(NULL, " ", &save);
		values = strtok_r(NULL, " \n", &save_values);
	}
	require(names && values, "no %s is counted here", name);
	return atol(values);
}
