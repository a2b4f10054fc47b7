/* SPDX-License-Identifier: BSD-2-Clause */
/* describe.h - puts into the evidence log what each server was configured with, once its start is over. */
#ifndef CACHEWARDEN_DESCRIBE_H
#define CACHEWARDEN_DESCRIBE_H

#include "monitor/state.h"

/* Once a second. */
void describe_servers(struct monitor *m);

#endif
