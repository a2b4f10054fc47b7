// SPDX-License-Identifier: BSD-2-Clause
/* look_text.c - an errno in words that say what to do. */
#include "validate/look.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *look_text(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return geteuid()
			       ? "access denied; run as root or as its user"
			       : "access denied even to root: run it on the host and not in a "
				 "container, with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, and see "
				 "the security module's log";
	case ENOENT:
	case ENOTDIR:
		return "there is no such file";
	case ESRCH:
		return "the server has ended";
	case EMFILE:
	case ENFILE:
		return "too many files are open; raise the limit (ulimit -n)";
	case ENOSYS:
		return "this kernel is too old for it";
	default:
		return strerror(err);
	}
}
