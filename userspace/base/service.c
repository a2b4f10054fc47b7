// SPDX-License-Identifier: BSD-2-Clause
/* service.c - see service.h. */
#include "base/service.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTEN_FD 3 /* the first one that a manager passes */
#define MESSAGE_MAX 1024

/* A number in the environment, 0 if there is none. */
static uint64_t number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	uint64_t n;

	if (!text || !*text)
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	return errno || *end ? 0 : n;
}

/* Is the variable absent, or this process's number? */
static int is_mine(const char *name)
{
	return !getenv(name) || number(name) == (uint64_t)getpid();
}

/* An absolute path, or "@NAME" in the abstract name space. */
static void open_socket(struct service *s)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(s->to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	s->to.sun_family = AF_UNIX;
	memcpy(s->to.sun_path, path, len);
	if (path[0] == '@')
		s->to.sun_path[0] = '\0';
	s->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void service_open(struct service *s)
{
	static const char *const own[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
					  "LISTEN_FDS",	   "LISTEN_PID",    "LISTEN_FDNAMES"};

	*s = (struct service){.fd = -1, .listen_fd = -1};
	open_socket(s);
	if (s->fd >= 0 && is_mine("WATCHDOG_PID"))
		s->alive_every_ns = number("WATCHDOG_USEC") * 1000 / 3;
	if (number("LISTEN_FDS") && getenv("LISTEN_PID") && is_mine("LISTEN_PID") &&
	    !fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC))
		s->listen_fd = LISTEN_FD;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		unsetenv(own[i]);
}

void service_pass(const struct service *s)
{
	char text[32];
	bool abstract = !s->to.sun_path[0];
	int len = (int)(s->len - offsetof(struct sockaddr_un, sun_path)) - abstract;
	char path[sizeof(s->to.sun_path) + 2];

	if (s->fd < 0)
		return;
	snprintf(path, sizeof(path), "%s%.*s", abstract ? "@" : "", len, s->to.sun_path + abstract);
	setenv("NOTIFY_SOCKET", path, 1);
	if (!s->alive_every_ns)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, s->alive_every_ns * 3 / 1000);
	setenv("WATCHDOG_USEC", text, 1);
	snprintf(text, sizeof(text), "%d", getpid());
	setenv("WATCHDOG_PID", text, 1);
}

void service_close(struct service *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void service_say(const struct service *s, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list args;
	int n;

	if (s->fd < 0)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n > 0)
		sendto(s->fd, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1,
		       MSG_NOSIGNAL, (const struct sockaddr *)&s->to, s->len);
}

void service_alive(struct service *s, uint64_t now_ns)
{
	if (!s->alive_every_ns || (s->alive_ns && now_ns < s->alive_ns + s->alive_every_ns))
		return;
	s->alive_ns = now_ns;
	service_say(s, "WATCHDOG=1");
}

void service_reloading(const struct service *s)
{
	service_say(s, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_mono_ns() / 1000);
}
