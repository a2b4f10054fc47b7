/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * budget.bpf.h - how much one user may take of what all share: room in the table of attempts and in the ring buffer. Beyond
 * it his attempts are counted together, his servers are not told until later, and he is named for it: a share says how
 * often it was too much, and by which process. The collector reads that once a second, so it needs no room itself.
 *
 * Global functions with scalar arguments: the verifier checks them once, and their stack ends before a report's begins.
 */
#ifndef CACHEWARDEN_BUDGET_BPF_H
#define CACHEWARDEN_BUDGET_BPF_H

#include "lib/event.bpf.h"

#define EEXIST 17
#define USER_NS_LEVELS 33 /* the kernel nests 32 */
#define PTRACE_REQUESTS 64
#define PTRACE_NEWER 0x4200 /* the first of the newer requests, PTRACE_SETOPTIONS */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHARES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct share_key);
	__type(value, struct share);
} shares SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HOARDERS_MAX);
	__type(key, u32);   /* account */
	__type(value, u32); /* entries in attempts */
} hoarders SEC(".maps");

/*
 * The user who answers for what a task does: its real uid as the initial user namespace has it, so that root of another
 * namespace is nobody in particular. A user who makes a namespace may have thousands of uids in it: then it is who made the
 * outermost one, unless that is root, who makes them for others.
 */
__noinline int account_of(u64 task_addr)
{
	struct task_struct *task = (void *)task_addr;
	struct user_namespace *ns = BPF_CORE_READ(task, real_cred, user_ns);
	u32 uid = BPF_CORE_READ(task, real_cred, uid.val), owner;

	if (!BPF_CORE_READ(ns, level))
		return uid;
	for (int i = 0; i < USER_NS_LEVELS && BPF_CORE_READ(ns, level) > 1; i++)
		ns = BPF_CORE_READ(ns, parent);
	owner = BPF_CORE_READ(ns, owner.val);
	return owner ?: uid;
}

/* Not on the stack, which these functions share with all that report. */
static const struct share fresh_share;
static const struct attempt fresh_attempt;

static __always_inline struct share *share_of(u32 account, u32 what)
{
	struct share_key key = {.account = account, .what = what};
	struct share *s = bpf_map_lookup_elem(&shares, &key);

	if (s)
		return s;
	bpf_map_update_elem(&shares, &key, &fresh_share, BPF_NOEXIST);
	s = bpf_map_lookup_elem(&shares, &key);
	if (s)
		return s;
	key.account = ACCOUNT_OTHERS;
	return bpf_map_lookup_elem(&shares, &key); /* made by the collector */
}

/*
 * How much an account may have in a period. Files have a short one, since a server opens many at once: while events are not
 * read as fast as they come, fewer fit.
 */
static __always_inline u32 share_size(u32 account, u32 what)
{
	if (what == BUDGET_PEERS)
		return SHARE_PEERS;
	if (what == BUDGET_CONNS)
		return SHARE;
	if (what == BUDGET_CODE)
		return account ? SHARE_CODE : SHARE_CODE_ROOT;
	if (what == BUDGET_PIPES)
		return account ? SHARE_PIPES : SHARE_PIPES_ROOT;
	if (!account)
		return SHARE_ROOT;
	if (what != BUDGET_FILES)
		return SHARE;
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > RING_BYTES / 4 ? SHARE_BUSY
									      : SHARE_FILES;
}

/* Returns 1 if the account has had its share of this period. task_addr: who takes it; 0: nobody can be named. */
__noinline int budget_spend(u32 account, u32 what, u64 task_addr)
{
	struct task_struct *task = (void *)task_addr;
	struct share *s = share_of(account, what);
	u64 now = bpf_ktime_get_boot_ns();
	u32 size = share_size(account, what), used;

	if (!s)
		return 1;
	__sync_fetch_and_add(&s->total, 1);
	if (now - s->since_ns > share_period(what)) {
		s->since_ns = now;
		s->used = 0;
	}
	used = __sync_fetch_and_add(&s->used, 1);
	if (used < size && ((what != BUDGET_ATTEMPTS && what != BUDGET_CONNS) ||
			    !bpf_map_lookup_elem(&hoarders, &account)))
		return 0;
	if (what >= BUDGET_KEPT)
		__sync_fetch_and_add(&s->used, -1);
	__sync_fetch_and_add(&s->over, 1);
	if (!task || (s->tgid && used != size)) /* the first of a period is named */
		return 1;
	s->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	bpf_core_read_str(s->comm, sizeof(s->comm), &task->comm);
	s->tgid = BPF_CORE_READ(task, tgid);
	return 1;
}

/* What was kept is gone. */
__noinline int budget_return(u32 account, u32 what)
{
	struct share_key key = {.account = account, .what = what};
	struct share *s = bpf_map_lookup_elem(&shares, &key);

	if (!s) {
		key.account = ACCOUNT_OTHERS;
		s = bpf_map_lookup_elem(&shares, &key);
	}
	if (s && s->used)
		__sync_fetch_and_add(&s->used, -1);
	return 0;
}

/* The user who answers for an instance. */
static __always_inline u32 account_of_server(u32 instance)
{
	struct server *s = bpf_map_lookup_elem(&servers, &instance);

	return s ? s->account : 0;
}

/*
 * An instance, by that task, executes a file: enter it. Returns 0 if it was entered before, else 1. Beyond the share it is
 * not entered, and so it is new each time it is seen.
 */
__noinline int code_enter(u32 instance, u64 ino, u32 dev, u64 task_addr)
{
	struct mapped_key key = {.ino = ino, .dev = dev, .instance = instance};
	u32 account = account_of_server(instance);
	long err;

	if (bpf_map_lookup_elem(&mapped, &key))
		return 0;
	if (budget_spend(account, BUDGET_CODE, task_addr))
		return 1;
	err = bpf_map_update_elem(&mapped, &key, &account, BPF_NOEXIST);
	if (!err)
		return 1;
	budget_return(account, BUDGET_CODE);
	if (err == -EEXIST) /* by a hook and a sweep at once */
		return 0;
	counter_add(COUNTER_CODE_FULL, 1);
	return 1;
}

/* The same of the current task. The monitor has no share: it opens files on behalf of servers. */
__noinline int budget_spend_own(u32 what)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (is_member(task->tgid, INSTANCE_SELF))
		return 0;
	return budget_spend(account_of(address(task)), what, address(task));
}

/* Of what identifies an attempt, keep only what has few values: so many are counted together. */
static __always_inline void key_crowd(struct attempt_key *key, u32 account)
{
	struct server *s = bpf_map_lookup_elem(&servers, &key->instance);
	u32 *entries;

	key->actor = ACTOR_CROWD | account;
	key->tgid = 0;
	key->exec_id = 0;
	key->object = 0;
	if (key->vector == VECTOR_SYSCALL || key->vector == VECTOR_ACCESS)
		key->detail &= SYSCALL_NUMBER_MASK | SYSCALL_32BIT;
	else if (key->vector == VECTOR_PTRACE && key->detail >= PTRACE_REQUESTS &&
		 key->detail - PTRACE_NEWER >= PTRACE_REQUESTS)
		key->detail = ~0u;
	entries = bpf_map_lookup_elem(&hoarders, &account);
	if (entries && key->instance != INSTANCE_SELF &&
	    (*entries > HOARD_MOST || (s && s->account == account)))
		key->instance = INSTANCE_HOST; /* of many servers of his own, most likely */
}

static __always_inline void attempt_enter(const struct attempt_key *key, u32 account)
{
	struct attempt *a;

	bpf_map_update_elem(&attempts, key, &fresh_attempt, BPF_NOEXIST);
	a = bpf_map_lookup_elem(&attempts, key);
	if (a && !a->first_ns) {
		a->first_ns = a->last_ns = bpf_ktime_get_boot_ns();
		a->account = account;
	}
}

/*
 * An attempt by this task is about to be filed: enter it under its user's account. If it is a new one and the user has had
 * his share, it becomes one with those of all his processes. Returns EVENT_CROWD then.
 */
__noinline int attempt_admit(struct attempt_key *ret_key, u64 task_addr)
{
	struct attempt_key key; /* 6.1 looks up what is on the stack only */
	int crowd = 0;
	u32 account;

	if (!ret_key)
		return 0;
	key = *ret_key;
	if (bpf_map_lookup_elem(&attempts, &key))
		return 0;
	account = account_of(task_addr);
	if (budget_spend(account, BUDGET_ATTEMPTS, task_addr)) {
		key_crowd(&key, account);
		*ret_key = key;
		crowd = EVENT_CROWD;
	}
	attempt_enter(&key, account);
	return crowd;
}

/* --- connections --- */

/*
 * Has the instance had its share of findings whose peers cannot be named, or have all together that one user answers for?
 * Anybody can start servers, and connect to them.
 */
static __always_inline int peers_spend(struct server *s)
{
	u64 now = bpf_ktime_get_boot_ns();

	if (s && now - s->peers_since_ns > SHARE_NS) {
		s->peers_since_ns = now;
		s->peers = 0;
	}
	if (s && __sync_fetch_and_add(&s->peers, 1) >= SHARE)
		return 1;
	return budget_spend(s ? s->account : ACCOUNT_OTHERS, BUDGET_PEERS, 0);
}

/*
 * A finding on a connection is about to be filed: as attempt_admit(), on the account of the current task if that is named
 * as its peer, else on that of the instance. What others send to the same server is then still told apart, nearly always:
 * by user, or by the group of the peer's address. Returns EVENT_CROWD if it is counted with others.
 */
__noinline int conn_admit(struct attempt_key *ret_key, u32 named, u32 group, u32 credential)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct attempt_key key;
	struct server *s;
	u32 account;
	u64 actor;
	int crowd;

	if (!ret_key)
		return 0;
	key = *ret_key;
	s = bpf_map_lookup_elem(&servers, &key.instance);
	account = s ? s->account : 0;
	actor = ACTOR_CROWD | ACTOR_PEERS | group;
	crowd = !!(key.actor & ACTOR_CROWD);
	if (crowd) { /* another finding of a connection that is in a crowd */
		actor = key.actor;
		account = actor & ACTOR_PEERS ? account : (u32)actor;
	} else if (named) {
		account = account_of(address(task));
		actor = ACTOR_CROWD | account;
		crowd = !is_member(task->tgid, INSTANCE_SELF) &&
			budget_spend(account, BUDGET_CONNS, address(task));
	} else {
		crowd = peers_spend(s);
	}
	if (crowd) {
		key_crowd(&key, account);
		key.actor = actor;
		key.detail = credential;
		*ret_key = key;
	}
	attempt_enter(&key, crowd || named ? account : 0);
	return crowd ? EVENT_CROWD : 0;
}

#endif
