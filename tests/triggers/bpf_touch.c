/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_touch: gets a descriptor of a BPF object by its id and performs one action on it.
 *
 * update writes an all-zero value at the all-zero key; delete does so and then removes the key. Actions
 * may destroy what the object is for.
 *
 * Ground truth: "result" and "errno" of the action.
 */
#include <linux/bpf.h>

#include "trigger.h"

static long bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	static char key[4096], value[65536];
	union bpf_attr attr = {};
	const char *action;
	long fd, result;

	if (argc < 4)
		trigger_usage("map|prog|link ID get|info|lookup|update|delete|detach|pin [PATH]");
	action = argv[3];
	attr.map_id = atoi(argv[2]);
	fd = bpf(!strcmp(argv[1], "map")    ? BPF_MAP_GET_FD_BY_ID
		 : !strcmp(argv[1], "prog") ? BPF_PROG_GET_FD_BY_ID
					    : BPF_LINK_GET_FD_BY_ID,
		 &attr);
	if (fd < 0)
		trigger_die("%s %s", argv[1], argv[2]);
	attr = (union bpf_attr){};
	attr.map_fd = fd;
	attr.key = (unsigned long)key;
	attr.value = (unsigned long)value;
	errno = 0;
	if (!strcmp(action, "get")) {
		result = fd;
	} else if (!strcmp(action, "lookup")) {
		result = bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	} else if (!strcmp(action, "update")) {
		result = bpf(BPF_MAP_UPDATE_ELEM, &attr);
	} else if (!strcmp(action, "delete")) {
		bpf(BPF_MAP_UPDATE_ELEM, &attr);
		attr.value = 0;
		errno = 0;
		result = bpf(BPF_MAP_DELETE_ELEM, &attr);
	} else if (!strcmp(action, "detach")) {
		attr = (union bpf_attr){.link_detach.link_fd = fd};
		result = bpf(BPF_LINK_DETACH, &attr);
	} else if (!strcmp(action, "pin") && argc > 4) {
		attr = (union bpf_attr){.pathname = (unsigned long)argv[4], .bpf_fd = fd};
		result = bpf(BPF_OBJ_PIN, &attr);
	} else {
		attr = (union bpf_attr){
			.info = {.bpf_fd = fd, .info_len = 64, .info = (unsigned long)value}};
		result = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	}
	trigger_report_result(result, errno);
	return 0;
}
