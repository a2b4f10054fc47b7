/* SPDX-License-Identifier: BSD-2-Clause */
/* test_reset.c - which socket a reset destroys: the connection, never its listener or one elsewhere. */
#include "unit.h"

#include "monitor/reset.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED 77
#define NOBODY 65534

/* Runs steps in a child. They return 0, SKIPPED, or the number of the one that failed. */
static void assert_steps(int (*steps)(pid_t pid), pid_t arg)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(steps(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int reset_by_addresses(pid_t unused)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at), one = sizeof(int);
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct conn_info c = {};
	const char *step;
	int server, client, listens = 0, err;
	char byte;

	if (unshare(CLONE_NEWNET | (geteuid() ? CLONE_NEWUSER : 0)))
		return SKIPPED; /* not allowed to */
	server = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	if (ioctl(server, SIOCSIFFLAGS, &lo) || listen(server, 8) ||
	    getsockname(server, (struct sockaddr *)&at, &len))
		return 1;
	c.ends.local_port = ntohs(at.sin_port);
	c.ends.remote_port = 9;
	memcpy(c.ends.local_ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	memcpy(c.ends.remote_ip, c.ends.local_ip, 16);
	if (reset_connection(&c, 0, &step) != -ENOENT)
		return 2;
	if (getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &listens, &one) || !listens)
		return 3;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(client, (struct sockaddr *)&at, sizeof(at)) ||
	    getsockname(client, (struct sockaddr *)&at, &len))
		return 4;
	c.ends.remote_port = ntohs(at.sin_port);
	err = reset_connection(&c, 0, &step);
	if (err == -EOPNOTSUPP) /* a kernel without INET_DIAG_DESTROY */
		return 0;
	return err || recv(client, &byte, 1, 0) != -1 || errno != ECONNRESET ? 5 : 0;
}

static void reset_without_a_cookie_spares_the_listener(void **state)
{
	assert_steps(reset_by_addresses, 0);
}

/* Without the privilege to enter the network namespace of pid 1. */
static int reset_in_other_namespaces(pid_t ended)
{
	struct conn_info c = {.cookie = 1};
	const char *step = "";

	if (geteuid() || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return SKIPPED;
	if (!access("/proc/1/ns/net", R_OK))
		return SKIPPED;
	if (reset_connection(&c, 1, &step) != -EACCES || !strstr(step, "network namespace"))
		return 1;
	return reset_connection(&c, ended, &step) == -ESRCH ? 0 : 2;
}

static void reset_only_uses_the_network_namespace_of_the_server(void **state)
{
	pid_t ended = fork();

	if (!ended)
		_exit(0);
	assert_int_equal(waitpid(ended, NULL, 0), ended);
	assert_steps(reset_in_other_namespaces, ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_without_a_cookie_spares_the_listener),
		cmocka_unit_test(reset_only_uses_the_network_namespace_of_the_server),
	};

	return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
