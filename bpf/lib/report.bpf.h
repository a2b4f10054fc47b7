/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.bpf.h - the one way a hook or a sweep reports an action on an instance: who is exempt,
 * whether it is prevented, what was reported before, the event itself.
 */
#ifndef CACHEWARDEN_REPORT_BPF_H
#define CACHEWARDEN_REPORT_BPF_H

#include "lib/budget.bpf.h"

#define SIGKILL 9

struct action {
	u32 rule;
	u32 vector;
	u32 detail;
	u32 fd;		   /* event.fd */
	s64 ret;	   /* what the syscall returned; negative errno; EVENT_TRANSFER: bytes */
	u64 file;	   /* address of the file acted on, where the event carries its path */
	u32 no_prevention; /* reported, but never a reason to stop the actor */
	u32 flags;	   /* EVENT_* to add */
};

/* Bytes that were read or written by now. */
static __always_inline u64 bytes_of(const struct action *action)
{
	return (action->flags & EVENT_TRANSFER) && action->ret > 0 ? action->ret : 0;
}

/* --- prevention --- */

static __always_inline u32 rules_prevented(u32 instance)
{
	u32 any = INSTANCE_HOST, *mask = bpf_map_lookup_elem(&prevent_rules, &instance);

	if (!mask)
		mask = bpf_map_lookup_elem(&prevent_rules, &any);
	return mask ? *mask : 0;
}

static __always_inline void prevented_set(struct task_struct *task, u32 instance)
{
	u32 *at = bpf_task_storage_get(&prevented, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (at)
		*at = instance;
}

/*
 * An action ends. Returns EVENT_PREVENTED if it was denied on its way, or if the actor is killed
 * here before the syscall returns to it. The kernel never lets pid 1 or its own threads be killed
 * by bpf_send_signal().
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

/* --- what hooks reported: a sweep that finds the same actor still at it stays silent --- */

static __always_inline struct reported_key reported_key_of(const struct attempt_key *key)
{
	struct reported_key r = {.actor = key->actor,
				 .instance = key->instance,
				 .tgid = key->tgid,
				 .what = key->rule << 16};

	if (key->rule == RULE_MEM_INJECT && key->vector == VECTOR_SYSCALL)
		r.what |= key->detail >> SYSCALL_OP_SHIFT & SYSCALL_OP_MASK;
	else if (key->vector == VECTOR_SWEEP ||
		 (key->vector >= VECTOR_OPEN && key->vector <= VECTOR_IO_URING_OPEN))
		r.what |= key->detail & 0xffff;
	else if (key->vector == VECTOR_PROCESS_VM_READV)
		r.what |= FINDING_VM_READV;
	else if (key->vector == VECTOR_PROCESS_VM_WRITEV)
		r.what |= FINDING_VM_WRITEV;
	if (key->rule == RULE_MEM_FD || key->rule == RULE_MEM_PROBE)
		r.what = key->rule << 16;
	return r;
}

static __always_inline int was_reported(const struct attempt_key *key)
{
	struct reported_key r = reported_key_of(key);

	return bpf_map_lookup_elem(&reported, &r) != NULL;
}

/*
 * Record what a hook reports. A breakpoint is recorded without its actor too: the instance's
 * memory, where a sweep finds it, does not say who planted it.
 */
__noinline int reported_set(struct event *e)
{
	struct reported_key key;
	u32 one = 1;

	if (!e || e->key.err)
		return 0;
	key = reported_key_of(&e->key);
	bpf_map_update_elem(&reported, &key, &one, BPF_ANY);
	if (e->key.rule == RULE_MEM_PROBE) {
		key.actor = 0;
		key.tgid = 0;
		bpf_map_update_elem(&reported, &key, &one, BPF_ANY);
	}
	return 0;
}

/* --- the report --- */

/* Whatever is done to the monitor breaks the same rule. */
static __always_inline u32 rule_for(u32 instance, u32 rule)
{
	return instance == INSTANCE_SELF ? RULE_SELF_TAMPER : rule;
}

static __always_inline void action_key(struct attempt_key *key, const struct pid_owner *target,
				       const struct action *action)
{
	struct file *file = (void *)action->file;

	key->instance = target->instance;
	key->rule = rule_for(target->instance, action->rule);
	key->vector = action->vector;
	key->detail = action->detail;
	key->err = action->ret < 0 ? -action->ret : 0;
	if (file)
		key->object = BPF_CORE_READ(file, f_inode, i_ino);
}

/*
 * Does this monitor report it, or the other one while one takes over? The current task does it, or stands for it. What is done
 * to monitors both report: told twice rather than never, for it may be a change of the very map that decides.
 */
static __always_inline int action_is_mine(const struct pid_owner *target,
					  const struct action *action)
{
	if (target->instance == INSTANCE_SELF || action->rule == RULE_SELF_TAMPER)
		return 1;
	return turn_mine(bpf_get_current_pid_tgid(), ((u64)target->tid << 32 | action->detail) ^
							     (u64)action->rule << 56 ^
							     (u64)action->vector << 48);
}

/* Everything of an event but its attempt. actor: address of a task, 0 if nobody can be named. */
static __always_inline void action_fill(struct event *e, const struct pid_owner *target,
					const struct action *action, u64 actor)
{
	struct file *file = (void *)action->file;
	u32 at = 0;

	e->flags |= action->flags;
	e->target_tgid = target->tgid;
	e->target_tid = target->tid;
	e->fd = action->fd;
	if (action->flags & EVENT_TRANSFER)
		e->transfer.bytes = bytes_of(action);
	if (actor) {
		at = event_actor(e, actor);
		session_fill(&e->actor, actor);
		if (actor == address(bpf_get_current_task_btf()))
			args_fill(&e->args);
	}
	if (file)
		path_put(&e->actor, &e->object, file, &at);
}

/* An action of the current task, caught in the act: it may be exempt, and it may be prevented. */
__noinline int report_action(const struct pid_owner *target, const struct action *action)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct attempt_key key = {};
	struct event *e;
	u32 flags = 0;

	if (!target || !action || is_exempt(task, target->instance))
		return 0;
	if (!action->no_prevention)
		flags = prevent(target->instance, action->rule, action->ret);
	if (!action_is_mine(target, action))
		return 0;
	action_key(&key, target, action);
	if (bytes_of(action) && (flags & EVENT_PREVENTED)) /* too late: nothing was prevented */
		flags = EVENT_KILLED;
	/* what a syscall returns to a killed caller means nothing */
	if ((flags & EVENT_PREVENTED) && key.err != EPERM && key.err != EACCES)
		key.err = 0;
	key_actor(&key, task);
	flags |= attempt_admit(&key, address(task));
	e = attempt_begin(&key, bytes_of(action));
	if (!e)
		return 0;
	e->flags |= flags;
	action_fill(e, target, action, address(task));
	reported_set(e);
	event_send(e);
	return 0;
}

/*
 * An action that a hook sees of another task, or of a member on itself. actor: address of the task.
 */
__noinline int report_action_by(const struct pid_owner *target, const struct action *action,
				u64 actor)
{
	struct attempt_key key = {};
	struct event *e;
	u32 flags;

	if (!target || !action || !action_is_mine(target, action))
		return 0;
	action_key(&key, target, action);
	key_actor(&key, (void *)actor);
	flags = attempt_admit(&key, actor);
	e = attempt_begin(&key, 0);
	if (!e)
		return 0;
	e->flags |= flags;
	action_fill(e, target, action, actor);
	if (action->vector != VECTOR_SWEEP)
		reported_set(e);
	event_send(e);
	return 0;
}

/*
 * A state that a sweep found: one attempt however often it is found, and none if a hook reported
 * it. actor: address of the task to blame, 0 if nobody can be named.
 */
__noinline int report_found(const struct pid_owner *target, const struct action *action, u64 actor)
{
	struct attempt_key key = {};
	struct event *e;
	u32 flags = EVENT_FOUND_BY_SWEEP;

	if (!target || !action || !turn_mine_swept())
		return 0;
	action_key(&key, target, action);
	if (actor)
		key_actor(&key, (void *)actor);
	if (was_reported(&key))
		return 0;
	if (actor)
		flags |= attempt_admit(&key, actor);
	e = state_begin(&key);
	if (!e)
		return 0;
	e->flags |= flags;
	action_fill(e, target, action, actor);
	event_send(e);
	return 0;
}

/* The same as report_action. Returns 1: dealt with. */
static __always_inline int report(struct pid_owner *target, u32 rule, u32 vector, u32 detail,
				  long ret, u32 fd)
{
	struct action action = {
		.rule = rule, .vector = vector, .detail = detail, .fd = fd, .ret = ret};

	report_action(target, &action);
	return 1;
}

/* A file was opened. flags: opened_for() */
static __always_inline int report_opened(const struct pid_owner *target, u32 rule, u32 vector,
					 u32 file, u32 flags)
{
	struct action action = {.rule = rule, .vector = vector, .detail = file, .flags = flags};

	report_action(target, &action);
	return 1;
}

/* A member does to itself what no server does. file: the one it maps, or NULL. */
static __always_inline void report_self(struct task_struct *task, u32 instance, u32 rule,
					u32 vector, u32 detail, struct file *file)
{
	u32 tgid = BPF_CORE_READ(task, tgid);
	struct pid_owner self = {.instance = instance, .tgid = tgid, .tid = tgid};
	struct action action = {
		.rule = rule,
		.vector = vector,
		.detail = detail,
		.file = address(file),
	};

	report_action_by(&self, &action, address(task));
}

#endif
