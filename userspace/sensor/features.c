// SPDX-License-Identifier: BSD-2-Clause
/* features.c - see features.h. */
#include "sensor/features.h"

#include "sensor/probe.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#define BTF_PATH "/sys/kernel/btf/vmlinux"
#define TRACEFS "/sys/kernel/tracing"

static bool lsm_active(void)
{
	FILE *f = fopen("/sys/kernel/security/lsm", "re");
	char list[512] = "";
	bool found = false;

	if (!f)
		return false;
	if (fgets(list, sizeof(list), f)) {
		for (char *save, *name = strtok_r(list, ",\n", &save); name;
		     name = strtok_r(NULL, ",\n", &save))
			found = found || !strcmp(name, "bpf");
	}
	fclose(f);
	return found;
}

static void probe_access_hook(struct kernel_facts *k)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return;
	k->fmod_ret = probe_program(btf, PROBE_FMOD_RET);
	k->lsm = probe_program(btf, PROBE_LSM);
	k->fexit = probe_program(btf, PROBE_FEXIT);
	btf__free(btf);
}

void kernel_probe(struct kernel_facts *k, bool try_access_hook)
{
	struct utsname u;

	*k = (struct kernel_facts){.fmod_ret = -ENODATA, .lsm = -ENODATA, .fexit = -ENODATA};
	uname(&u);
	snprintf(k->release, sizeof(k->release), "%s", u.release);
	snprintf(k->machine, sizeof(k->machine), "%s", u.machine);
	k->root = geteuid() == 0;
	k->btf = access(BTF_PATH, R_OK) == 0;
	k->bpf_lsm = lsm_active();
	if (try_access_hook && k->root && k->btf)
		probe_access_hook(k);
}

int kernel_ready(char *error, size_t size)
{
	if (geteuid()) {
		snprintf(error, size,
			 "loading BPF programs requires root, but the user id is %u; run with sudo",
			 (unsigned int)geteuid());
		return -EPERM;
	}
	if (access(BTF_PATH, R_OK)) {
		snprintf(
			error, size,
			"this kernel has no BTF type information at %s, which adapts BPF programs to it; use "
			"a kernel built with CONFIG_DEBUG_INFO_BTF=y, such as Debian's",
			BTF_PATH);
		return -ENOTSUP;
	}
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_loop, NULL) == 0) {
		snprintf(
			error, size,
			"this kernel lacks the BPF helper bpf_loop(), added in Linux 5.17; the oldest kernel "
			"that cachewarden is tested on is 6.1");
		return -ENOTSUP;
	}
	return 0;
}

int kernel_tracefs(void)
{
	if (!access(TRACEFS "/events/syscalls", F_OK) ||
	    !access("/sys/kernel/debug/tracing/events/syscalls", F_OK))
		return 0;
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tracefs", TRACEFS, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return -errno;
	return 0;
}
