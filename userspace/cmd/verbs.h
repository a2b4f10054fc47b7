/* SPDX-License-Identifier: BSD-2-Clause */
/* verbs.h - one function per command, each in a file of its own; each returns an exit code of cli.h. */
#ifndef CACHEWARDEN_VERBS_H
#define CACHEWARDEN_VERBS_H

#include "cmd/cli.h"

int cmd_run(int argc, char **argv);
int cmd_conns(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_incidents(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_upgrade(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_evidence(int argc, char **argv);
int cmd_witness(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_version(int argc, char **argv);

extern const struct cli_group cachewarden;

/* Verbs of cmd_evidence that have a file of their own. */
int evidence_witness(int argc, char **argv);
int evidence_prune(int argc, char **argv);
int evidence_signatures(int argc, char **argv);

#endif
