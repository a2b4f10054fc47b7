// SPDX-License-Identifier: BSD-2-Clause
/* file_kind.c - see file_kind.h. */
#include "model/file_kind.h"

#include "base/str.h"
#include "base/macros.h"
#include "model/server_config.h"

#include <string.h>

static const struct file_kind_info kinds[] = {
	[PROC_FILE_MEM] = {"mem", RULE_MEM_READ, RULE_MEM_WRITE, SEVERITY_CRITICAL},
	[PROC_FILE_MAPS] = {"maps", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_SMAPS] = {"smaps", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_SMAPS_ROLLUP] = {"smaps_rollup", RULE_MEM_INSPECT, RULE_MEM_INSPECT,
				    SEVERITY_LOW},
	[PROC_FILE_NUMA_MAPS] = {"numa_maps", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_PAGEMAP] = {"pagemap", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_CLEAR_REFS] = {"clear_refs", RULE_MEM_INSPECT, RULE_MEM_INSPECT,
				  SEVERITY_MEDIUM},
	[PROC_FILE_ENVIRON] = {"environ", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_AUXV] = {"auxv", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_STACK] = {"stack", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_SYSCALL] = {"syscall", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_PERSONALITY] = {"personality", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_IO] = {"io", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_MAP_FILES] = {"map_files", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_FD] = {"fd", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_FDINFO] = {"fdinfo", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_COREDUMP_FILTER] = {"coredump_filter", RULE_NONE, RULE_MEM_DUMP, SEVERITY_HIGH},
	[PROC_FILE_KCORE] = {"kcore", RULE_MEM_KERNEL, RULE_MEM_KERNEL, SEVERITY_CRITICAL},
	[PROC_FILE_CORE_PATTERN] = {"core_pattern", RULE_NONE, RULE_MEM_DUMP, SEVERITY_HIGH},
	[HOST_UPROBE_EVENTS] = {"uprobe_events", RULE_NONE, RULE_MEM_PROBE, SEVERITY_HIGH},
	[HOST_DYNAMIC_EVENTS] = {"dynamic_events", RULE_NONE, RULE_MEM_PROBE, SEVERITY_HIGH},
	[HOST_KPROBE_EVENTS] = {"kprobe_events", RULE_NONE, RULE_MEM_KERNEL, SEVERITY_HIGH},
	[HOST_DEV_MEM] = {"/dev/mem", RULE_MEM_KERNEL, RULE_MEM_KERNEL, SEVERITY_CRITICAL},
	[HOST_LD_SO_PRELOAD] = {"/etc/ld.so.preload", RULE_NONE, RULE_MEM_INJECT, SEVERITY_HIGH},
	[HOST_CGROUP] = {"cgroup control file", RULE_NONE, RULE_SELF_TAMPER, SEVERITY_HIGH},
	[HOST_DISK] = {"block device below files of servers", RULE_REST_FILE, RULE_REST_FILE,
		       SEVERITY_HIGH},
	[FILE_DATA] = {"data file", RULE_REST_FILE, RULE_REST_FILE, SEVERITY_HIGH,
		       FINDING_EXPOSED_DATA},
	[FILE_CONFIG] = {"configuration", RULE_REST_FILE, RULE_REST_FILE, SEVERITY_MEDIUM,
			 FINDING_EXPOSED_CONFIG},
	[FILE_ACL] = {"ACL file", RULE_REST_FILE, RULE_REST_FILE, SEVERITY_HIGH,
		      FINDING_EXPOSED_ACL},
	[FILE_KEY] = {"private key", RULE_TLS_KEY, RULE_TLS_KEY, SEVERITY_CRITICAL,
		      FINDING_EXPOSED_KEY},
	[FILE_KEYLOG] = {"session secrets", RULE_TLS_KEY, RULE_TLS_KEY, SEVERITY_CRITICAL,
			 FINDING_EXPOSED_KEY},
	[FILE_CODE] = {"code of the server", RULE_NONE, RULE_MEM_INJECT, SEVERITY_CRITICAL},
	[PROC_FILE_WALK] = {"path walk", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_FD_ENTRY] = {"fd/N", RULE_MEM_FD, RULE_MEM_FD, SEVERITY_HIGH},
};
_Static_assert(ARRAY_SIZE(kinds) == FILE_KIND_MAX, "every file has a row");

const struct file_kind_info *file_kind_get(unsigned int kind)
{
	return kind > PROC_FILE_NONE && kind < FILE_KIND_MAX ? &kinds[kind] : NULL;
}

const char *file_kind_name(unsigned int kind)
{
	return kind < FILE_KIND_MAX ? kinds[kind].name : NULL;
}

/* --- classification of a server's own files --- */

/* Libraries, locales and the system's certificates: every program opens them, none is secret. */
static const char *const public_places[] = {"/usr/lib", "/usr/share/", "/lib", "/proc/",
					    "/sys/",	"/dev/",       NULL};

/* Configuration of the C library and of OpenSSL. */
static const char *const public_names[] = {"resolv.conf",   "host.conf",   "nsswitch.conf",
					   "gai.conf",	    "ld.so.conf",  "openssl.cnf",
					   "ld.so.preload", "ld.so.cache", NULL};

static bool listed(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (!strcmp(*list, name))
			return true;
	}
	return false;
}

static bool is_public(const char *path, const char *name)
{
	for (const char *const *place = public_places; *place; place++) {
		if (!strncmp(path, *place, strlen(*place)))
			return true;
	}
	return listed(public_names, name);
}

static bool begins(const char *head, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !memcmp(head, with, n);
}

static bool has(const char *head, size_t len, const char *word)
{
	return memmem(head, len, word, strlen(word)) != NULL;
}

static bool is_data(const char *name, const char *head, size_t len)
{
	/* RDB magic of Redis, and of Valkey since 9 */
	return begins(head, len, "REDIS0") || begins(head, len, "VALKEY0") ||
	       str_ends_with(name, ".rdb") || str_ends_with(name, ".aof") ||
	       str_ends_with(name, ".manifest");
}

/* NSS key log format. */
static bool is_keylog(const char *head, size_t len)
{
	return begins(head, len, "CLIENT_RANDOM ") || begins(head, len, "# SSL/TLS secrets log") ||
	       has(head, len, "_TRAFFIC_SECRET ") || has(head, len, "_TRAFFIC_SECRET_0 ");
}

static bool is_acl(const char *name, const char *head, size_t len)
{
	return str_ends_with(name, ".acl") || (begins(head, len, "user ") && has(head, len, " on"));
}

static void ignore(void *ctx, const char *directive, const char *value)
{
}

unsigned int file_kind_classify(const char *path, bool written, const char *head, size_t len)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	/* opened by the dynamic loader: a sweep may not have seen it mapped yet */
	if (begins(head, len, "\177ELF"))
		return written ? PROC_FILE_NONE : FILE_CODE;
	if (is_public(path, name))
		return PROC_FILE_NONE;
	if (is_data(name, head, len))
		return FILE_DATA;
	if (has(head, len, "PRIVATE KEY-----") || str_ends_with(name, ".key"))
		return FILE_KEY;
	if (is_keylog(head, len))
		return FILE_KEYLOG;
	if (is_acl(name, head, len))
		return FILE_ACL;
	if (str_ends_with(name, ".conf") ||
	    (!written && server_config_each(head, len, ignore, NULL) > 1))
		return FILE_CONFIG;
	return PROC_FILE_NONE;
}
