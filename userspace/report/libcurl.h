/* SPDX-License-Identifier: BSD-2-Clause */
/* libcurl.h - the functions of libcurl, loaded only if there is a sink that posts, for the reason in base/libssl.h: libcurl brings it. */
#ifndef CACHEWARDEN_LIBCURL_H
#define CACHEWARDEN_LIBCURL_H

#define CURL_DISABLE_TYPECHECK /* its macros cannot wrap a pointer */
#include <curl/curl.h>
#include <stdbool.h>

#define LIBCURL_FUNCTIONS(X)                                                                       \
	X(curl_easy_cleanup)                                                                       \
	X(curl_easy_getinfo)                                                                       \
	X(curl_easy_init)                                                                          \
	X(curl_easy_perform)                                                                       \
	X(curl_easy_setopt)                                                                        \
	X(curl_easy_strerror)                                                                      \
	X(curl_global_init)                                                                        \
	X(curl_slist_append)                                                                       \
	X(curl_slist_free_all)

struct libcurl {
#define X(name) typeof(name) *name;
	LIBCURL_FUNCTIONS(X)
#undef X
};

/* Its functions, once libcurl_load() returned true. */
extern struct libcurl libcurl;

/* False if there is no libcurl 4 with all of them. */
bool libcurl_load(void);

#endif
