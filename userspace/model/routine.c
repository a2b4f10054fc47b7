// SPDX-License-Identifier: BSD-2-Clause
/* routine.c - see routine.h. */
#include "model/routine.h"

#include "base/macros.h"
#include "model/instance.h"
#include "model/syscall.h"
#include "model/vector.h"

#include "syscall_nr.h"

#include <linux/bpf.h>
#include <string.h>

/* Programs that read the environment, layout or descriptors of every process, or of every one that logs or listens. */
static const char *const listers[] = {
	"bin/ps",
	"bin/top",
	"bin/htop",
	"bin/atop",
	"bin/pgrep",
	"bin/pidof",
	"sbin/killall5",
	"bin/pidstat",
	"bin/pstree",
	"bin/lsof",
	"bin/fuser",
	"bin/ss",
	"bin/netstat",
	"bin/w",
	"bin/w.procps",
	"bin/prometheus-node-exporter",
	"lib/systemd/systemd",
	"lib/systemd/systemd-journald",
	"lib/systemd/systemd-logind",
};

/* Programs that read what a disk holds of itself: partitions, labels, the structure of file systems. Not their files. */
static const char *const disk_tools[] = {
	"bin/udevadm",
	"bin/lsblk",
	"sbin/blkid",
	"sbin/blockdev",
	"sbin/fdisk",
	"sbin/sfdisk",
	"sbin/parted",
	"sbin/partprobe",
	"sbin/swapon",
	"sbin/lvm",
	"sbin/mdadm",
	"sbin/multipathd",
	"sbin/grub-probe",
	"sbin/grub-install",
	"sbin/e2fsck",
	"sbin/tune2fs",
	"sbin/resize2fs",
	"sbin/dumpe2fs",
	"sbin/xfs_repair",
	"sbin/hdparm",
	"sbin/smartctl",
	"sbin/smartd",
	"bin/mount",
	"lib/systemd/systemd-udevd",
	"lib/systemd/systemd-growfs",
	"libexec/udisks2/udisksd",
};

/* Where these programs are with a merged and an unmerged /usr. */
static const char *const prefixes[] = {"/usr/", "/"};

/* Programs that list BPF objects. */
static const char *const bpf_listers[] = {"sbin/bpftool", "bin/bpftool"};

static bool actor_runs(const struct event *ev, const char *const *names, size_t count)
{
	char path[PATH_LEN];

	if (!(ev->flags & EVENT_ACTOR) ||
	    !instance_exe_path(&ev->actor, &ev->actor.exe, path, sizeof(path)))
		return false;
	for (size_t p = 0; p < ARRAY_SIZE(prefixes); p++) {
		size_t n = strlen(prefixes[p]);

		for (size_t i = 0; !strncmp(path, prefixes[p], n) && i < count; i++) {
			if (!strcmp(path + n, names[i]))
				return true;
		}
	}
	return false;
}

/* Files below /proc/PID that listers open; clear_refs, pagemap and the like are not among them. */
static bool is_listed_file(unsigned int kind)
{
	static const unsigned char files[] = {
		PROC_FILE_MAPS, PROC_FILE_SMAPS, PROC_FILE_SMAPS_ROLLUP, PROC_FILE_ENVIRON,
		PROC_FILE_IO,	PROC_FILE_FD,	 PROC_FILE_FDINFO,	 PROC_FILE_WALK,
	};

	return kind <= UINT8_MAX && memchr(files, (int)kind, sizeof(files));
}

static bool inspects(const struct event *ev)
{
	if (ev->key.rule != RULE_MEM_INSPECT && ev->key.rule != RULE_SELF_TAMPER)
		return false;
	return ev->key.vector == VECTOR_ACCESS ||
	       (vector_is_open(ev->key.vector) && is_listed_file(ev->key.detail));
}

bool routine_lists(const struct event *ev)
{
	return inspects(ev) && actor_runs(ev, listers, ARRAY_SIZE(listers));
}

/*
 * Does bpftool list which BPF objects there are? `prog show` looks up each program's constants for its metadata. To dump a
 * map begins with asking for its keys, and is no listing.
 */
static bool lists_bpf(const struct event *ev)
{
	static const unsigned char shows[] = {BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,
					      BPF_LINK_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD,
					      BPF_MAP_LOOKUP_ELEM};
	unsigned int op = syscall_op(ev);

	return ev->key.rule == RULE_SELF_TAMPER && ev->key.vector == VECTOR_SYSCALL &&
	       syscall_nr(ev) == NR_bpf && op <= UINT8_MAX &&
	       memchr(shows, (int)op, sizeof(shows)) &&
	       actor_runs(ev, bpf_listers, ARRAY_SIZE(bpf_listers));
}

static bool reads_disk(const struct event *ev)
{
	return ev->key.rule == RULE_REST_FILE && vector_is_open(ev->key.vector) &&
	       ev->key.detail == HOST_DISK && actor_runs(ev, disk_tools, ARRAY_SIZE(disk_tools));
}

/* Files that hold only totals of the process. */
static bool reads_totals(const struct event *ev)
{
	return inspects(ev) && vector_is_open(ev->key.vector) &&
	       (ev->key.detail == PROC_FILE_SMAPS_ROLLUP || ev->key.detail == PROC_FILE_IO);
}

enum routine routine_of(const struct event *ev)
{
	if (reads_totals(ev))
		return ROUTINE_TOTALS;
	return routine_lists(ev) || lists_bpf(ev) || reads_disk(ev) ? ROUTINE_LISTING : ROUTINE_NOT;
}
