// SPDX-License-Identifier: BSD-2-Clause
/*
 * output.c - see output.h. The descriptor is never made non-blocking, which would affect the other processes that share
 * it. Instead at most PIPE_BUF bytes are written once poll() says that a pipe is writable: those never block.
 */
#include "base/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void output_init(struct output *o, int fd)
{
	struct stat st;

	*o = (struct output){.fd = fd};
	o->waits = !fstat(fd, &st) && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode);
}

void output_free(struct output *o)
{
	free(o->pending);
	o->pending = NULL;
	o->len = o->room = 0;
}

uint64_t output_unwritten(const struct output *o)
{
	uint64_t n = 0;

	for (size_t i = 0; i < o->len; i++)
		n += o->pending[i] == '\n';
	return n;
}

/* A write failed for good, so no pending line can be delivered. */
static void give_up(struct output *o, int error)
{
	if (!o->error)
		o->error = error;
	o->dropped += output_unwritten(o);
	o->len = 0;
}

bool output_pump(struct output *o, int timeout_ms)
{
	while (o->len) {
		size_t n = o->waits && o->len > PIPE_BUF ? PIPE_BUF : o->len;
		struct pollfd p = {.fd = o->fd, .events = POLLOUT};
		ssize_t done;

		if (o->waits && poll(&p, 1, timeout_ms) <= 0)
			return false;
		done = write(o->fd, o->pending, n);
		if (done < 0 && (errno == EINTR || errno == EAGAIN))
			return false;
		if (done < 0) {
			give_up(o, errno);
			return true;
		}
		if (done > 0)
			o->mid_line = o->pending[done - 1] != '\n';
		memmove(o->pending, o->pending + done, o->len - (size_t)done);
		o->len -= (size_t)done;
	}
	return true;
}

void output_line(struct output *o, const char *line, size_t len)
{
	if (o->len + len > OUTPUT_PENDING_MAX) {
		o->dropped++;
		return;
	}
	if (o->len + len > o->room) {
		size_t room = (o->len + len) * 2;
		char *grown = realloc(o->pending, room);

		if (!grown) {
			o->dropped++;
			return;
		}
		o->pending = grown;
		o->room = room;
	}
	memcpy(o->pending + o->len, line, len);
	o->len += len;
	output_pump(o, 0);
}
