// SPDX-License-Identifier: BSD-2-Clause
/*
 * iterators.c - runs BPF iterators: over tasks, files, sockets, mappings and programs as they are now. What they find
 * arrives as events, except for the snapshots of connections, which are read here.
 */
#include "sensor/sensors.h"

#include "base/macros.h"
#include "sensor/compat.h"
#include "sensor/sensors_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int iterator_run(const struct sensors *s, const struct bpf_program *prog, pid_t pid)
{
	union bpf_iter_link_info info = {.task.pid = (uint32_t)pid};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	bool one_process = pid && compat_has(s->btf, COMPAT_ITER_BY_PID);
	struct bpf_link *link = bpf_program__attach_iter(prog, one_process ? &opts : NULL);
	int fd, err = 0;
	char buf[256];
	ssize_t n;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		err = -errno;
	} else {
		do
			n = read(fd, buf, sizeof(buf)); /* runs the program; its output is empty */
		while (n > 0 || (n < 0 && errno == EAGAIN));
		err = n < 0 ? -errno : 0;
		close(fd);
	}
	bpf_link__destroy(link);
	return err;
}

int sensors_sweep_monitors(struct sensors *s)
{
	*s->find_pass = FIND_MONITORS;
	return iterator_run(s, sensors_program(s, "find_instances"), 0);
}

int sensors_sweep(struct sensors *s)
{
	int err = 0;

	for (uint32_t pass = FIND_SERVERS; pass <= FIND_CHILDREN && !err; pass++) {
		*s->find_pass = pass;
		err = iterator_run(s, sensors_program(s, "find_instances"), 0);
	}
	/* twice: a listener may accept a connection before it is marked, but after the iterator passed that descriptor */
	for (int pass = 1; pass <= 2 && !err; pass++)
		err = sensors_mark_sockets(s, 0);
	return err;
}

int sensors_tell_rest(struct sensors *s)
{
	return iterator_run(s, sensors_program(s, "find_unreported"), 0);
}

int sensors_mark_sockets(struct sensors *s, pid_t pid)
{
	return s->wire ? iterator_run(s, sensors_program(s, "mark_sockets"), pid) : 0;
}

int sensors_sweep_host(struct sensors *s)
{
	static const char *const names[] = {"sweep_progs", "sweep_tasks", "sweep_files",
					    "sweep_rings", "sweep_own_rings"};
	int err = 0;

	if (s->sweep) {
		*s->lasting_pending = 0;
		*s->first_sweep = !s->swept;
	}
	s->swept = true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct bpf_program *prog = sensors_program(s, names[i]);
		int one = prog ? iterator_run(s, prog, 0) : 0;

		err = err ?: one;
	}
	return err;
}

bool sensors_sweep_pending(const struct sensors *s)
{
	return s->sweep && *s->lasting_pending;
}

int sensors_sweep_maps(struct sensors *s, pid_t pid, bool baseline)
{
	if (!s->sweep)
		return 0;
	*s->baseline = baseline;
	return iterator_run(s, sensors_program(s, "sweep_maps"), pid);
}

/* Call fn for each whole record in buf, and move the rest to the front. Returns its size. */
static size_t take_snapshots(struct conn_snapshot *buf, size_t size, sensors_snapshot_fn fn,
			     void *ctx)
{
	size_t n = size / sizeof(*buf), rest = size % sizeof(*buf);

	for (size_t i = 0; i < n; i++) {
		if (buf[i].magic == SNAPSHOT_MAGIC)
			fn(ctx, &buf[i]);
	}
	memmove(buf, &buf[n], rest);
	return rest;
}

static struct bpf_link *snapshot_attach(const struct sensors *s)
{
	union bpf_iter_link_info info = {};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));

	if (!s->map_iterators)
		return bpf_program__attach_iter(sensors_program(s, "snapshot_netns"), NULL);
	info.map.map_fd = (uint32_t)sensors_map_fd(s, "sock_marks");
	return bpf_program__attach_iter(sensors_program(s, "snapshot_conns"), &opts);
}

/* Run the iterator once. Returns 0 or a negative errno. */
static int snapshots_read(struct sensors *s, sensors_snapshot_fn fn, void *ctx)
{
	struct conn_snapshot buf[16];
	size_t have = 0;
	ssize_t n;
	int fd, err;

	if (!s->snapshot_link)
		s->snapshot_link = snapshot_attach(s);
	if (!s->snapshot_link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(s->snapshot_link));
	if (fd < 0)
		return -errno;
	do {
		n = read(fd, (char *)buf + have, sizeof(buf) - have);
		if (n > 0)
			have = take_snapshots(buf, have + (size_t)n, fn, ctx);
	} while (n > 0 || (n < 0 && errno == EAGAIN));
	err = n < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* Is the inode in the list? Adds it if not. */
static bool inode_seen(ino_t *list, size_t *count, ino_t ino)
{
	for (size_t i = 0; i < *count; i++) {
		if (list[i] == ino)
			return true;
	}
	list[(*count)++] = ino;
	return false;
}

/* The same in the network namespace of a process. An iterator over sockets sees the one it is opened in. */
static int snapshots_read_in(struct sensors *s, int netns, sensors_snapshot_fn fn, void *ctx)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), err;

	if (own < 0)
		return -errno;
	if (setns(netns, CLONE_NEWNET)) {
		err = -errno;
	} else {
		err = snapshots_read(s, fn, ctx);
		if (setns(own, CLONE_NEWNET))
			err = -errno;
	}
	close(own);
	return err;
}

int sensors_snapshots(struct sensors *s, const pid_t *pids, size_t count, sensors_snapshot_fn fn,
		      void *ctx)
{
	ino_t *seen;
	size_t netnses = 0;
	int err = 0;

	if (!s->wire)
		return -ENOENT;
	if (s->map_iterators)
		return snapshots_read(s, fn, ctx);
	seen = calloc(count + 1, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < count && !err; i++) {
		char path[40];
		struct stat st;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pids[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) /* it has just ended */
			continue;
		if (!fstat(fd, &st) && !inode_seen(seen, &netnses, st.st_ino))
			err = snapshots_read_in(s, fd, fn, ctx);
		close(fd);
	}
	free(seen);
	return err;
}
