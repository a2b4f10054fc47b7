/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h - Redis and Valkey commands by number. Reports show the name of a command and nothing else of it.
 */
#ifndef CACHEWARDEN_COMMAND_H
#define CACHEWARDEN_COMMAND_H

#include <stdbool.h>

/* Numbers are 1 to command_count(), names in upper case. NULL for any other number. */
unsigned int command_count(void);
const char *command_name(unsigned int number);

/* Can its arguments contain a password? */
bool command_has_credential(unsigned int number);

#endif
