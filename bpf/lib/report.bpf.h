/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.bpf.h - the one way a hook says that somebody did something to an instance, and how a hook finds
 * out to whom: by pid number, by descriptor, by pidfd.
 */
#ifndef CACHEWARDEN_REPORT_BPF_H
#define CACHEWARDEN_REPORT_BPF_H

#include "lib/common.bpf.h"

#define PIDFS_MAGIC 0x50494446

#define SIGKILL 9
#define EPERM 1
#define EACCES 13

/* Whom an instance's protection does not concern: its own family, and the monitor, which looks. */
static __always_inline int is_exempt(struct task_struct *task, u32 instance)
{
	struct member *m = member_of(task->tgid);

	return m && (m->instance == instance || m->instance == INSTANCE_SELF);
}

static __always_inline u32 rules_prevented(u32 instance)
{
	u32 any = INSTANCE_HOST, *mask = bpf_map_lookup_elem(&prevent_rules, &instance);

	if (!mask)
		mask = bpf_map_lookup_elem(&prevent_rules, &any);
	return mask ? *mask : 0;
}

static __always_inline void stopped_set(struct task_struct *task, u32 instance)
{
	u32 *at = bpf_task_storage_get(&prevented, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (at)
		*at = instance;
}

/*
 * An attempt ends. Was it stopped on its way, or has its actor to die before it returns? The kernel never
 * lets pid 1 or its own threads be killed so.
 */
__noinline int prevent(u32 instance, u32 rule, s32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 *at = bpf_task_storage_get(&prevented, task, NULL, 0);

	if (at && *at == instance) {
		*at = 0;
		return EVENT_PREVENTED;
	}
	if (ret < 0 || !(rules_prevented(instance) >> (rule & 31) & 1) || bpf_send_signal(SIGKILL))
		return 0;
	return EVENT_PREVENTED;
}

/* What was done. */
struct action {
	u32 rule;
	u32 vector;
	u32 detail;
	u32 fd;
	s64 ret;      /* negative errno, or what the syscall returned */
	u64 file;     /* address of the file it was done to, where its path is to be told */
	u32 harmless; /* told, but nobody is stopped for it */
	u32 flags;    /* EVENT_* to add */
};

/*
 * The one body of all hooks: a stranger did this to that thread of an instance. Not static: the verifier looks
 * at it once, and not in every hook.
 */
__noinline int report_action(struct pid_owner *owner, struct action *action)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct attempt_key key = {};
	struct file *file;
	struct event *e;
	u32 flags = 0, at;

	if (!owner || !action || is_exempt(task, owner->instance))
		return 0;
	if (!action->harmless)
		flags = prevent(owner->instance, action->rule, action->ret);
	key.instance = owner->instance;
	key.rule = rule_upon(owner->instance, action->rule);
	key.vector = action->vector;
	key.detail = action->detail;
	key.err = action->ret < 0 ? -action->ret : 0;
	/* what a syscall says of itself to somebody already dead tells nothing */
	if ((flags & EVENT_PREVENTED) && key.err != EPERM && key.err != EACCES)
		key.err = 0;
	file = (void *)action->file;
	if (file)
		key.object = BPF_CORE_READ(file, f_inode, i_ino);
	key_actor(&key, task);
	e = attempt_begin(&key, 0);
	if (!e)
		return 0;
	e->flags |= flags | action->flags;
	e->target_tgid = owner->tgid;
	e->target_tid = owner->tid;
	e->fd = action->fd;
	at = event_actor(e, task);
	session_fill(&e->actor, plain(task));
	if (file)
		path_put(&e->actor, &e->object, file, &at);
	reported_note(e);
	event_send(e);
	return 0;
}

/* Returns 1: dealt with. */
static __always_inline int report(struct pid_owner *owner, u32 rule, u32 vector, u32 detail,
				  long ret, u32 fd)
{
	struct action action = {
		.rule = rule, .vector = vector, .detail = detail, .fd = fd, .ret = ret};

	report_action(owner, &action);
	return 1;
}

/* A member does to itself what no server does; with a file where it maps one. */
static __always_inline void report_self(struct task_struct *task, u32 instance, u32 rule,
					u32 vector, u32 detail, struct file *file)
{
	struct attempt_key key = {
		.instance = instance,
		.rule = rule_upon(instance, rule),
		.vector = vector,
		.detail = detail,
	};
	struct event *e;
	u32 at;

	key_actor(&key, task);
	if (file)
		key.object = BPF_CORE_READ(file, f_inode, i_ino);
	e = attempt_begin(&key, 0);
	if (!e)
		return;
	e->target_tgid = e->target_tid = BPF_CORE_READ(task, tgid);
	at = event_actor(e, task);
	session_fill(&e->actor, plain(task));
	if (file)
		path_put(&e->actor, &e->object, file, &at);
	reported_note(e);
	event_send(e);
}

/* The same upon no instance in particular, but the memory of all. */
static __always_inline int report_host(u32 rule, u32 vector, u32 detail, long ret, u32 fd)
{
	struct pid_owner host = {.instance = INSTANCE_HOST};

	return report(&host, rule, vector, detail, ret, fd);
}

static __always_inline struct pid_owner *owner_of_number(u32 nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 own, ns = pid_ns_of(task->thread_pid, &own);

	return pid_owner(ns, nr);
}

static __always_inline struct pt_regs *saved_regs(void)
{
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

static __always_inline struct file *file_of_fd(struct task_struct *task, u32 fd)
{
	struct fdtable *fdt = task->files ? BPF_CORE_READ(task, files, fdt) : NULL;
	struct file **table, *f = NULL;

	if (!fdt || fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	table = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&f, sizeof(f), &table[fd]);
	return f;
}

/* A name of at most 15 letters, padded: what anonymous files are called, and a few others. */
union short_name {
	char text[16];
	u64 words[2];
};

static const union short_name perf_name = {"[perf_event]"};

static __always_inline int same_name(const union short_name *a, const union short_name *b)
{
	return a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

static __always_inline int is_named(struct dentry *d, const union short_name *as)
{
	union short_name name = {};

	bpf_probe_read_kernel_str(name.text, sizeof(name.text), BPF_CORE_READ(d, d_name.name));
	return same_name(&name, as);
}

static __always_inline int is_anon(struct file *f, const union short_name *kind)
{
	return is_named(BPF_CORE_READ(f, f_path.dentry), kind);
}

/* The perf event behind a descriptor, NULL if it is none. */
static __always_inline struct perf_event *anon_event(struct file *f)
{
	return is_anon(f, &perf_name) ? BPF_CORE_READ(f, private_data) : NULL;
}

/* The struct pid behind a pidfd, NULL if the file is none. */
static __always_inline struct pid *pid_of_pidfd(struct file *f)
{
	char name[8] = {};

	/* pidfs (6.9, commit cb12fd8e0dab) moved the struct pid from the file to the inode */
	if (BPF_CORE_READ(f, f_inode, i_sb, s_magic) == PIDFS_MAGIC)
		return BPF_CORE_READ(f, f_inode, i_private);
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(f, f_path.dentry, d_name.name));
	if (__builtin_memcmp(name, "[pidfd]", sizeof(name)))
		return NULL;
	return BPF_CORE_READ(f, private_data);
}

#endif
