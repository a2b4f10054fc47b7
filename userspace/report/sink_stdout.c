// SPDX-License-Identifier: BSD-2-Clause
/* sink_stdout.c - see sink_stdout.h. base/output.h queues and never blocks. */
#include "report/sink_stdout.h"

#include "base/output.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int stdout_open(struct sink *s)
{
	const char *no_colour = getenv("NO_COLOR"); /* a convention of terminal programs */
	struct output *o = malloc(sizeof(*o));

	if (!o)
		return -ENOMEM;
	output_init(o, STDOUT_FILENO);
	s->data = o;
	s->colour = isatty(STDOUT_FILENO) && !(no_colour && no_colour[0]);
	return 0;
}

static void stdout_close(struct sink *s)
{
	output_free(s->data);
	free(s->data);
	s->data = NULL;
}

static void stdout_write(struct sink *s, const struct sink_message *message)
{
	output_line(s->data, message->text, message->len);
}

static bool stdout_flush(struct sink *s, int timeout_ms)
{
	return output_pump(s->data, timeout_ms);
}

static void stdout_status(const struct sink *s, struct sink_status *ret)
{
	const struct output *o = s->data;
	uint64_t unwritten = o->len ? output_unwritten(o) : 0;

	*ret = (struct sink_status){
		.unwritten = unwritten,
		.lag = unwritten,
		.dropped = o->dropped,
		.error = o->error,
		.mid_line = o->mid_line,
	};
}

static void stdout_take_over(struct sink *s, const struct sink_status *left)
{
	output_free(s->data);
	output_init(s->data, STDOUT_FILENO);
	if (left->mid_line)
		output_line(s->data, "\n", 1);
}

const struct sink_ops sink_stdout = {
	.vital = true,
	.open = stdout_open,
	.close = stdout_close,
	.write = stdout_write,
	.flush = stdout_flush,
	.status = stdout_status,
	.take_over = stdout_take_over,
};
