// SPDX-License-Identifier: BSD-2-Clause
/* decoy.c - see decoy.h. */
#include "validate/decoy.h"

#include "base/clock.h"
#include "base/macros.h"
#include "monitor/ask_link.h"
#include "validate/decoy_exe.h"
#include "validate/decoy_files.h"
#include "validate/interrupt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_NS (10 * NS_PER_SEC)
#define SERVES_NS (200 * NS_PER_MS) /* from when it listens */

/* Redis 7 refuses MODULE without this; older ones do not know it. */
#define WITH_MODULES "enable-module-command yes\n"

/* A port that nobody uses now. */
static uint16_t free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		a.sin_port = 0;
	if (fd >= 0)
		close(fd);
	return ntohs(a.sin_port);
}

struct decoy_end decoy_end(uint16_t port)
{
	return (struct decoy_end){.ip = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1},
				  .port = port};
}

static socklen_t address_of(const struct decoy_end *to, struct sockaddr_storage *ret)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){.ss_family = AF_INET6};
	if (memcmp(to->ip, mapped, sizeof(mapped)) != 0) {
		v6->sin6_port = htons(to->port);
		memcpy(&v6->sin6_addr, to->ip, sizeof(v6->sin6_addr));
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(to->port);
	memcpy(&v4->sin_addr, to->ip + 12, sizeof(v4->sin_addr));
	return sizeof(*v4);
}

int decoy_connect(const struct decoy_end *to)
{
	struct timeval second = {.tv_sec = 1};
	struct sockaddr_storage a;
	socklen_t len = address_of(to, &a);
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	if (!connect(fd, (struct sockaddr *)&a, len))
		return fd;
	close(fd);
	errno = ECONNREFUSED; /* whatever it was: nothing was tried */
	return -1;
}

int decoy_commands(const struct decoy *d)
{
	return ask_link_unix(d->socket, d->pid);
}

uint16_t decoy_peer_port(int fd)
{
	struct sockaddr_in6 a = {}; /* the port of either family is at the same place */
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) ? 0 : ntohs(a.sin6_port);
}

/* --- its process --- */

/* Connected to a port of this host that takes and answers nothing (RFC 863). */
static int open_datagrams(void)
{
	const struct sockaddr_in discard = {.sin_family = AF_INET,
					    .sin_port = htons(9),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || !connect(fd, (const struct sockaddr *)&discard, sizeof(discard)))
		return fd;
	close(fd);
	return -1;
}

/*
 * The name by which the file is executed is that of a link to the descriptor, in a directory of root's: it is the file that was
 * judged, whatever is at its path by now.
 */
__attribute__((noreturn)) static void become(const struct decoy *d, const struct decoy_exe *exe)
{
	static char *environment[] = {NULL};
	char *const argv[] = {"redis-server", (char *)d->config, NULL};
	char link[DECOY_PATH + sizeof(exe->name)], held[32];
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int datagrams = open_datagrams();
	int fd = fcntl(exe->fd, F_DUPFD_CLOEXEC, DECOY_DATAGRAMS + 1);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	setsid(); /* or it could type into this terminal */
	snprintf(link, sizeof(link), "%s/%s", d->dir, exe->name);
	snprintf(held, sizeof(held), "/proc/self/fd/%d", fd);
	unlink(link); /* of an earlier try */
	if (fd < 0 || symlink(held, link) || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0 || datagrams < 0 || dup2(datagrams, DECOY_DATAGRAMS) < 0 ||
	    fcntl(DECOY_DATAGRAMS, F_SETFD, 0) || chdir(d->data) || setgroups(0, NULL) ||
	    setresgid(d->gid, d->gid, d->gid) || setresuid(d->uid, d->uid, d->uid) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    close_range(DECOY_DATAGRAMS + 1, ~0u, CLOSE_RANGE_CLOEXEC))
		_exit(127);
	execve(link, argv, environment);
	_exit(127);
}

static bool listens(uint16_t port)
{
	const struct decoy_end end = decoy_end(port);
	int fd = decoy_connect(&end);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * Returns false if it ended, or does not listen in time. It is asked nothing: its first answer in plaintext is that of a drill. A
 * moment later it has begun to serve, or has ended because a port was taken.
 */
static bool wait_listening(struct decoy *d)
{
	uint64_t now = clock_boot_ns(), until = now + START_NS, served = 0;

	while (!served || now < served) {
		if (waitpid(d->pid, NULL, WNOHANG) == d->pid) {
			d->pid = 0;
			return false;
		}
		if (!served && listens(d->port) && listens(d->tls_port))
			served = now + SERVES_NS;
		if (now > until || interrupt_came())
			return false;
		usleep(20000);
		now = clock_boot_ns();
	}
	return true;
}

/* The first page it maps that is readable and neither writable nor executable: part of its executable. */
static bool find_page(struct decoy *d)
{
	char path[64], line[PATH_MAX + 128], rights[8];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)d->pid);
	f = fopen(path, "re");
	while (f && !d->page && fgets(line, sizeof(line), f)) {
		void *from;

		if (sscanf(line, "%p-%*x %7s", &from, rights) == 2 && !strcmp(rights, "r--p"))
			d->page = from;
	}
	if (f)
		fclose(f);
	return d->page;
}

static void end_process(struct decoy *d)
{
	if (d->pid > 0) {
		kill(d->pid, SIGKILL);
		waitpid(d->pid, NULL, 0);
	}
	d->pid = 0;
}

static bool run(struct decoy *d, const struct decoy_exe *exe, const struct options *o,
		const char *more)
{
	d->port = free_port();
	d->tls_port = free_port();
	if (interrupt_came() || !d->port || !d->tls_port || !decoy_files_write(d, o, more))
		return false;
	d->pid = fork();
	if (!d->pid)
		become(d, exe);
	if (d->pid > 0 && wait_listening(d) && find_page(d))
		return true;
	end_process(d);
	return false;
}

/* With the server's options, else with its own. */
static bool run_any(struct decoy *d, const struct decoy_exe *exe, const struct options *o,
		    char *why, size_t size)
{
	d->like_server = o && (run(d, exe, o, WITH_MODULES) || run(d, exe, o, ""));
	if (d->like_server || run(d, exe, NULL, WITH_MODULES) || run(d, exe, NULL, ""))
		return true;
	snprintf(why, size, "the decoy, %.160s with its own configuration, does not start here",
		 exe->path);
	return false;
}

bool decoy_start(struct decoy *d, const struct decoy_like *like, char *why, size_t size)
{
	const struct options *o = option_count(like->options) ? like->options : NULL;
	struct decoy_exe exe;
	bool ok = false;

	*d = (struct decoy){.rsa = like->rsa};
	if (decoy_exe_open(&exe, d, like, why, size)) {
		ok = decoy_files_make(d);
		if (!ok)
			snprintf(why, size, "no directory for a decoy: %s", strerror(errno));
		ok = ok && run_any(d, &exe, o, why, size);
	}
	decoy_exe_close(&exe);
	return ok;
}

void decoy_stop(struct decoy *d)
{
	end_process(d);
	decoy_files_remove(d);
}
