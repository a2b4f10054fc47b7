// SPDX-License-Identifier: BSD-2-Clause
/* watcher.c - see watcher.h. */
#include "validate/watcher.h"

#include "base/clock.h"
#include "validate/interrupt.h"
#include "validate/look.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_NS (60 * NS_PER_SEC) /* a busy host; it takes a second otherwise */
#define END_NS (20 * NS_PER_SEC)
#define LOOK_NS (100 * NS_PER_MS) /* between looks whether the operator stops it */
#define LINE_MAX_LEN (1 << 20)

/* It leaves the terminal's process group: Ctrl-C must not end the monitor before validate does. */
__attribute__((noreturn)) static void become(const struct watcher *w, pid_t server, int out)
{
	int err = open(w->errors, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char pid[16];
	sigset_t none;

	snprintf(pid, sizeof(pid), "%d", (int)server);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (err < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(127);
	unsetenv(PASSWORD_VARIABLE);
	setenv("RUNTIME_DIRECTORY", w->dir, 1); /* what another monitor learnt there is its own */
	execl("/proc/self/exe", "cachewarden", "run", "--output", "json", "--events", "--quiet",
	      "--no-guard", "--heartbeat", "1", "--sweep", "1", "--evidence", w->evidence, "--pid",
	      pid, NULL);
	_exit(127);
}

/* Its last message says why it ended. */
static void last_message(const struct watcher *w, char *why, size_t size)
{
	FILE *f = fopen(w->errors, "re");
	char line[512] = "";

	while (f && fgets(line, sizeof(line), f))
		;
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	snprintf(why, size, "the monitor ended: %s", line[0] ? line : "it gave no reason");
}

static bool is_heartbeat(json_t *line)
{
	const char *kind = NULL;

	json_unpack(line, "{s:{s:{s:s}}}", "unmapped", "cachewarden", "kind", &kind);
	return kind && !strcmp(kind, "heartbeat");
}

/* Its first heartbeat comes when all sensors are attached and what runs is known. */
static bool wait_ready(struct watcher *w, char *why, size_t size)
{
	uint64_t until = clock_boot_ns() + START_NS;
	bool ended = false, ready = false;
	json_t *line;

	while (!ready && !ended && clock_boot_ns() < until && !interrupt_came()) {
		line = watcher_next(w, clock_boot_ns() + LOOK_NS, &ended);
		ready = line && is_heartbeat(line);
		json_decref(line);
	}
	if (ended)
		last_message(w, why, size);
	else if (!ready && interrupt_came())
		snprintf(why, size, "stopped by a signal before the monitor watched");
	else if (!ready)
		snprintf(why, size, "the monitor did not come up within %d s",
			 (int)(START_NS / NS_PER_SEC));
	return ready;
}

static bool make_dir(struct watcher *w)
{
	strcpy(w->dir, WATCHER_DIR);
	if (!mkdtemp(w->dir)) {
		w->dir[0] = '\0';
		return false;
	}
	snprintf(w->evidence, sizeof(w->evidence), "%s/evidence", w->dir);
	snprintf(w->errors, sizeof(w->errors), "%s/messages", w->dir);
	return true;
}

bool watcher_start(struct watcher *w, pid_t server, char *why, size_t size)
{
	int out[2];

	*w = (struct watcher){.lines = -1};
	if (geteuid()) {
		snprintf(why, size, "only root can run a monitor");
		return false;
	}
	if (!make_dir(w) || pipe2(out, O_CLOEXEC)) {
		snprintf(why, size, "no monitor can be started: %s", strerror(errno));
		return false;
	}
	w->pid = fork();
	if (!w->pid)
		become(w, server, out[1]);
	close(out[1]);
	w->lines = out[0];
	if (w->pid < 0) {
		w->pid = 0;
		snprintf(why, size, "no monitor can be started: %s", strerror(errno));
		return false;
	}
	return wait_ready(w, why, size);
}

/* The first whole line of what has been read, taken out of it. */
static json_t *take_line(struct watcher *w)
{
	char *end = w->len ? memchr(w->line, '\n', w->len) : NULL;
	json_t *line;
	size_t n;

	if (!end)
		return NULL;
	n = (size_t)(end - w->line) + 1;
	line = json_loadb(w->line, n, 0, NULL);
	memmove(w->line, w->line + n, w->len - n);
	w->len -= n;
	return line;
}

json_t *watcher_next(struct watcher *w, uint64_t until_ns, bool *ret_ended)
{
	struct pollfd p = {.fd = w->lines, .events = POLLIN};
	json_t *line = take_line(w);
	uint64_t now;
	ssize_t n;

	if (!w->line)
		w->line = malloc(LINE_MAX_LEN);
	*ret_ended = !w->line;
	while (!line && !*ret_ended && (now = clock_boot_ns()) < until_ns) {
		if (poll(&p, 1, (int)((until_ns - now) / NS_PER_MS) + 1) <= 0)
			break;
		n = read(w->lines, w->line + w->len, LINE_MAX_LEN - w->len);
		*ret_ended = n <= 0;
		if (n > 0)
			w->len += (size_t)n;
		line = take_line(w);
	}
	return line;
}

/* Returns its wait status, -1 if it still runs at that instant. */
static int wait_end(struct watcher *w, uint64_t until_ns)
{
	int status;

	while (waitpid(w->pid, &status, WNOHANG) != w->pid) {
		if (clock_boot_ns() >= until_ns)
			return -1;
		usleep(5000);
	}
	w->pid = 0;
	return status;
}

bool watcher_end(struct watcher *w, char *why, size_t size)
{
	uint64_t until = clock_boot_ns() + END_NS;
	bool ended = false;
	int status;

	kill(w->pid, SIGTERM);
	while (!ended && clock_boot_ns() < until) /* or it waits for room in the pipe */
		json_decref(watcher_next(w, until, &ended));
	status = wait_end(w, until);
	if (status > 0)
		last_message(w, why, size);
	else if (status < 0)
		snprintf(why, size, "the monitor did not end");
	return !status;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	remove(path);
	return 0;
}

void watcher_free(struct watcher *w)
{
	if (w->pid) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	if (w->dir[0])
		nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (w->lines >= 0)
		close(w->lines);
	free(w->line);
	*w = (struct watcher){.lines = -1};
}
