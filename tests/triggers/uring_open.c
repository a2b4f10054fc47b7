/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uring_open: opens /proc/PID/FILE through io_uring: no open system call is made at all.
 *
 *     uring_open PID FILE [async]
 *
 * async lets a kernel worker do it rather than the submitting thread.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>

#include "trigger.h"

static void *ring_map(int ring, size_t len, off_t at)
{
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, ring, at);

	if (map == MAP_FAILED)
		trigger_die("mmap");
	return map;
}

int main(int argc, char **argv)
{
	struct io_uring_params p = {};
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char path[64], *sq, *cq;
	int ring;

	if (argc < 3)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/%s", argv[1], argv[2]);
	ring = syscall(SYS_io_uring_setup, 1, &p);
	if (ring < 0) {
		trigger_report("\"tid\":%d,\"missing\":true,\"result\":-1,\"errno\":%d", getpid(),
			       errno);
		return 0;
	}
	sq = ring_map(ring, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	cq = ring_map(ring, p.cq_off.cqes + p.cq_entries * sizeof(*cqe), IORING_OFF_CQ_RING);
	sqe = ring_map(ring, p.sq_entries * sizeof(*sqe), IORING_OFF_SQES);
	sqe->opcode = IORING_OP_OPENAT;
	sqe->fd = AT_FDCWD;
	sqe->addr = (unsigned long)path;
	sqe->open_flags = O_RDONLY;
	sqe->flags = argc > 3 ? IOSQE_ASYNC : 0;
	*(unsigned *)(sq + p.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		trigger_die("io_uring_enter");
	cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	trigger_report("\"tid\":%d,\"missing\":false,\"result\":%d,\"errno\":%d", getpid(),
		       cqe->res, cqe->res < 0 ? -cqe->res : 0);
	return 0;
}
