/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fanotify: asks for notifications about the files in DIRECTORY and waits for the first one of a file
 * called NAME. The kernel hands it an open descriptor of the file: nothing is opened. It reads through
 * the descriptor and holds it until killed. OUTPUT is created once bytes were read.
 *
 * Ground truth, once it waits: "missing", whether fanotify is not available.
 */
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>

#include "trigger.h"

static int is_named(int fd, const char *name)
{
	char link[64], path[4096], *slash;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = 0;
	slash = strrchr(path, '/');
	return slash && !strcmp(slash + 1, name);
}

int main(int argc, char **argv)
{
	struct fanotify_event_metadata ev[16];
	char buf[64];
	ssize_t n;
	int group, out;

	if (argc < 4)
		trigger_usage("DIRECTORY NAME OUTPUT");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	group = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
	if (group < 0 ||
	    fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD, argv[1])) {
		trigger_report("\"missing\":true");
		trigger_stay();
	}
	trigger_report("\"missing\":false");
	while ((n = read(group, ev, sizeof(ev))) > 0) {
		for (struct fanotify_event_metadata *e = ev; FAN_EVENT_OK(e, n);
		     e = FAN_EVENT_NEXT(e, n)) {
			if (!is_named(e->fd, argv[2])) {
				close(e->fd);
				continue;
			}
			if (read(e->fd, buf, sizeof(buf)) <= 0)
				trigger_die("read");
			out = open(argv[3], O_WRONLY | O_CREAT, 0600);
			if (out < 0)
				trigger_die("%s", argv[3]);
			trigger_stay();
		}
	}
	trigger_die("fanotify");
}
