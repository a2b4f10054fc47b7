/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * as_uid: becomes UID without any privilege, then executes another trigger in the same process. Prints
 * nothing itself; the trigger reports that uid.
 */
#include <grp.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	uid_t uid;

	if (argc < 3)
		trigger_usage("UID TRIGGER ARGUMENT...");
	uid = atoi(argv[1]);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		trigger_die("cannot become uid %u", uid);
	execv(argv[2], argv + 2);
	trigger_die("%s", argv[2]);
}
