// SPDX-License-Identifier: BSD-2-Clause
/* host_state.c - see host_state.h. */
#include "base/host_state.h"

#include "base/procdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

void host_state_chosen(const char *text, char *buf, size_t size)
{
	const char *from = strchr(text, '['), *to = from ? strchr(from, ']') : NULL;

	buf[0] = '\0';
	if (to)
		snprintf(buf, size, "%.*s", (int)(to - from - 1), from + 1);
}

static void read_ntp(struct host_state *h)
{
	struct timex t = {.modes = 0};
	int state = adjtimex(&t);

	h->ntp_error = state < 0 ? errno : 0;
	if (state < 0)
		return;
	h->synchronized = state != TIME_ERROR && !(t.status & STA_UNSYNC);
	h->offset_us = t.status & STA_NANO ? t.offset / 1000 : t.offset;
	h->max_error_us = t.maxerror;
	h->estimated_error_us = t.esterror;
}

void host_state_read(struct host_state *ret)
{
	char text[128];

	*ret = (struct host_state){.taint = -1};
	if (procdir_read(AT_FDCWD, "/proc/sys/kernel/tainted", text, sizeof(text)) > 0)
		ret->taint = strtoll(text, NULL, 10);
	if (procdir_read(AT_FDCWD, "/sys/kernel/security/lockdown", text, sizeof(text)) > 0)
		host_state_chosen(text, ret->lockdown, sizeof(ret->lockdown));
	read_ntp(ret);
}
