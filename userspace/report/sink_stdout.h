/* SPDX-License-Identifier: BSD-2-Clause */
/* sink_stdout.h - standard output as a sink: a terminal, a pipe or a file. */
#ifndef CACHEWARDEN_SINK_STDOUT_H
#define CACHEWARDEN_SINK_STDOUT_H

#include "report/sink.h"

extern const struct sink_ops sink_stdout;

#endif
