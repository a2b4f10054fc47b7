// SPDX-License-Identifier: BSD-2-Clause
/* sockmap.c - see sockmap.h. */
#include "sensor/sockmap.h"

#include "base/clock.h"
#include "base/macros.h"
#include "base/proc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMM_ROOM 16
#define IDS_MAX 4			  /* a sockmap has one program of each kind */
#define HOLDER_EVERY_NS (10 * NS_PER_SEC) /* looks for a holder */

static bool program_info(uint32_t id, struct bpf_prog_info *ret)
{
	uint32_t len = sizeof(*ret);
	int fd = bpf_prog_get_fd_by_id(id), err;

	*ret = (struct bpf_prog_info){};
	if (fd < 0)
		return false;
	err = bpf_obj_get_info_by_fd(fd, ret, &len);
	close(fd);
	return !err;
}

/* Is the program attached to that map, if it is a sockmap? */
static bool is_attached(int map_fd, uint32_t program)
{
	static const enum bpf_attach_type kinds[] = {BPF_SK_MSG_VERDICT, BPF_SK_SKB_STREAM_VERDICT,
						     BPF_SK_SKB_VERDICT, BPF_SK_SKB_STREAM_PARSER};
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), ids[IDS_MAX], n;

	if (bpf_obj_get_info_by_fd(map_fd, &info, &len) ||
	    (info.type != BPF_MAP_TYPE_SOCKMAP && info.type != BPF_MAP_TYPE_SOCKHASH))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		n = IDS_MAX;
		if (bpf_prog_query(map_fd, kinds[i], 0, NULL, ids, &n))
			continue;
		for (uint32_t k = 0; k < n && k < IDS_MAX; k++) {
			if (ids[k] == program)
				return true;
		}
	}
	return false;
}

/* The sockmap that a program is attached to, 0: none that can be found. */
static uint32_t map_of(uint32_t program)
{
	uint32_t id = 0;
	bool found;
	int fd;

	while (!bpf_map_get_next_id(id, &id)) {
		fd = bpf_map_get_fd_by_id(id);
		if (fd < 0)
			continue;
		found = is_attached(fd, program);
		close(fd);
		if (found)
			return id;
	}
	return 0;
}

/* An instance's descriptors are not looked at. */
static bool is_member(void *ctx, pid_t pid)
{
	return sensors_has_member(ctx, pid);
}

/*
 * Who holds it, in words that follow a comma; empty where that was not looked for: a mesh puts every connection into
 * sockmaps, and the search is long.
 */
static const char *holder_of(struct sensors *s, uint32_t program)
{
	static char text[COMM_ROOM + 32];
	static uint32_t last;
	static uint64_t next_ns;
	char comm[COMM_ROOM] = "";
	pid_t pid;

	if (clock_boot_ns() < next_ns)
		return program == last ? text : "";
	pid = proc_bpf_holder(program, map_of(program), is_member, s);
	proc_comm(pid, comm, sizeof(comm));
	if (pid)
		snprintf(text, sizeof(text), ", held by %s(%d)", comm, (int)pid);
	else
		snprintf(text, sizeof(text), ", held by no process");
	last = program;
	next_ns = clock_boot_ns() + HOLDER_EVERY_NS;
	return text;
}

bool sockmap_text(struct sensors *s, uint32_t program, char *buf, size_t size)
{
	struct bpf_prog_info info;
	const char *type;

	if (!program || !program_info(program, &info))
		return false;
	type = libbpf_bpf_prog_type_str(info.type);
	snprintf(buf, size,
		 "%s program %u%s%.15s, tag %02x%02x%02x%02x%02x%02x%02x%02x, of uid %u%s",
		 type ?: "BPF", program, info.name[0] ? " " : "", info.name, info.tag[0],
		 info.tag[1], info.tag[2], info.tag[3], info.tag[4], info.tag[5], info.tag[6],
		 info.tag[7], info.created_by_uid, holder_of(s, program));
	return true;
}
