// SPDX-License-Identifier: BSD-2-Clause
/* signals.c - see signals.h. */
#include "monitor/signals.h"

#include "base/log.h"
#include "base/proc.h"
#include "event.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t stop_signal, sender, reload;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	if (sig == SIGHUP) {
		reload = 1;
		return;
	}
	stop_signal = sig;
	sender = info->si_pid;
}

void signals_catch(void)
{
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa = (struct sigaction){.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &sa, NULL);
}

bool signals_stop(void)
{
	return stop_signal;
}

bool signals_take_reload(void)
{
	bool taken = reload;

	reload = 0;
	return taken;
}

void signals_log_sender(void)
{
	char comm[COMM_LEN] = "";

	if (!stop_signal)
		return;
	if (sender)
		proc_comm(sender, comm, sizeof(comm));
	log_info("SIG%s received from %s(%d), ending", sigabbrev_np(stop_signal),
		 sender ? comm : "the kernel", (int)sender);
}
