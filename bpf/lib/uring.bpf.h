/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * uring.bpf.h - what a request of io_uring is, and the files in a ring's own table (direct
 * descriptors), which no process's descriptor table has.
 *
 * A request is classified by its file. The opcode only says whether there is a second file, and
 * which way bytes go.
 */
#ifndef CACHEWARDEN_URING_BPF_H
#define CACHEWARDEN_URING_BPF_H

#include "lib/compat.bpf.h"

#define IORING_OP_READV 1 /* include/uapi/linux/io_uring.h */
#define IORING_OP_WRITEV 2
#define IORING_OP_READ_FIXED 4
#define IORING_OP_WRITE_FIXED 5
#define IORING_OP_OPENAT 18
#define IORING_OP_READ 22
#define IORING_OP_WRITE 23
#define IORING_OP_OPENAT2 28
#define IORING_OP_SPLICE 30
#define IORING_OP_TEE 33
#define IORING_OP_READ_MULTISHOT 49
#define IORING_OP_READV_FIXED 60
#define IORING_OP_WRITEV_FIXED 61
#define IORING_FILE_INDEX_ALLOC (~0u)
#define SPLICE_F_FD_IN_FIXED (1u << 31)
#define URING_FIXED_FILE (1u << 0) /* IOSQE_FIXED_FILE, IOSQE_CQE_SKIP_SUCCESS: a request keeps */
#define URING_CQE_SKIP (1u << 6)   /* the flags of its entry */
#define URING_SLOTS_MAX (1u << 20) /* IORING_MAX_FIXED_FILES, io_uring/rsrc.c */
#define PF_IO_WORKER 0x00000010	   /* include/linux/sched.h */

static const union short_name uring_name = {"[io_uring]"};

/* The ring behind a file, NULL if it is another kind of file. */
static __always_inline struct io_ring_ctx *uring_of(struct file *f)
{
	return is_anon(f, &uring_name) ? BPF_CORE_READ(f, private_data) : NULL;
}

static __always_inline int uring_opens(u8 op)
{
	return op == IORING_OP_OPENAT || op == IORING_OP_OPENAT2;
}

/* Is the result of such a request a number of bytes? */
static __always_inline int uring_transfers(u8 op)
{
	switch (op) {
	case IORING_OP_READV:
	case IORING_OP_READ_FIXED:
	case IORING_OP_READ:
	case IORING_OP_READ_MULTISHOT:
	case IORING_OP_READV_FIXED:
	case IORING_OP_WRITEV:
	case IORING_OP_WRITE_FIXED:
	case IORING_OP_WRITE:
	case IORING_OP_WRITEV_FIXED:
	case IORING_OP_SPLICE:
	case IORING_OP_TEE:
		return 1;
	default:
		return 0;
	}
}

static __always_inline int uring_writes(u8 op)
{
	return op == IORING_OP_WRITEV || op == IORING_OP_WRITE_FIXED || op == IORING_OP_WRITE ||
	       op == IORING_OP_WRITEV_FIXED || op == IORING_OP_SPLICE || op == IORING_OP_TEE;
}

/* The file that an open through a ring led to. */
static __always_inline struct file *uring_opened(struct task_struct *task, struct io_kiocb *req,
						 s32 res)
{
	struct io_open *open = (void *)req; /* the command's data begin the request */
	u32 slot = BPF_CORE_READ(open, file_slot);

	if (!slot)
		return file_of_fd(task, res);
	return file_of_slot(BPF_CORE_READ(req, ctx),
			    slot == IORING_FILE_INDEX_ALLOC ? (u32)res : slot - 1);
}

/* The file that a request is to use, before the kernel looked it up. */
static __always_inline struct file *uring_wants(struct task_struct *task, struct io_kiocb *req)
{
	s32 fd = BPF_CORE_READ(req, cqe.fd);

	return BPF_CORE_READ(req, flags) & URING_FIXED_FILE
		       ? file_of_slot(BPF_CORE_READ(req, ctx), fd)
		       : file_of_fd(task, fd);
}

/* A splice has a second file, which it reads. NULL for other requests. */
static __always_inline struct file *uring_source(struct task_struct *task, struct io_kiocb *req,
						 u8 op)
{
	struct io_splice *splice = (void *)req;
	u32 fd;

	if (op != IORING_OP_SPLICE && op != IORING_OP_TEE)
		return NULL;
	fd = BPF_CORE_READ(splice, splice_fd_in);
	return BPF_CORE_READ(splice, flags) & SPLICE_F_FD_IN_FIXED
		       ? file_of_slot(BPF_CORE_READ(req, ctx), fd)
		       : file_of_fd(task, fd);
}

/* The request that a worker of a ring is at, NULL for other tasks. */
static __always_inline struct io_kiocb *uring_worker_request(struct task_struct *task)
{
	struct io_worker *worker;
	struct io_wq_work *work;

	if (!(task->flags & PF_IO_WORKER))
		return NULL;
	worker = BPF_CORE_READ(task, worker_private);
	work = worker ? BPF_CORE_READ(worker, cur_work) : NULL;
	return work ? (void *)work - bpf_core_field_offset(struct io_kiocb, work) : NULL;
}

#endif
