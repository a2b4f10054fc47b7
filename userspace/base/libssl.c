// SPDX-License-Identifier: BSD-2-Clause
/* libssl.c - see libssl.h. */
#include "base/libssl.h"

#include <dlfcn.h>
#include <openssl/err.h>

#define STRING(x) #x
#define LIBSSL_NAME(version) "libssl.so." STRING(version)

struct libssl libssl;

bool libssl_load(void)
{
	void *lib = dlopen(LIBSSL_NAME(OPENSSL_SHLIB_VERSION), RTLD_NOW);
	bool complete = lib;

#define X(name)                                                                                    \
	libssl.name = lib ? dlsym(lib, #name) : NULL;                                              \
	complete = complete && libssl.name;
	LIBSSL_FUNCTIONS(X)
#undef X
	return complete;
}

const char *libssl_reason(const char *otherwise)
{
	return ERR_reason_error_string(ERR_peek_last_error()) ?: otherwise;
}

int libssl_no_passphrase(char *buf, int size, int writing, void *ctx)
{
	return -1;
}
