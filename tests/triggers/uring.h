/* SPDX-License-Identifier: BSD-2-Clause */
/* uring.h - opens and reads files through io_uring: no system call names a file. */
#ifndef TRIGGER_URING_H
#define TRIGGER_URING_H

#include <linux/io_uring.h>
#include <sys/mman.h>

#include "trigger.h"

#define URING_ENTRIES 8
#define URING_SLOTS 4 /* direct descriptors */

#ifndef IORING_RSRC_REGISTER_SPARSE
#define IORING_RSRC_REGISTER_SPARSE (1U << 0)
#endif

struct uring {
	int fd, polled;
	struct io_uring_params p;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
	unsigned queued;
};

static inline void *uring_map(int ring, size_t len, off_t at)
{
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, ring, at);

	if (map == MAP_FAILED)
		trigger_die("mmap");
	return map;
}

/* polled: a kernel thread takes requests from the ring. Returns 0, or -ENOSYS where io_uring is not available. */
static inline int uring_init(struct uring *r, int polled)
{
	memset(r, 0, sizeof(*r));
	r->polled = polled;
	r->p.flags = polled ? IORING_SETUP_SQPOLL : 0;
	r->p.sq_thread_idle = 1000;
	r->fd = (int)syscall(SYS_io_uring_setup, URING_ENTRIES, &r->p);
	if (r->fd < 0)
		return -ENOSYS;
	r->sq = uring_map(r->fd, r->p.sq_off.array + r->p.sq_entries * sizeof(unsigned),
			  IORING_OFF_SQ_RING);
	r->cq = uring_map(r->fd, r->p.cq_off.cqes + r->p.cq_entries * sizeof(struct io_uring_cqe),
			  IORING_OFF_CQ_RING);
	r->sqes = uring_map(r->fd, r->p.sq_entries * sizeof(*r->sqes), IORING_OFF_SQES);
	return 0;
}

/* A table of empty direct descriptors. */
static inline void uring_add_slots(struct uring *r)
{
	struct io_uring_rsrc_register reg = {.nr = URING_SLOTS,
					     .flags = IORING_RSRC_REGISTER_SPARSE};

	if (syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)) < 0)
		trigger_die("IORING_REGISTER_FILES2");
}

static inline struct io_uring_sqe *uring_queue(struct uring *r, unsigned op, int fd,
					       const void *addr)
{
	struct io_uring_sqe *sqe = &r->sqes[r->queued];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = (unsigned char)op;
	sqe->fd = fd;
	sqe->addr = (unsigned long)addr;
	((unsigned *)(r->sq + r->p.sq_off.array))[r->queued] = r->queued;
	r->queued++;
	return sqe;
}

/* Submits what is queued, once in a ring's life, and waits for that many completions. */
static inline void uring_submit(struct uring *r, unsigned wait)
{
	unsigned *tail = (unsigned *)(r->sq + r->p.sq_off.tail);

	__atomic_store_n(tail, *tail + r->queued, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, r->polled ? 0 : r->queued, wait,
		    IORING_ENTER_GETEVENTS | (r->polled ? IORING_ENTER_SQ_WAKEUP : 0), NULL, 0) < 0)
		trigger_die("io_uring_enter");
	r->queued = 0;
}

/* Of a completion, the first one being 0. */
static inline int uring_result(const struct uring *r, unsigned n)
{
	return ((struct io_uring_cqe *)(r->cq + r->p.cq_off.cqes))[n].res;
}

/*
 * by: NULL, the submitting thread; "async", a kernel worker; "sqpoll", a kernel thread that takes the
 * request from the ring, so that no system call submits it. Returns the descriptor or a negative errno,
 * -ENOSYS where io_uring is not available.
 */
static inline int uring_open(const char *path, int flags, const char *by)
{
	int polled = by && !strcmp(by, "sqpoll");
	struct io_uring_sqe *sqe;
	struct uring r;

	if (uring_init(&r, polled))
		return -ENOSYS;
	sqe = uring_queue(&r, IORING_OP_OPENAT, AT_FDCWD, path);
	sqe->open_flags = (unsigned)flags;
	sqe->flags = by && !polled ? IOSQE_ASYNC : 0;
	uring_submit(&r, 1);
	return uring_result(&r, 0);
}

#endif
