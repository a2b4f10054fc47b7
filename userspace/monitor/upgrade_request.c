// SPDX-License-Identifier: BSD-2-Clause
/* upgrade_request.c - see upgrade_request.h. */
#include "monitor/upgrade_request.h"

#include "base/jsonw.h"
#include "base/log.h"
#include "monitor/handover.h"
#include "monitor/state.h"

void upgrade_request(void *ctx, int fd)
{
	struct monitor *m = ctx;
	char error[512] = "";
	pid_t next = handover_start(m, error, sizeof(error));
	struct jsonw j = {};
	const char *text;
	size_t len;

	if (next < 0)
		log_error("no handover: %s", error);
	jsonw_object(&j, NULL);
	jsonw_int(&j, "pid", m->self.pid);
	if (next < 0)
		jsonw_string(&j, "error", error);
	else
		jsonw_int(&j, "next", next);
	jsonw_end_object(&j);
	text = jsonw_done(&j, &len);
	if (text)
		control_reply(&m->control, fd, text, len);
	jsonw_free(&j);
}
