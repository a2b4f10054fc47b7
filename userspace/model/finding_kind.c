// SPDX-License-Identifier: BSD-2-Clause
/* finding_kind.c - see finding_kind.h. */
#include "model/finding_kind.h"

#include "base/macros.h"
#include "event.h"

#include <stddef.h>

static const struct finding_kind_info swept_kinds[] = {
	[FINDING_SOCKET] = {"connection held", SEVERITY_HIGH},
	[FINDING_LISTENER] = {"listening socket held", SEVERITY_MEDIUM},
	[FINDING_PERF_EVENT] = {"perf event held", SEVERITY_HIGH},
	[FINDING_UPROBES] = {"breakpoints in its code, now or before", SEVERITY_CRITICAL},
	[FINDING_MERGEABLE] = {"KSM may merge its memory with others'", SEVERITY_MEDIUM},
	[FINDING_SWAPPED] = {"swapped out", SEVERITY_MEDIUM},
	[FINDING_SHARED] = {"shared writable mapping", SEVERITY_MEDIUM},
	[FINDING_CODE_FILE] = {"file", SEVERITY_CRITICAL},
	[FINDING_CODE_ANONYMOUS] = {"anonymous memory", SEVERITY_CRITICAL},
	[FINDING_CODE_WRITABLE] = {"writable memory", SEVERITY_CRITICAL},
	[FINDING_EXPOSED_DATA] = {"data file that others may read", SEVERITY_MEDIUM},
	[FINDING_EXPOSED_CONFIG] = {"configuration that others may read", SEVERITY_LOW},
	[FINDING_EXPOSED_ACL] = {"ACL file that others may read", SEVERITY_MEDIUM},
	[FINDING_EXPOSED_KEY] = {"private key that others may read", SEVERITY_HIGH},
	[FINDING_PRELOAD_FILE] = {"/etc/ld.so.preload names libraries", SEVERITY_HIGH},
	[FINDING_VM_READV] = {"process_vm_readv under way", SEVERITY_CRITICAL},
	[FINDING_VM_WRITEV] = {"process_vm_writev under way", SEVERITY_CRITICAL},
	[FINDING_CODE_CHANGED] = {"code whose file was changed", SEVERITY_CRITICAL},
	[FINDING_CODE_OWNER] = {"code that belongs to a user other than root", SEVERITY_HIGH},
	[FINDING_CODE_MODE] = {"code that users other than root may write", SEVERITY_HIGH},
	[FINDING_CODE_PLACE] = {"code in a directory that users other than root may write",
				SEVERITY_HIGH},
	[FINDING_CODE_REPLACED] = {"code whose file was replaced or removed", SEVERITY_LOW},
	[FINDING_SOCKMAP] = {"connection in a BPF sockmap: its bytes need no packet",
			     SEVERITY_HIGH},
	[FINDING_FAMILY] = {"socket of a family that is neither IP, UNIX nor netlink",
			    SEVERITY_HIGH},
	[FINDING_ANSWERED] = {"syscalls of it answered by another process (seccomp)",
			      SEVERITY_MEDIUM},
};
_Static_assert(ARRAY_SIZE(swept_kinds) == FINDING_MAX, "every finding has a row");

static const struct finding_kind_info env_vars[] = {
	[ENV_LD_PRELOAD] = {"LD_PRELOAD in its environment", SEVERITY_HIGH},
	[ENV_LD_AUDIT] = {"LD_AUDIT in its environment", SEVERITY_HIGH},
	[ENV_SSLKEYLOGFILE] = {"SSLKEYLOGFILE in its environment", SEVERITY_HIGH},
	[ENV_LD_LIBRARY_PATH] = {"LD_LIBRARY_PATH in its environment", SEVERITY_MEDIUM},
	[ENV_OPENSSL_CONF] = {"OPENSSL_CONF in its environment", SEVERITY_MEDIUM},
	[ENV_OPENSSL_MODULES] = {"OPENSSL_MODULES in its environment", SEVERITY_MEDIUM},
	[ENV_OPENSSL_ENGINES] = {"OPENSSL_ENGINES in its environment", SEVERITY_MEDIUM},
};
_Static_assert(ARRAY_SIZE(env_vars) == ENV_MAX, "every variable has a row");

const struct finding_kind_info *finding_kind_swept(unsigned int swept)
{
	return swept >= FINDING_SOCKET && swept < FINDING_MAX ? &swept_kinds[swept] : NULL;
}

const struct finding_kind_info *finding_kind_env(unsigned int var)
{
	return var > ENV_NONE && var < ENV_MAX ? &env_vars[var] : NULL;
}
