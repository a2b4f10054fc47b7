/* SPDX-License-Identifier: BSD-2-Clause */
/* files_search.h - finds the files that an instance opened before the monitor started. */
#ifndef CACHEWARDEN_FILES_SEARCH_H
#define CACHEWARDEN_FILES_SEARCH_H

#include "monitor/files.h"

/*
 * Search the instance's working directory, the configuration files that name one of its ports, and what its command line
 * names. Every file found is reported by an EVENT_FILE; what could not be searched or reported is counted in f.
 */
void files_search(struct files *f, struct sensors *sensors, const struct instance *in);

/* Does a configuration that the instance opened give it a TLS port? False if none is known. */
bool files_name_tls_port(const struct files *f, const struct instance *in);

#endif
