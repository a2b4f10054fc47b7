// SPDX-License-Identifier: BSD-2-Clause
/* objects.c - finds programs and maps in the loaded objects by name. */
#include "sensor/sensors_internal.h"

#include <bpf/libbpf.h>
#include <errno.h>

struct bpf_program *sensors_program(const struct sensors *s, const char *name)
{
	for (size_t i = 0; i < s->object_count; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(s->objects[i], name);

		if (p)
			return p;
	}
	return NULL;
}

int sensors_map_fd(const struct sensors *s, const char *name)
{
	for (size_t i = 0; i < s->object_count; i++) {
		int fd = bpf_object__find_map_fd_by_name(s->objects[i], name);

		if (fd >= 0)
			return fd;
	}
	return -ENOENT;
}
