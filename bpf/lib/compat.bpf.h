/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compat.bpf.h - every place where kernels and architectures differ, as far as BPF code sees it:
 * each with the change it bridges, and when it can go. What the loader decides (which tier, which
 * program of a pair) is in userspace/sensor/.
 *
 * CO-RE flavours, named struct x___version, are here and nowhere else.
 */
#ifndef CACHEWARDEN_COMPAT_BPF_H
#define CACHEWARDEN_COMPAT_BPF_H

#include "lib/fd.bpf.h"
#include "syscall_nr.h"

/* --- architecture --- */

/*
 * Syscall arguments as the kernel saved them at entry. They are still there at exit: by then only
 * the return register has been written. Another architecture adds its registers here and its
 * numbers in syscall_nr.h.
 *
 * SYSCALL_FN, SYSCALL32_FN and COMPAT_FN begin the name of the function behind a syscall: of the
 * native table, of the 32-bit table, and of a syscall of the 32-bit table that converts its
 * arguments.
 */
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_ARG1(r) ((r)->di)
#define SYSCALL_ARG2(r) ((r)->si)
#define SYSCALL_ARG3(r) ((r)->dx)
#define SYSCALL_ARG4(r) ((r)->r10)
#define SYSCALL_ARG5(r) ((r)->r8)
#define SYSCALL32_ARG1(r) ((r)->bx)
#define SYSCALL32_ARG2(r) ((r)->cx)
#define SYSCALL32_ARG3(r) ((r)->dx)
#define SYSCALL32_ARG4(r) ((r)->si)
#define SYSCALL32_ARG5(r) ((r)->di)
#define SYSCALL_NUMBER(r) ((r)->orig_ax)
#define SYSCALL_RETURN(r) ((long)(r)->ax) /* once the syscall has ended */
#define SYSCALL_FN "__x64_sys_"
#define SYSCALL32_FN "__ia32_sys_"
#define COMPAT_FN "__ia32_compat_sys_"
#define TS_COMPAT 0x0002 /* arch/x86/include/asm/thread_info.h */
#define COMPAT_CALL(task) ((task)->thread_info.status & TS_COMPAT)
#else
#error "cachewarden knows the syscall registers of x86-64 only"
#endif

static __always_inline struct pt_regs *task_regs(struct task_struct *task)
{
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

static __always_inline struct pt_regs *current_regs(void)
{
	return task_regs(bpf_get_current_task_btf());
}

/* The syscall a task is in, SYSCALL_32BIT set for a 32-bit caller: NR_x or NR32_x. */
static __always_inline u32 syscall_number(struct task_struct *task)
{
	u32 nr = SYSCALL_NUMBER(task_regs(task));

	return COMPAT_CALL(task) ? nr | SYSCALL_32BIT : nr;
}

/* Run a callback in a task's context when it returns to user mode, since 6.18. */
typedef int (*task_work_fn)(struct bpf_map *map, void *key, void *value);
extern int bpf_task_work_schedule_resume_impl(struct task_struct *task, struct bpf_task_work *work,
					      void *map, task_work_fn fn, void *aux) __ksym __weak;

/* --- verifier --- */

/*
 * Load n bytes of a packet, 1 to max. Before 6.8 the verifier does not conclude from n != 0 that n
 * is at least 1, so it is given n - 1 to compare. Can be a plain check when 6.8 is the floor.
 */
static __always_inline long load_bytes(void *skb, u32 off, void *to, u32 n, u32 max)
{
	u32 less = n - 1;

	barrier_var(less);
	return less >= max ? -EINVAL : bpf_skb_load_bytes(skb, off, to, less + 1);
}

/* --- hooks whose name or arguments changed --- */

/* Renamed to do_file_open in 7.0; the loader sets the new target there. */
#define OPEN_FN "do_filp_open"

/*
 * io_uring_complete passes the whole completion entry since 6.14, user data and result apart
 * before. The loader turns on the program that fits. The second can go when 6.14 is the floor.
 */
#define IO_URING_COMPLETE_HOOKS(body)                                                              \
	SEC("?tp_btf/io_uring_complete")                                                           \
	int BPF_PROG(uring_complete, void *ring, void *req, struct io_uring_cqe *cqe)              \
	{                                                                                          \
		return body(req, BPF_CORE_READ(cqe, res));                                         \
	}                                                                                          \
	SEC("?tp_btf/io_uring_complete")                                                           \
	int BPF_PROG(uring_complete7, void *ring, void *req, u64 user_data, int res)               \
	{                                                                                          \
		return body(req, res);                                                             \
	}

/*
 * A request is submitted. Named io_uring_submit_sqe before 6.3; that program can go when 6.3 is the
 * floor.
 */
#define IO_URING_SUBMIT_HOOKS(body)                                                                \
	SEC("?tp_btf/io_uring_submit_req")                                                         \
	int BPF_PROG(uring_submit, struct io_kiocb *req)                                           \
	{                                                                                          \
		return body(req);                                                                  \
	}                                                                                          \
	SEC("?tp_btf/io_uring_submit_sqe")                                                         \
	int BPF_PROG(uring_submit6, struct io_kiocb *req)                                          \
	{                                                                                          \
		return body(req);                                                                  \
	}

/* --- kernel structures --- */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_uprobe___6_11 {
	struct inode *inode;
};

struct io_fixed_file___6_12 {
	unsigned long file_ptr;
};

struct io_file_table___6_12 {
	struct io_fixed_file___6_12 *files;
};

struct io_ring_ctx___6_12 {
	unsigned int nr_user_files;
};

struct mm_struct___6_18 {
	mm_flags_t flags;
};

struct mm_struct___6_1 {
	struct mm_rss_stat rss_stat;
};

struct mm_struct___6_2 {
	struct percpu_counter rss_stat[4];
};

#pragma clang attribute pop

#define PIDFS_MAGIC 0x50494446 /* include/uapi/linux/magic.h */

/*
 * The struct pid behind a pidfd, NULL if the file is another kind of file. cb12fd8e0dab (6.9) moved
 * it from the file to the inode of a file system of its own; the name can go when 6.9 is the floor.
 */
static __always_inline struct pid *pid_of_pidfd(struct file *f)
{
	char name[8] = {};

	if (BPF_CORE_READ(f, f_inode, i_sb, s_magic) == PIDFS_MAGIC)
		return BPF_CORE_READ(f, f_inode, i_private);
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(f, f_path.dentry, d_name.name));
	if (__builtin_memcmp(name, "[pidfd]", sizeof(name)))
		return NULL;
	return BPF_CORE_READ(f, private_data);
}

/*
 * The file a uprobe's trace event is planted in. 3c83a9ad0295 (6.12) keeps the registered uprobe
 * instead of the inode; the flavour can go when 6.12 is the floor.
 */
static __always_inline struct inode *uprobe_inode(struct trace_event_call *call)
{
	struct trace_probe_event *event =
		(void *)call - bpf_core_field_offset(struct trace_probe_event, call);
	struct list_head *first = BPF_CORE_READ(event, probes.next);
	struct trace_probe *tp = (void *)first - bpf_core_field_offset(struct trace_probe, list);
	struct trace_uprobe *tu = (void *)tp - bpf_core_field_offset(struct trace_uprobe, tp);
	struct trace_uprobe___6_11 *old = (void *)tu;

	if (bpf_core_field_exists(old->inode))
		return BPF_CORE_READ(old, inode);
	return BPF_CORE_READ(tu, uprobe, inode);
}

#define BPF_LINK_UPROBE_MULTI 12 /* include/uapi/linux/bpf.h */

/*
 * The link as one that plants uprobes without perf events, NULL if it is another kind of link.
 * 89ae89f53d20 (6.6) added that kind; the check for the type can go when 6.6 is the floor.
 */
static __always_inline struct bpf_uprobe_multi_link *uprobe_multi_of(struct bpf_link *link)
{
	if (!bpf_core_type_exists(struct bpf_uprobe_multi_link) ||
	    BPF_CORE_READ(link, type) != BPF_LINK_UPROBE_MULTI)
		return NULL;
	return (void *)link - bpf_core_field_offset(struct bpf_uprobe_multi_link, link);
}

#define SLOT_FLAGS 7ul /* in the lower bits of a slot's pointer */

/*
 * A ring's table of direct descriptors: how many slots there are, and the file in one. 6.13 put
 * a node in front of each file; the first form can go when 6.13 is the floor.
 */
static __always_inline u32 uring_slots(const struct io_ring_ctx *ring)
{
	const struct io_ring_ctx___6_12 *old = (void *)ring;

	return bpf_core_field_exists(old->nr_user_files) ? BPF_CORE_READ(old, nr_user_files)
							 : BPF_CORE_READ(ring, file_table.data.nr);
}

static __always_inline struct file *file_of_slot(const struct io_ring_ctx *ring, u32 slot)
{
	struct io_file_table *table =
		(void *)ring + bpf_core_field_offset(struct io_ring_ctx, file_table);
	struct io_file_table___6_12 *old = (void *)table;
	struct io_rsrc_node **nodes, *node = NULL;
	struct io_fixed_file___6_12 *files;
	unsigned long file = 0;

	if (slot >= uring_slots(ring))
		return NULL;
	if (bpf_core_field_exists(old->files)) {
		files = BPF_CORE_READ(old, files);
		bpf_probe_read_kernel(&file, sizeof(file), &files[slot].file_ptr);
	} else {
		nodes = BPF_CORE_READ(table, data.nodes);
		bpf_probe_read_kernel(&node, sizeof(node), &nodes[slot]);
		file = node ? BPF_CORE_READ(node, file_ptr) : 0;
	}
	return (struct file *)(file & ~SLOT_FLAGS);
}

/* The task an address space belongs to. A kernel without CONFIG_MEMCG does not record it: NULL. */
static __always_inline struct task_struct *mm_owner(struct mm_struct *mm)
{
	return bpf_core_field_exists(mm->owner) ? BPF_CORE_READ(mm, owner) : NULL;
}

/* 4e65bda8273c (6.18) made a bitmap of the number; the number can go when 6.18 is the floor. */
static __always_inline u64 mm_flags(struct mm_struct *mm)
{
	struct mm_struct___6_18 *new = (void *)mm;
	u64 flags = 0;

	if (bpf_core_field_exists(new->flags.__mm_flags))
		bpf_core_read(&flags, sizeof(flags), &new->flags);
	else
		bpf_core_read(&flags, sizeof(flags), &mm->flags);
	return flags;
}

#define MM_SWAPENTS 2 /* include/linux/mm_types_task.h */

/*
 * Pages swapped out. f1a7941243c1 (6.2) made per-CPU counters of the sum: each CPU may hold back a
 * few dozen pages, so that the result is slightly off and may be negative. The first form can go
 * when 6.2 is the floor.
 */
static __always_inline s64 mm_swapped(struct mm_struct *mm)
{
	struct mm_struct___6_1 *old = (void *)mm;
	struct mm_struct___6_2 *new = (void *)mm;
	s64 n = 0;

	if (bpf_core_type_exists(struct mm_rss_stat))
		bpf_core_read(&n, sizeof(n), &old->rss_stat.count[MM_SWAPENTS].counter);
	else
		bpf_core_read(&n, sizeof(n), &new->rss_stat[MM_SWAPENTS].count);
	return n;
}

#endif
