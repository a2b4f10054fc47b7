/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmlinux.h - kernel types, kept by hand: only the fields that BPF code reads, under a heading that
 * names the user. Field offsets come from the running kernel's BTF at load (CO-RE), so that order and
 * gaps here mean nothing. Types of the UAPI come from <linux/bpf.h>.
 */
#ifndef CACHEWARDEN_VMLINUX_H
#define CACHEWARDEN_VMLINUX_H

#include <linux/bpf.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef int bool;
typedef __kernel_loff_t loff_t;
typedef __kernel_size_t size_t;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* --- identity: task.bpf.h, event.bpf.h, process.bpf.c --- */

typedef struct {
	u32 val;
} kuid_t;

typedef struct {
	u32 val;
} kgid_t;

typedef struct {
	int counter;
} atomic_t;

struct user_namespace {
	struct user_namespace *parent;
	int level;
	kuid_t owner;
};

struct cred {
	kuid_t uid;
	kuid_t euid;
	struct user_namespace *user_ns;
};

struct ns_common {
	unsigned int inum;
};

/* process.bpf.c: may an instance's mount namespace differ from the monitor's? */
struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

/* task.bpf.h: a pid namespace's tree of numbers */
struct xa_node {
	unsigned char shift;
	void *slots[1]; /* 64; 16 on the smallest kernels */
};

struct xarray {
	void *xa_head;
};

struct idr {
	struct xarray idr_rt;
};

struct pid_namespace {
	struct idr idr;
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[4]; /* by enum pid_type */
	struct upid numbers[1];
};

struct signal_struct {
	int group_exit_code;
	atomic_t live;
	struct pid *pids[4]; /* session_fill */
};

struct kernfs_node {
	u64 id;
	void *priv; /* cgroup.bpf.h: of a directory, its cgroup */
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1]; /* as many as the kernel has controllers */
	struct cgroup *dfl_cgrp;
};

/* --- files: path.bpf.h, fd.bpf.h, files.bpf.h, procfile.bpf.h --- */

struct qstr {
	u32 len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node *next, **pprev;
};

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};

struct address_space; /* overlay.bpf.h compares addresses */

struct inode {
	unsigned short i_mode; /* files.bpf.h: type of file */
	struct address_space *i_mapping;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	u32 i_rdev;	  /* files.bpf.h: /dev/mem by number */
	u32 i_generation; /* files.bpf.h: tells a reused inode number apart */
	void *i_private;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct address_space *f_mapping;
	struct inode *f_inode;
	unsigned int f_mode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path pwd;
};

/* procfile.bpf.h, from fs/proc/internal.h: an inode below /proc/PID names its process */
struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};

struct mm_struct {
	struct file *exe_file;
	struct task_struct *owner; /* mm_owner */
	unsigned long arg_start, arg_end;
	unsigned long env_start, env_end; /* process.bpf.c: LD_PRELOAD and others at exec */
	unsigned long flags;		  /* mm_flags */
};

struct thread_info {
	u32 status;
};

/* kernel/seccomp.c */
struct seccomp_filter {
	struct seccomp_filter *prev;
	struct notification *notif;
};

struct seccomp {
	struct seccomp_filter *filter;
};

struct task_struct {
	unsigned int __state;
	struct thread_info thread_info;
	unsigned int flags;
	unsigned int ptrace;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	u64 start_boottime;
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct io_uring_task *io_uring; /* uring.bpf.h, as worker_private */
	void *worker_private;
	struct signal_struct *signal;
	kuid_t loginuid;
	u64 self_exec_id;
	struct mm_struct *mm;
	struct seccomp seccomp;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
};

struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *interp;
};

/* --- syscalls: compat.bpf.h --- */

struct pt_regs {
	unsigned long r10, r9, r8, ax, dx, cx, bx, si, di, orig_ax;
};

/* memory.bpf.c: by value in a map, so the kernel's own layout */
#pragma clang attribute pop
struct bpf_task_work {
	u64 __opaque;
} __attribute__((aligned(8)));
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_event_raw_sys_exit {
	long id;
	long ret;
};

/* --- opens: access.bpf.c --- */

struct filename {
	const char *name;
};

struct open_flags {
	int open_flag;
};

/* --- io_uring: uring.bpf.h --- */

struct io_wq_work {
	int cancel_seq; /* its address alone counts */
};

struct io_worker {
	struct io_wq_work *cur_work;
};

struct io_rsrc_node {
	unsigned long file_ptr;
};

struct io_rsrc_data {
	unsigned int nr;
	struct io_rsrc_node **nodes;
};

struct io_file_table {
	struct io_rsrc_data data;
};

struct io_ring_ctx {
	struct io_file_table file_table;
};

struct io_uring_task {
	const struct io_ring_ctx *last;
	struct file *registered_rings[16]; /* IO_RINGFD_REG_MAX */
};

struct io_cqe {
	int fd; /* until the request ends */
};

struct io_kiocb {
	struct file *file;
	u8 opcode;
	u32 flags; /* 64 bits since 6.9, the lower half has those of the entry */
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
	struct io_wq_work work;
};

struct io_open {
	u32 file_slot;
};

struct io_splice {
	int splice_fd_in;
	unsigned int flags;
};

struct io_uring_cqe {
	s32 res;
};

/* --- sockets: wire.bpf.c, mark.bpf.h, fd_search.bpf.h --- */

struct in6_addr {
	u8 addr8[16];
};

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	u16 skc_dport;
	u16 skc_num;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	u16 sk_type;
	u16 sk_protocol;
	void *sk_user_data;
};

struct socket {
	struct sock *sk;
};

/* --- perf events and uprobes: calls.bpf.c, compat.bpf.h --- */

struct list_head {
	struct list_head *next;
};

struct perf_event_attr {
	u64 sample_period; /* or sample_freq: a union */
	u64 sample_type;
};

struct trace_event_call {
	int flags;
};

struct hw_perf_event {
	struct task_struct *target;
};

struct perf_event {
	struct perf_event_attr attr;
	struct hw_perf_event hw;
	struct trace_event_call *tp_event;
};

struct trace_probe_event {
	struct trace_event_call call;
	struct list_head probes;
};

struct trace_probe {
	struct list_head list;
};

struct uprobe {
	struct inode *inode;
};

struct trace_uprobe {
	struct uprobe *uprobe;
	struct trace_probe tp;
};

/* --- BPF objects: calls.bpf.c --- */

struct bpf_prog_aux {
	u32 id;
	char name[16];
};

struct bpf_prog {
	enum bpf_prog_type type;
	u32 len;
	u8 tag[8];
	struct bpf_prog_aux *aux;
	struct bpf_insn insnsi[1];
};

struct sk_psock_progs {
	struct bpf_prog *msg_parser;
	struct bpf_prog *stream_parser;
	struct bpf_prog *stream_verdict;
	struct bpf_prog *skb_verdict;
};

struct sk_psock {
	struct sk_psock_progs progs;
};

struct bpf_map {
	u32 id;
};

struct bpf_link {
	u32 id;
	enum bpf_link_type type;
};

struct bpf_uprobe_multi_link {
	struct path path;
	struct bpf_link link;
	struct task_struct *task;
};

/* --- signals: calls.bpf.c --- */

struct kernel_siginfo {
	int si_code;
};

/* --- mappings and memory counters: sweep.bpf.c, compat.bpf.h --- */

struct vm_area_struct {
	unsigned long vm_flags;
	const void *vm_ops;
	struct file *vm_file;
};

struct percpu_counter {
	s64 count;
};

typedef struct {
	s64 counter;
} atomic64_t;

struct mm_rss_stat {
	atomic64_t count[4];
};

typedef struct {
	unsigned long __mm_flags[1];
} mm_flags_t;

/* --- iterators --- */

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

struct bpf_iter__bpf_prog {
	struct bpf_iter_meta *meta;
	struct bpf_prog *prog;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	u32 uid;
};

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
};

/* --- TCP state: wire.bpf.c, stream.bpf.h --- */

struct tcp_sock {
	u32 rcv_wup;
	u32 rcv_wnd;
};

struct tcp_request_sock {
	u32 rcv_isn;
};

#pragma clang attribute pop

#endif
