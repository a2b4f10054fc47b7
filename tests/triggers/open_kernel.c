/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open_kernel: tries to load code into the kernel, with arguments that every kernel refuses.
 *
 * Ground truth: "result" and "errno" of the call.
 */
#include "trigger.h"

#define KEXEC_TOO_MANY_SEGMENTS 1000ul /* KEXEC_SEGMENT_MAX is 16 */

int main(int argc, char **argv)
{
	const char *call = argc > 1 ? argv[1] : "";
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	long r;

	errno = 0;
	if (!strcmp(call, "init_module"))
		r = syscall(SYS_init_module, "no module", 9ul, "");
	else if (!strcmp(call, "finit_module"))
		r = syscall(SYS_finit_module, null, "", 0);
	else if (!strcmp(call, "kexec_load"))
		r = syscall(SYS_kexec_load, 0ul, KEXEC_TOO_MANY_SEGMENTS, NULL, 0ul);
	else if (!strcmp(call, "kexec_file_load"))
		r = syscall(SYS_kexec_file_load, null, null, 1ul, "", 0ul);
	else
		trigger_usage("init_module|finit_module|kexec_load|kexec_file_load");
	trigger_report_result(r, errno);
	return 0;
}
