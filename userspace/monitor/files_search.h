/* SPDX-License-Identifier: BSD-2-Clause */
/* files_search.h - finds the files that an instance opened before the monitor started. */
#ifndef CACHEWARDEN_FILES_SEARCH_H
#define CACHEWARDEN_FILES_SEARCH_H

#include "monitor/files.h"

/*
 * Search the instance's working directory, the configuration files that name one of its ports, and what its command line
 * names. Each file found is reported by an EVENT_FILE; what could not be searched or reported is counted in f.
 */
void files_search(struct files *f, struct sensors *sensors, const struct instance *in);

/*
 * The same for what the server itself answered: values of directives, of which "include" is its configuration. Empty values
 * say nothing. They are paths of files, or of directories to search; what kind of file it is, its contents decide.
 */
void files_answered(struct files *f, struct sensors *sensors, const struct instance *in,
		    const char *const *directive, const char *const *value, size_t n);

/* The value of a directive in the configurations that the instance opened, or on its command line; empty if it has none. */
void files_directive(const struct files *f, const struct instance *in, const char *directive,
		     char *value, size_t size);

/* Does a configuration that the instance opened give it a TLS port? False if none is known. */
bool files_name_tls_port(const struct files *f, const struct instance *in);

#endif
