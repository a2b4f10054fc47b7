// SPDX-License-Identifier: BSD-2-Clause
/* libcurl.c - see libcurl.h. */
#include "report/libcurl.h"

#include <dlfcn.h>

struct libcurl libcurl;

bool libcurl_load(void)
{
	void *lib = dlopen("libcurl.so.4", RTLD_NOW);
	bool complete = lib;

#define X(name)                                                                                    \
	libcurl.name = lib ? dlsym(lib, #name) : NULL;                                             \
	complete = complete && libcurl.name;
	LIBCURL_FUNCTIONS(X)
#undef X
	return complete;
}
