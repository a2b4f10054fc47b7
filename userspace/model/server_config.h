/* SPDX-License-Identifier: BSD-2-Clause */
/* server_config.h - the directives of a Redis or Valkey server, in a configuration or on its command line. Pure. */
#ifndef CACHEWARDEN_SERVER_CONFIG_H
#define CACHEWARDEN_SERVER_CONFIG_H

#include <stddef.h>

/*
 * Calls fn for each line "directive value". The directive is in lower case, the value without its quotes.
 * Comments, lines without a value, lines with a NUL byte and lines of 1024 bytes or more are skipped. Returns how many
 * directives were ones that servers know.
 */
size_t server_config_each(const char *text, size_t len,
			  void (*fn)(void *ctx, const char *directive, const char *value),
			  void *ctx);

/*
 * The same for a command line, each argument NUL-terminated: "--directive value...". A configuration file, if the first
 * argument after the program names one, comes as an include.
 */
void server_config_args(const char *args, size_t len,
			void (*fn)(void *ctx, const char *directive, const char *value), void *ctx);

#endif
