/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * util.c - time, strings, files and ports for the live tests.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

struct text {
	SLIST_ENTRY(text) next;
	int scope;
	char *chars;
};

static SLIST_HEAD(, text) texts = SLIST_HEAD_INITIALIZER(texts);

const char *str(const char *fmt, ...)
{
	struct text *t = malloc(sizeof(*t));
	va_list args;

	t->scope = child_scope;
	va_start(args, fmt);
	if (vasprintf(&t->chars, fmt, args) < 0)
		abort();
	va_end(args);
	SLIST_INSERT_HEAD(&texts, t, next);
	return t->chars;
}

void strs_free(int of)
{
	struct text *t;

	while ((t = SLIST_FIRST(&texts)) && t->scope >= of) {
		SLIST_REMOVE_HEAD(&texts, next);
		free(t->chars);
		free(t);
	}
}

char *file_read(const char *path)
{
	return file_read_from(path, 0);
}

char *file_read_from(const char *path, long offset)
{
	size_t len = 0, room = 65536;
	char *text = malloc(room);
	FILE *f = fopen(path, "re");

	if (f)
		fseek(f, offset, SEEK_SET);
	while (f) {
		size_t n = fread(text + len, 1, room - len - 1, f);

		len += n;
		if (!n)
			break;
		if (len + 1 == room)
			text = realloc(text, room *= 2);
	}
	if (f)
		fclose(f);
	text[len] = 0;
	return text;
}

bool file_has(const char *path, const char *text)
{
	char *all = file_read(path);
	bool has = strstr(all, text);

	free(all);
	return has;
}

bool file_wait(const char *path, const char *text, int timeout_ms)
{
	long long end = now_ms() + (long long)timeout_ms * patience;

	while (!file_has(path, text)) {
		if (now_ms() > end)
			return false;
		sleep_ms(10);
	}
	return true;
}

void file_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		test_fail("write %s: %s", path, strerror(errno));
}

void file_copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	char dir[512], buf[65536];
	ssize_t n;

	snprintf(dir, sizeof(dir), "%s", to);
	*strrchr(dir, '/') = 0;
	mkdir(dir, 0755);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	require(in >= 0 && out >= 0, "copy %s to %s: %s", from, to, strerror(errno));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		require(write(out, buf, n) == n, "write %s: %s", to, strerror(errno));
	close(in);
	close(out);
}

static bool port_taken(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), taken;

	taken = bind(fd, (struct sockaddr *)&at, sizeof(at));
	close(fd);
	return taken;
}

/* Below the ephemeral range, so that no client takes it. The cluster bus is on port + 10000, also checked. */
int port_free(void)
{
	static int next;
	int port;

	if (!next)
		next = 12000 + getpid() % 8000;
	do
		port = next++;
	while (port_taken(port) || port_taken(port + 10000));
	return port;
}

/* Local address and state (0A: listening) of each line: Documentation/networking/proc_net_tcp.rst. */
static bool listens(const char *table, int port)
{
	FILE *f = fopen(table, "re");
	unsigned int local, state;
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*[0-9A-F]:%X %*[0-9A-F]:%*X %X", &local, &state) == 2 &&
			local == (unsigned int)port && state == 0x0A;
	if (f)
		fclose(f);
	return found;
}

void wait_listening(int port)
{
	long long end = now_ms() + 5000ll * patience;

	while (!listens("/proc/net/tcp", port) && !listens("/proc/net/tcp6", port)) {
		require(now_ms() < end, "no listener on port %d", port);
		sleep_ms(10);
	}
}
