// SPDX-License-Identifier: BSD-2-Clause
/* check_memory.c - judges who can reach the server's memory. */
#include "validate/check.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#define SECCOMP_FILTERED 2

static bool has_process(const struct facts *f, struct outcome *ret)
{
	if (f->process.why[0])
		check_skip(ret, "%s", f->process.why);
	return !f->process.why[0];
}

static bool has_access(const struct facts *f, struct outcome *ret)
{
	if (f->access.why[0])
		check_skip(ret, "%s", f->access.why);
	return !f->access.why[0];
}

/* A number of the kernel that must be at least so large; below 0 it was not to be seen. */
static void judge_number(int value, int least, const char *file, struct outcome *ret)
{
	if (value < 0)
		check_skip(ret, "%s cannot be read", file);
	else if (value < least)
		check_fail(ret, "%d", value);
	else
		check_pass(ret, "%d", value);
}

void judge_mem_ptrace(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (f->host.ptrace_scope == -1)
		check_fail(ret, "this kernel has no Yama, or it is not enabled");
	else
		judge_number(f->host.ptrace_scope, 1, "/proc/sys/kernel/yama/ptrace_scope", ret);
}

void judge_mem_core(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const char *pattern = f->host.core_pattern;
	bool piped = pattern[0] == '|', obeys = strstr(pattern, "systemd-coredump");

	if (!has_process(f, ret))
		return;
	if (f->process.dumpable == NO)
		check_pass(ret, "it is not dumpable");
	else if (!f->host.core_pattern_seen)
		check_skip(ret, "/proc/sys/kernel/core_pattern cannot be read");
	else if (!pattern[0])
		check_pass(ret, "kernel.core_pattern is empty");
	else if (f->process.core_limit)
		check_fail(ret, "RLIMIT_CORE is not 0");
	else if (piped && !obeys) /* the kernel ignores the limit for pipes, core(5) */
		check_fail(
			ret,
			"RLIMIT_CORE is 0, but kernel.core_pattern starts a program all the same: %s",
			pattern);
	else
		check_pass(ret, "RLIMIT_CORE is 0");
}

void judge_mem_swap(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	unsigned long long kb = f->process.swapped_kb;

	if (f->host.swap == UNKNOWN)
		check_skip(ret, "/proc/swaps cannot be read");
	else if (f->host.swap == NO)
		check_pass(ret, "no swap");
	else if (f->host.swap_sealed)
		check_pass(ret, "all swap is encrypted or in RAM");
	else if (f->process.why[0] || !kb)
		check_fail(ret, "there is swap that is not encrypted");
	else
		check_fail(ret, "%llu KiB of it are in swap that is not encrypted", kb);
}

void judge_mem_ksm(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (f->host.ksm == NO)
		check_pass(ret, "KSM is off, or this kernel has none");
	else if (f->host.ksm == UNKNOWN)
		check_skip(ret, "/sys/kernel/mm/ksm/run cannot be read");
	else if (f->process.mergeable == NO)
		check_pass(ret, "KSM is on, but not for it");
	else if (f->process.mergeable == YES)
		check_fail(ret, "KSM is on, and for it");
	else
		check_skip(ret, "KSM is on, and /proc/PID/ksm_stat cannot be read or does not say");
}

void judge_mem_user(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const uint32_t *uid = f->process.uid;

	if (!has_process(f, ret))
		return;
	for (size_t i = 0; i < 4; i++) {
		if (!uid[i]) {
			check_fail(ret, "it runs as root, uid %u %u %u %u", uid[0], uid[1], uid[2],
				   uid[3]);
			return;
		}
	}
	check_pass(ret, "uid %u", uid[1]);
}

/* A list of processes there should be none of. */
static void judge_people(const struct facts_people *p, const char *none, struct outcome *ret)
{
	if (p->count)
		check_fail(ret, "%u: %s", p->count, p->text);
	else
		check_pass(ret, "%s", none);
}

void judge_mem_user_shared(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (!has_access(f, ret))
		return;
	if (!f->process.why[0] && !f->process.uid[1])
		check_fail(ret, "it runs as root, as %u other processes do", f->access.root);
	else
		judge_people(&f->access.same_user, "no other process has its uid", ret);
}

void judge_mem_neighbours(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_access *a = &f->access;

	if (!has_access(f, ret))
		return;
	if (a->servers_same_user.count || !a->servers.count)
		judge_people(&a->servers_same_user, "no other server runs on this host", ret);
	else
		check_pass(ret, "other servers, with other uids: %s", a->servers.text);
}

void judge_mem_capable(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	char none[96];

	if (!has_access(f, ret))
		return;
	snprintf(none, sizeof(none), "none but %u processes of root", f->access.root);
	judge_people(&f->access.capable, none, ret);
}

void judge_mem_capabilities(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	unsigned long long caps = f->process.capabilities;

	if (!has_process(f, ret))
		return;
	if (caps)
		check_fail(ret, "CapPrm %016llx%s", caps,
			   caps >> CAP_SYS_PTRACE & 1 ? ", CAP_SYS_PTRACE among them" : "");
	else
		check_pass(ret, "none");
}

void judge_mem_no_new_privs(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (has_process(f, ret))
		judge_number(f->process.no_new_privs, 1, "", ret);
}

void judge_mem_seccomp(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (has_process(f, ret))
		judge_number((int)f->process.seccomp, SECCOMP_FILTERED, "", ret);
}

void judge_mem_hidden(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (f->process.hidden == UNKNOWN)
		check_skip(ret, "the mounts of this host cannot be read");
	else if (f->process.hidden == NO)
		check_fail(ret, "everybody sees all processes");
	else
		check_pass(ret, "hidden");
}

void judge_mem_lockdown(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const char *mode = f->host.lockdown;

	if (!mode[0])
		check_fail(ret, "this kernel has no lockdown, or securityfs is not mounted");
	else if (!strcmp(mode, "none"))
		check_fail(ret, "none");
	else
		check_pass(ret, "%s", mode);
}

void judge_mem_bpf(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_number(f->host.unprivileged_bpf, 1, "/proc/sys/kernel/unprivileged_bpf_disabled",
		     ret);
}

void judge_mem_perf(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_number(f->host.perf_paranoid, 2, "/proc/sys/kernel/perf_event_paranoid", ret);
}

void judge_mem_kptr(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_number(f->host.kptr_restrict, 1, "/proc/sys/kernel/kptr_restrict", ret);
}

void judge_mem_code(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (f->code.why[0])
		check_skip(ret, "%s", f->code.why);
	else if (f->code.exposed[0])
		check_fail(ret, "%s", f->code.exposed);
	else
		check_pass(ret, "%u files, only root can change them", f->code.modules);
}

void judge_mem_loader(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_process *process = &f->process;

	if (process->loader_why[0] || f->code.why[0])
		check_skip(ret, "%s", process->loader_why[0] ? process->loader_why : f->code.why);
	else if (process->loader[0])
		check_fail(ret, "%s%s%s", process->loader, f->code.foreign[0] ? "; loaded: " : "",
			   f->code.foreign);
	else if (f->code.foreign[0])
		check_fail(ret, "loaded: %s", f->code.foreign);
	else
		check_pass(
			ret,
			process->loader_gone
				? "all from the system; the server has overwritten its environment"
				: "none, and all from the system");
}
