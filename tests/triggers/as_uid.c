/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * as_uid: gives up every privilege, becomes that user and then another trigger, in the same
 * process.
 *
 *     as_uid UID TRIGGER ARGUMENT...
 */
#include <grp.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	uid_t uid;

	if (argc < 3)
		return 2;
	uid = atoi(argv[1]);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		trigger_die("becoming uid %u", uid);
	execv(argv[2], argv + 2);
	trigger_die("%s", argv[2]);
}
