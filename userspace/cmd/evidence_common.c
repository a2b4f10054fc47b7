// SPDX-License-Identifier: BSD-2-Clause
/* evidence_common.c - see evidence_common.h. */
#include "cmd/evidence_common.h"

#include "cmd/cli.h"
#include "base/log.h"
#include "base/macros.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int evidence_fail(const char *dir, const struct reader *r, int err)
{
	fprintf(stderr, "%s: %s\n", dir, r->error[0] ? r->error : strerror(-err));
	return err == -EBADMSG ? EXIT_VIOLATION : err == -EINVAL ? EXIT_USAGE : EXIT_CANNOT;
}

#define TIME_END_S 253402300800ll /* the year 10000 */

bool evidence_time(const char *text, int64_t *ret_ms)
{
	static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ",
					      "@%s"};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct tm tm = {};
		const char *end = strptime(text, formats[i], &tm);
		long long s;

		if (!end || *end)
			continue;
		s = formats[i][0] == '@' ? strtoll(text + 1, NULL, 10) : timegm(&tm);
		if (s < 0 || s >= TIME_END_S)
			return false;
		*ret_ms = s * 1000;
		return true;
	}
	return false;
}

int evidence_bad_time(const char *option, const char *text)
{
	log_error("%s must be YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, UTC, not '%s'", option, text);
	return EXIT_USAGE;
}
