// SPDX-License-Identifier: BSD-2-Clause
/* proc_text.c - see proc_text.h. */
#include "model/proc_text.h"

#include "base/macros.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- environment --- */

static bool is_name(const char *at, size_t len)
{
	static const char *const lower[] = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
					    "all_proxy"};

	for (size_t i = 0; i < ARRAY_SIZE(lower); i++) {
		if (strlen(lower[i]) == len && !memcmp(at, lower[i], len))
			return true;
	}
	if (!len || len >= ENVIRONMENT_NAME_LEN || isdigit((unsigned char)at[0]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isupper((unsigned char)at[i]) && !isdigit((unsigned char)at[i]) &&
		    at[i] != '_')
			return false;
	}
	return true;
}

size_t environment_names(const char *text, size_t len, void (*fn)(void *ctx, const char *name),
			 void *ctx)
{
	const char *at = text, *end = text + len;
	char name[ENVIRONMENT_NAME_LEN];
	size_t others = 0;

	while (at < end) {
		const char *stop = memchr(at, '\0', (size_t)(end - at)) ?: end;
		const char *equals = memchr(at, '=', (size_t)(stop - at));
		size_t n = equals ? (size_t)(equals - at) : 0;

		if (equals && is_name(at, n)) {
			memcpy(name, at, n);
			name[n] = '\0';
			fn(ctx, name);
		} else if (stop > at) {
			others++;
		}
		at = stop + 1;
	}
	return others;
}

/* --- capabilities --- */

const char *capability_name(unsigned int number)
{
	static const char *const names[] = {
		"chown",
		"dac_override",
		"dac_read_search",
		"fowner",
		"fsetid",
		"kill",
		"setgid",
		"setuid",
		"setpcap",
		"linux_immutable",
		"net_bind_service",
		"net_broadcast",
		"net_admin",
		"net_raw",
		"ipc_lock",
		"ipc_owner",
		"sys_module",
		"sys_rawio",
		"sys_chroot",
		"sys_ptrace",
		"sys_pacct",
		"sys_admin",
		"sys_boot",
		"sys_nice",
		"sys_resource",
		"sys_time",
		"sys_tty_config",
		"mknod",
		"lease",
		"audit_write",
		"audit_control",
		"setfcap",
		"mac_override",
		"mac_admin",
		"syslog",
		"wake_alarm",
		"block_suspend",
		"audit_read",
		"perfmon",
		"bpf",
		"checkpoint_restore",
	};

	return number < ARRAY_SIZE(names) ? names[number] : NULL;
}

/* --- sockets --- */

/* Words of 32 bits in the order of this machine, which are an address in network order. */
static bool parse_ip(const char *text, bool ipv6, uint8_t ret[16])
{
	size_t words = ipv6 ? 4 : 1;
	char digits[9] = "";

	if (strlen(text) != 8 * words)
		return false;
	memset(ret, 0, 16);
	if (!ipv6)
		memset(ret + 10, 0xff, 2);
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		memcpy(digits, text + 8 * i, 8);
		if (strspn(digits, "0123456789ABCDEF") != 8)
			return false;
		word = (uint32_t)strtoul(digits, NULL, 16);
		memcpy(ret + (ipv6 ? 4 * i : 12), &word, sizeof(word));
	}
	return true;
}

bool socket_line_parse(const char *line, bool ipv6, struct socket_line *ret)
{
	unsigned int local = 0, remote = 0;
	char from[33], to[33];

	*ret = (struct socket_line){.ipv6 = ipv6};
	if (sscanf(line, " %*u: %32[^:]:%4x %32[^:]:%4x %2x %*s %*s %*s %*u %*d %" SCNu64, from,
		   &local, to, &remote, &ret->state, &ret->inode) != 6)
		return false;
	ret->ends.local_port = (uint16_t)local;
	ret->ends.remote_port = (uint16_t)remote;
	return parse_ip(from, ipv6, ret->ends.local_ip) && parse_ip(to, ipv6, ret->ends.remote_ip);
}

const char *socket_state_name(unsigned int state)
{
	static const char *const names[] = {
		"unknown",   "ESTABLISHED", "SYN_SENT",	    "SYN_RECV",	  "FIN_WAIT1",
		"FIN_WAIT2", "TIME_WAIT",   "CLOSE",	    "CLOSE_WAIT", "LAST_ACK",
		"LISTEN",    "CLOSING",	    "NEW_SYN_RECV",
	};

	return state < ARRAY_SIZE(names) ? names[state] : names[0];
}

uint64_t socket_inode(const char *link)
{
	uint64_t inode = 0;
	char bracket = 0;

	return sscanf(link, "socket:[%" SCNu64 "%c", &inode, &bracket) == 2 && bracket == ']'
		       ? inode
		       : 0;
}

/* --- memory maps --- */

bool maps_line_tidy(const char *line, char *buf, size_t size)
{
	uint64_t from, to, offset, inode;
	unsigned int major, minor;
	char perms[5] = "";
	int used = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4[rwxsp-] %" SCNx64 " %x:%x %" SCNu64 "%n",
		   &from, &to, perms, &offset, &major, &minor, &inode, &used) != 7 ||
	    !used || from > to)
		return false;
	line += used;
	line += strspn(line, " ");
	snprintf(buf, size, "%" PRIx64 "-%" PRIx64 " %s %" PRIx64 " %x:%x %" PRIu64 "%s%.*s", from,
		 to, perms, offset, major, minor, inode, *line && *line != '\n' ? " " : "",
		 (int)strcspn(line, "\n"), line);
	return true;
}
