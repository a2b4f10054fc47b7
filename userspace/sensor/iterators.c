// SPDX-License-Identifier: BSD-2-Clause
/* iterators.c - walks what exists: tasks, files, sockets, programs. */
#include "sensor/sensors.h"

#include "sensor/sensors_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Run an iterator to its end; what it prints is nothing. */
int iterator_run(const struct bpf_program *prog, pid_t pid)
{
	union bpf_iter_link_info info = {.task.pid = (uint32_t)pid};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(prog, pid ? &opts : NULL);
	char buf[256];
	ssize_t n;
	int fd;

	if (!link && pid) /* before 6.1 an iterator takes no pid: look at all */
		link = bpf_program__attach_iter(prog, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		bpf_link__destroy(link);
		return -errno;
	}
	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0 || (n < 0 && errno == EAGAIN));
	close(fd);
	bpf_link__destroy(link);
	return n < 0 ? -errno : 0;
}

int sensors_sweep(struct sensors *s)
{
	int err = 0;

	for (uint32_t pass = 1; pass <= 2 && !err; pass++) {
		*s->find_pass = pass;
		err = iterator_run(sensors_program(s, "find_instances"), 0);
	}
	/* twice: between the first look at a listener and its mark it may have accepted one more */
	if (!err)
		err = sensors_mark_sockets(s, 0);
	if (!err)
		err = sensors_mark_sockets(s, 0);
	return err;
}

int sensors_mark_sockets(struct sensors *s, pid_t pid)
{
	return s->wire ? iterator_run(sensors_program(s, "mark_sockets"), pid) : 0;
}

int sensors_sweep_host(struct sensors *s)
{
	int err = 0, one;

	if (s->calls)
		err = iterator_run(sensors_program(s, "sweep_progs"), 0);
	if (!s->sweep)
		return err;
	one = iterator_run(sensors_program(s, "sweep_tasks"), 0);
	err = err ?: one;
	one = iterator_run(sensors_program(s, "sweep_files"), 0);
	return err ?: one;
}

int sensors_sweep_maps(struct sensors *s, pid_t pid, bool baseline)
{
	if (!s->sweep)
		return 0;
	*s->baseline = baseline;
	return iterator_run(sensors_program(s, "sweep_maps"), pid);
}

int sensors_snapshots(struct sensors *s, void (*fn)(void *ctx, const struct conn_snapshot *live),
		      void *ctx)
{
	union bpf_iter_link_info info = {};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct conn_snapshot live[16];
	size_t have = 0;
	ssize_t n;
	int fd;

	if (!s->wire)
		return -ENOENT;
	if (!s->live) {
		info.map.map_fd = (uint32_t)sensors_map_fd(s, "sock_marks");
		s->live = bpf_program__attach_iter(sensors_program(s, "snapshot_conns"), &opts);
	}
	if (!s->live)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(s->live));
	if (fd < 0)
		return -errno;
	while ((n = read(fd, (char *)live + have, sizeof(live) - have)) > 0 ||
	       (n < 0 && errno == EAGAIN)) {
		have += n > 0 ? (size_t)n : 0;
		for (size_t i = 0; i < have / sizeof(live[0]); i++) {
			if (live[i].magic == SNAPSHOT_MAGIC)
				fn(ctx, &live[i]);
		}
		memmove(live, (char *)live + have / sizeof(live[0]) * sizeof(live[0]),
			have % sizeof(live[0]));
		have %= sizeof(live[0]);
	}
	close(fd);
	return n < 0 ? -errno : 0;
}
