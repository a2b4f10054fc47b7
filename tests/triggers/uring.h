/* SPDX-License-Identifier: BSD-2-Clause */
/* uring.h - opens a file through io_uring: no open system call is made. */
#ifndef TRIGGER_URING_H
#define TRIGGER_URING_H

#include <linux/io_uring.h>
#include <sys/mman.h>

#include "trigger.h"

static inline void *uring_map(int ring, size_t len, off_t at)
{
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, ring, at);

	if (map == MAP_FAILED)
		trigger_die("mmap");
	return map;
}

/*
 * by: NULL, the submitting thread; "async", a kernel worker; "sqpoll", a kernel thread that takes the
 * request from the ring, so that no system call submits it. Returns the descriptor or a negative errno,
 * -ENOSYS where io_uring is not available.
 */
static inline int uring_open(const char *path, int flags, const char *by)
{
	int polled = by && !strcmp(by, "sqpoll");
	struct io_uring_params p = {.flags = polled ? IORING_SETUP_SQPOLL : 0,
				    .sq_thread_idle = 1000};
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *sq, *cq;
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);

	if (ring < 0)
		return -ENOSYS;
	sq = uring_map(ring, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	cq = uring_map(ring, p.cq_off.cqes + p.cq_entries * sizeof(*cqe), IORING_OFF_CQ_RING);
	sqe = uring_map(ring, p.sq_entries * sizeof(*sqe), IORING_OFF_SQES);
	sqe->opcode = IORING_OP_OPENAT;
	sqe->fd = AT_FDCWD;
	sqe->addr = (unsigned long)path;
	sqe->open_flags = (unsigned)flags;
	sqe->flags = by && !polled ? IOSQE_ASYNC : 0;
	*(unsigned *)(sq + p.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, !polled, 1,
		    IORING_ENTER_GETEVENTS | (polled ? IORING_ENTER_SQ_WAKEUP : 0), NULL, 0) < 0)
		trigger_die("io_uring_enter");
	cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return cqe->res;
}

#endif
