/* SPDX-License-Identifier: BSD-2-Clause */
/* evidence_common.h - what the evidence commands share, and those that have a file of their own. */
#ifndef CACHEWARDEN_EVIDENCE_COMMON_H
#define CACHEWARDEN_EVIDENCE_COMMON_H

#include "evidence/reader.h"

#include <stdint.h>

#define EVIDENCE_DIR_ARG                                                                           \
	{                                                                                          \
		"DIR", NULL, "Directory of the log. Default: " EVIDENCE_DIR ".", CLI_OPERAND, &dir \
	}

/* Say what is wrong. Returns the exit code: a log that is not what was written is a violation, one that cannot be read is not. */
int evidence_fail(const char *dir, const struct reader *r, int err);

/* "2026-11-30", "2026-11-30T12:00:00", both UTC, or seconds since the epoch after an @. */
bool evidence_time(const char *text, int64_t *ret_ms);

/* Say that an option's time is wrong. Returns the exit code. */
int evidence_bad_time(const char *option, const char *text);

int evidence_statement(int argc, char **argv);
int evidence_export(int argc, char **argv);
int evidence_report(int argc, char **argv);

#endif
