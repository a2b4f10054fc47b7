/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open_kernel: tries to get code into the kernel, in a way that no kernel accepts.
 *
 *     open_kernel init_module|finit_module|kexec_load|kexec_file_load
 */
#include <fcntl.h>

#include "trigger.h"

#define KEXEC_SEGMENTS_TOO_MANY 1000ul /* KEXEC_SEGMENT_MAX is 16 */

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	long r;

	errno = 0;
	if (!strcmp(what, "init_module"))
		r = syscall(SYS_init_module, "no module", 9ul, "");
	else if (!strcmp(what, "finit_module"))
		r = syscall(SYS_finit_module, null, "", 0);
	else if (!strcmp(what, "kexec_load"))
		r = syscall(SYS_kexec_load, 0ul, KEXEC_SEGMENTS_TOO_MANY, NULL, 0ul);
	else if (!strcmp(what, "kexec_file_load"))
		r = syscall(SYS_kexec_file_load, null, null, 1ul, "", 0ul);
	else
		return 2;
	trigger_report("\"tid\":%d,\"result\":%ld,\"errno\":%d", getpid(), r, r < 0 ? errno : 0);
	return 0;
}
