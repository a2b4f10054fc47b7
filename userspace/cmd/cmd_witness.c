// SPDX-License-Identifier: BSD-2-Clause
/* cmd_witness.c - cachewarden witness: cosigns the checkpoints of other hosts' evidence logs. Needs no privileges. */
#include "cmd/cli.h"
#include "cmd/verbs.h"
#include "base/host.h"
#include "base/log.h"
#include "base/macros.h"
#include "evidence/witness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LISTEN "127.0.0.1:8457"

/* Returns an exit code. */
static int serve(struct witness *w, const char *address)
{
	struct http_server *s;
	char vkey[NOTE_VKEY_LEN];
	sigset_t end;
	int err = http_server_open(&s, address, witness_answer, w), stop;

	if (err) {
		log_error("witness: cannot listen at '%s': %s", address,
			  err == -EINVAL ? "expected: ADDRESS:PORT, both numbers" : strerror(-err));
		return err == -EINVAL ? EXIT_USAGE : EXIT_CANNOT;
	}
	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	stop = signalfd(-1, &end, SFD_CLOEXEC);
	witness_vkey(w, vkey);
	printf("%s\n", vkey);
	fflush(stdout);
	log_info("witness of %zu logs, at port %u of '%s'", witness_logs(w), http_server_port(s),
		 address);
	err = stop < 0 ? -errno : http_server_run(s, stop);
	if (err)
		log_error("witness: %s", strerror(-err));
	if (stop >= 0)
		close(stop);
	http_server_close(s);
	return err ? EXIT_CANNOT : EXIT_FINE;
}

int cmd_witness(int argc, char **argv)
{
	const char *dir = NULL, *logs = NULL, *listen = LISTEN, *name = NULL;
	const struct cli_arg args[] = {
		{"DIR", NULL,
		 "Directory of the witness: its key, and what it cosigned last of each log.",
		 CLI_OPERAND, &dir, .required = true},
		{"--logs", "PATH",
		 "The logs to know: a file with their verification keys, one in a line, or a directory of "
		 "such files.",
		 CLI_TEXT, &logs},
		{"--listen", "ADDRESS:PORT", "Where to listen. Default: " LISTEN ".", CLI_TEXT,
		 &listen},
		{"--name", "NAME",
		 "Name of the witness when its key is made, like witness.example/w1. Default: host name and "
		 "/cachewarden-witness.",
		 CLI_TEXT, &name},
	};
	int code = cli_parse(
		&(struct cli_command){
			"witness",
			"Cosigns the checkpoints of evidence logs on other hosts, and refuses those of a log that was cut\n"
			"off, changed or continued twice. Prints its own verification key. HTTP, C2SP tlog-witness.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	char error[WITNESS_ERROR_LEN], made[NOTE_NAME_LEN];
	struct witness *w;
	int err;

	if (code != CLI_PROCEED)
		return code;
	if (!logs) {
		log_error("witness: --logs is needed: a file with the verification keys of logs");
		return EXIT_USAGE;
	}
	snprintf(made, sizeof(made), "%.200s/cachewarden-witness", host_get()->name);
	err = witness_open(&w, dir, name ?: made, error);
	if (err) {
		log_error("witness: %s: %s", dir, error);
		return err == -EINVAL ? EXIT_USAGE : EXIT_CANNOT;
	}
	err = witness_know(w, logs, error);
	if (err)
		log_error("witness: %s", error);
	code = err ? (err == -EINVAL ? EXIT_USAGE : EXIT_CANNOT) : serve(w, listen);
	witness_close(w);
	return code;
}
