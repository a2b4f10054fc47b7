/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h - Redis and Valkey commands by number: a name is all of a command that is ever told.
 */
#ifndef CACHEWARDEN_COMMAND_H
#define CACHEWARDEN_COMMAND_H

#include <stdbool.h>

/* 1..command_count(), names in upper case; NULL beyond. */
unsigned int command_count(void);
const char *command_name(unsigned int number);

/* Do its arguments hold a password, or may they? */
bool command_secret(unsigned int number);

#endif
