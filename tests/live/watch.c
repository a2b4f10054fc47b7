/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.c - `cachewarden watch` on a terminal: it shows incidents as they come, notices that the monitor is gone and finds the next
 * one, and leaves the terminal as it was, however it ends. What the terminal gets is searched as it arrives: a word that was not on the
 * screen before is written in one piece.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ALTERNATE "\033[?1049h" /* xterm's other screen, and back to the first */
#define PRIMARY "\033[?1049l"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define SHOWN_MS 6000

static struct server *a;

/* A terminal with a program on it. */
struct screen {
	int master;
	pid_t pid;
	struct termios before;
	char *seen; /* all that was written to it, NUL-terminated */
	size_t len;
};

static const char *slave; /* for take_terminal() */

static void setup(void)
{
	if (access("/lib/terminfo/x/xterm", R_OK) && access("/usr/share/terminfo/x/xterm", R_OK))
		test_skip("no description of xterm is installed");
	a = server_start(&(struct server_opts){.plain = true});
}

/* In the child: its standard input and output, and what sends it SIGWINCH and SIGINT. */
static void take_terminal(void)
{
	int fd;

	setsid();
	fd = open(slave, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) || dup2(fd, 0) < 0 || dup2(fd, 1) < 0)
		_exit(125);
}

static void set_size(const struct screen *s, int rows, int columns)
{
	const struct winsize size = {.ws_row = (unsigned short)rows,
				     .ws_col = (unsigned short)columns};

	require(!ioctl(s->master, TIOCSWINSZ, &size), "TIOCSWINSZ: %s", strerror(errno));
}

static struct screen screen_open(const char *const *argv)
{
	struct screen s = {.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};

	require(s.master >= 0 && !grantpt(s.master) && !unlockpt(s.master), "pty: %s",
		strerror(errno));
	require(!fcntl(s.master, F_SETFL, O_NONBLOCK), "fcntl: %s", strerror(errno));
	set_size(&s, 24, 80);
	tcgetattr(s.master, &s.before);
	slave = str("%s", ptsname(s.master));
	setenv("TERM", "xterm", 1);
	s.seen = calloc(1, 1);
	s.pid = child_start(argv, &(struct child_opts){.setup = take_terminal,
						       .err = str("%s/watch.err", scratch)});
	return s;
}

static void screen_read(struct screen *s)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(s->master, buf, sizeof(buf))) > 0) {
		s->seen = realloc(s->seen, s->len + (size_t)n + 1);
		memcpy(s->seen + s->len, buf, (size_t)n);
		s->len += (size_t)n;
		s->seen[s->len] = '\0';
	}
}

/* Waits until that is written behind what was there at `from`. */
static void screen_shows(struct screen *s, size_t from, const char *text)
{
	long long end = now_ms() + (long long)SHOWN_MS * patience;

	for (;;) {
		screen_read(s);
		if (strstr(s->seen + from, text))
			return;
		require(now_ms() < end && !child_ended(s->pid), "no \"%s\" on the screen: %s%s",
			text, s->seen + from, file_read(str("%s/watch.err", scratch)));
		sleep_ms(20);
	}
}

/* The same for what may differ from the screen before in a few places: all of it is drawn again when the size changes. */
static void screen_comes_to_show(struct screen *s, const char *text)
{
	long long end = now_ms() + (long long)SHOWN_MS * patience;
	size_t from;

	for (int columns = 81;; columns = 161 - columns) {
		screen_read(s);
		from = s->len;
		set_size(s, 24, columns);
		screen_shows(s, from, "q quit");
		if (strstr(s->seen + from, text))
			return;
		require(now_ms() < end, "no \"%s\" on the screen: %s", text, s->seen + from);
		sleep_ms(200);
	}
}

static void screen_close(struct screen *s)
{
	close(s->master);
	free(s->seen);
}

/* It ended by itself, and the terminal is as it was: its modes, its first screen, its cursor. */
static void gave_back(struct screen *s, const char *how)
{
	int status = child_wait(s->pid, 3000);
	struct termios now;

	require(WIFEXITED(status) && !WEXITSTATUS(status), "%s: status %x", how, status);
	screen_read(s);
	require(strstr(s->seen, ALTERNATE) && strstr(s->seen, PRIMARY), "%s: screen: %s", how,
		s->seen);
	require(strlen(strstr(s->seen, PRIMARY)) < 40, "%s: it goes on after it ended", how);
	require(strstr(s->seen, "\033[?25l") && strstr(strstr(s->seen, "\033[?25l"), "\033[?25h"),
		"%s: the cursor is hidden", how);
	require(!tcgetattr(s->master, &now), "tcgetattr: %s", strerror(errno));
	require(now.c_lflag == s->before.c_lflag && now.c_iflag == s->before.c_iflag &&
			now.c_oflag == s->before.c_oflag,
		"%s: modes of the terminal: %x, not %x", how, now.c_lflag, s->before.c_lflag);
}

#define WATCH(m, ...)                                                                              \
	((const char *const[]){MONITOR, "watch", "--pid", str("%d", (m)->pid), ##__VA_ARGS__, NULL})

/* Its executable's name would turn the terminal's text red. */
static void as_they_come(const void *arg)
{
	const char *hostile = str("%s/e\033[31mvil", scratch);
	struct monitor *m = monitor_start(NULL);
	struct screen s = screen_open(WATCH(m));
	struct run r;

	screen_shows(&s, 0, str("redis-server:%d", a->plain_port));
	require(!strstr(s.seen, "mem-read"), "before: %s", s.seen);
	file_copy(trigger_path("vm_readv"), hostile);
	r = run_with(&(struct child_opts){.setup = own_session}, 8000, hostile, pid_of(a));
	require(r.status == 0, "exit code %d: %s", r.status, r.err);
	screen_shows(&s, 0, str("e\\x1b[31mvil(%d):", r.pid));
	screen_shows(&s, 0, "mem-read");
	screen_shows(&s, 0, "critical");
	require(!strstr(s.seen, "e\033[31mvil"), "a name reached the terminal");
	require(strstr(s.seen, RED), "nothing is red");
	require(write(s.master, "q", 1) == 1, "write: %s", strerror(errno));
	gave_back(&s, "q");
	screen_close(&s);
}

/* Nothing happens, and nothing is shown. Without colours there are none. */
static void nothing_comes(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct screen s;
	size_t at;

	setenv("NO_COLOR", "1", 1);
	s = screen_open(WATCH(m));
	unsetenv("NO_COLOR");
	screen_shows(&s, 0, "INCIDENTS");
	at = s.len;
	sleep_ms(2500); /* two more pictures */
	screen_read(&s);
	require(!strstr(s.seen, "mem-read"), "shown: %s", s.seen);
	require(!strstr(s.seen, RED) && !strstr(s.seen, YELLOW), "in colours: %s", s.seen);
	require(s.len > at, "the clock stands still");
	kill(s.pid, SIGINT);
	gave_back(&s, "SIGINT");
	screen_close(&s);
}

static void help_and_resize(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct screen s = screen_open(WATCH(m));
	size_t at;

	screen_shows(&s, 0, "q quit");
	at = s.len;
	require(write(s.master, "?", 1) == 1, "write: %s", strerror(errno));
	screen_shows(&s, at, "NO_COLOR");
	at = s.len;
	require(write(s.master, "?", 1) == 1, "write: %s", strerror(errno));
	screen_shows(&s, at, "INCIDENTS");
	at = s.len;
	set_size(&s, 12, 60);
	screen_shows(&s, at, "needs");
	at = s.len;
	set_size(&s, 40, 140);
	screen_shows(&s, at, "\033[40"); /* the line of keys, at the bottom */
	screen_shows(&s, at, "PORTS");
	kill(s.pid, SIGTERM);
	gave_back(&s, "SIGTERM");
	screen_close(&s);
}

static void the_monitor_goes(const void *arg)
{
	struct monitor *m = monitor_start("--no-guard", NULL);
	struct screen s = screen_open((const char *const[]){MONITOR, "watch", NULL}), mine;

	screen_shows(&s, 0, str("%d", m->pid));
	mine = screen_open(WATCH(m));
	screen_shows(&mine, 0, str("%d", m->pid));
	monitor_stop(m, SIGTERM);
	screen_shows(&s, 0, "answer");
	screen_shows(&mine, 0, "answer");
	m = monitor_start(NULL);
	screen_comes_to_show(&s, str("pid %d", m->pid)); /* the next one is found */
	require(write(mine.master, "q", 1) == 1, "write: %s", strerror(errno));
	gave_back(&mine, "q without a monitor");
	kill(s.pid, SIGHUP);
	gave_back(&s, "SIGHUP");
	screen_close(&mine);
	screen_close(&s);
}

/* It does not wait for a monitor that is stopped: keys are heard. */
static void the_monitor_hangs(const void *arg)
{
	struct monitor *m = monitor_start("--no-guard", NULL);
	struct screen s = screen_open(WATCH(m));
	long long began;

	screen_shows(&s, 0, "INCIDENTS");
	kill(m->pid, SIGSTOP);
	screen_shows(&s, 0, "not");
	began = now_ms();
	require(write(s.master, "q", 1) == 1, "write: %s", strerror(errno));
	gave_back(&s, "q");
	require(now_ms() - began < 1000 * patience, "it took %lld ms", now_ms() - began);
	kill(m->pid, SIGCONT);
	screen_close(&s);
}

static void once(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	const char *pid = str("%d", m->pid);
	struct trigger t;
	struct run r;

	t = trigger_in(&(struct child_opts){.setup = own_session}, "vm_readv", pid_of(a));
	monitor_sync(m);
	r = run_command(8000, MONITOR, "watch", "--once", "--pid", pid);
	require(r.status == 0 && !r.err[0], "exit code %d: %s", r.status, r.err);
	require(strstr(r.out, str("redis-server:%d", a->plain_port)) &&
			strstr(r.out, str("vm_readv(%d): mem-read", t.pid)) &&
			strstr(r.out, "\n  INCIDENTS "),
		"says: %s", r.out);
	require(!strchr(r.out, '\033') && !strstr(r.out, "q quit"), "says: %s", r.out);
	for (const char *line = r.out; *line; line += strcspn(line, "\n") + 1)
		require(strcspn(line, "\n") <= 80, "a line is too long: %s", line);
	r = run_command(8000, MONITOR, "watch", "--once", "--pid", pid, "--rule", "mem-write");
	require(r.status == 0 && !strstr(r.out, "mem-read") &&
			strstr(r.out, str("redis-server:%d", a->plain_port)),
		"by another rule: %s", r.out);
	r = run_command(8000, MONITOR, "watch", "--once", "--pid", pid, "--actor",
			str("%d", t.pid));
	require(strstr(r.out, "mem-read"), "by its actor: %s", r.out);
}

static void refusals(const void *arg)
{
	struct screen s = {};
	struct run r = run_command(8000, MONITOR, "watch");

	require(r.status == 3 && strstr(r.err, "terminal") && strstr(r.err, "--once"),
		"in a pipe: exit code %d: %s", r.status, r.err);
	r = run_command(8000, MONITOR, "watch", "--once", "--pid", "1");
	require(r.status == 3 && strstr(r.err, "not a running monitor"), "exit code %d: %s",
		r.status, r.err);
	r = run_command(8000, MONITOR, "watch", "--rule", "mem-raed");
	require(r.status == 2 && strstr(r.err, "mem-raed"), "exit code %d: %s", r.status, r.err);
	s = screen_open((const char *const[]){"/usr/bin/env", "TERM=dumb", MONITOR, "watch", NULL});
	r.status = child_wait(s.pid, 5000);
	r.err = file_read(str("%s/watch.err", scratch));
	require(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 3 && strstr(r.err, "TERM"),
		"dumb: status %x: %s", r.status, r.err);
	screen_close(&s);
}

/* The library is this verb's alone: a monitor maps nothing of it. */
static void the_monitor_maps_none_of_it(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct screen s = screen_open(WATCH(m));

	screen_shows(&s, 0, "INCIDENTS");
	require(strstr(file_read(str("/proc/%d/maps", s.pid)), "ncurses"),
		"the view does not map it");
	require(!strstr(file_read(str("/proc/%d/maps", m->pid)), "ncurses") &&
			!strstr(file_read(str("/proc/%d/maps", m->pid)), "tinfo"),
		"the monitor maps it");
	kill(s.pid, SIGTERM);
	gave_back(&s, "SIGTERM");
	screen_close(&s);
}

static const struct test tests[] = {
	TEST("watch shows incidents as they come, and escapes their names", as_they_come),
	TEST("watch shows no incident where there is none, and no colours with NO_COLOR",
	     nothing_comes),
	TEST("watch explains its keys, and follows the terminal's size", help_and_resize),
	TEST("watch says that the monitor is gone, and finds the next one", the_monitor_goes),
	TEST("watch hears keys while the monitor is stopped", the_monitor_hangs),
	TEST("watch --once prints a picture as text, by each filter", once),
	TEST("watch refuses what is no terminal, and says what to do", refusals),
	TEST("watch alone maps ncurses", the_monitor_maps_none_of_it),
	{},
};

const struct suite watch_suite = {"watch", setup, NULL, tests};
