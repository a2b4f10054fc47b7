// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * process.bpf.c - the processes sensor: finds instances, follows their children, forgets what
 * ended.
 *
 * Hooks, what each decides, and why there:
 *   tp_btf/sched_process_exec   an instance starts: known before it opens its first socket. A child
 *                               that executes something else leaves the instance in the same
 *                               moment. The environment is read before the program can overwrite it.
 *                               Another monitor is recognised, and protected like this one
 *   tp_btf/sched_process_fork   children (BGSAVE, AOF rewrite) belong from their first
 *                               instruction on
 *   tp_btf/sched_process_exit   a member ends: called for each thread, before its pid can be used
 *                               again. The exit code says whether the kernel dumped core
 *   syscall                     run by the monitor, in its own context, to register itself
 *   iter/task                   what ran before the monitor: first other monitors, before anything
 *                               is reported; then main processes, then their children; and later
 *                               what was not reported when it started
 *
 * A name makes a process an instance, and that only means being watched: a process that takes a
 * server's name gains nothing over another instance, since only members of the *same* instance are
 * exempt. A member that executes another file leaves its instance, whatever that file is called.
 */
#include "lib/cgroup.bpf.h"
#include "lib/report.bpf.h"

/* Names of executables that make a process an instance, and what names of it with a version begin with. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, EXE_NAMES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct exe_key);
	__type(value, u32);
} exe_names SEC(".maps");

/* Which two characters such a name begins with: one bit each. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NAME_WORDS);
	__type(key, u32);
	__type(value, u64);
} name_bits SEC(".maps");

/* tgids -> enum candidate, filled before the monitor starts to watch. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} candidates SEC(".maps");

#define TITLE_LEN 128	 /* power of two */
#define CORE_DUMPED 0x80 /* in an exit code, wait(2) */

/* The monitor that runs these programs, see is_monitor(). */
struct {
	__u64 ino;
	__u32 dev;
	__u32 pad;
	struct self_start start;
} self_exe;

__u32 next_instance; /* last id given; ids begin at 1 and are never given twice */
__u32 find_pass =
	FIND_SERVERS; /* enum find_pass, set by the loader before each run of the iterator */

/* Not for certain: 0 says that no name in exe_names begins so. */
static __always_inline int may_be_name(u16 start)
{
	u32 at = name_word(start);
	u64 *word = bpf_map_lookup_elem(&name_bits, &at);

	return word && (*word & name_bit(start));
}

static __noinline int comm_known(struct task_struct *task)
{
	struct exe_key key = {.bits = EXE_KEY_BITS};

	bpf_core_read_str(key.name, COMM_LEN, &task->comm);
	return bpf_map_lookup_elem(&exe_names, &key) != NULL;
}

struct title_scan {
	char path[TITLE_LEN + EXE_KEY_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct title_scan);
} title_scans SEC(".maps");

/* Is argv[0], without directories, a server's name? */
__noinline int title_known(u64 argv0)
{
	struct exe_key key = {.bits = EXE_KEY_BITS};
	u32 zero = 0, at;
	struct title_scan *t = bpf_map_lookup_elem(&title_scans, &zero);
	long n = t ? bpf_probe_read_user_str(t->path, TITLE_LEN, (void *)argv0) : 0;

	if (n <= 1)
		return 0;
	at = n - 1;
	for (u32 i = 0; i < TITLE_LEN && at && t->path[(at - 1) & (TITLE_LEN - 1)] != '/'; i++)
		at--;
	at &= TITLE_LEN - 1;
	if (!may_be_name((u8)t->path[at] | (u8)t->path[at + 1] << 8))
		return 0;
	bpf_probe_read_kernel_str(key.name, sizeof(key.name), &t->path[at]);
	return bpf_map_lookup_elem(&exe_names, &key) != NULL;
}

static __noinline int exe_known(struct file *exe)
{
	struct exe_key key = {.bits = EXE_KEY_BITS};

	if (!exe)
		return 0;
	bpf_probe_read_kernel_str(key.name, sizeof(key.name),
				  BPF_CORE_READ(exe, f_path.dentry, d_name.name));
	return bpf_map_lookup_elem(&exe_names, &key) != NULL;
}

/* The same for a file of a hook's arguments. */
static __always_inline int file_named(struct file *exe)
{
	u16 start = 0;

	bpf_probe_read_kernel(&start, sizeof(start), exe->f_path.dentry->d_name.name);
	return may_be_name(start) && exe_known(exe);
}

/* --- members --- */

/* Counted before it is entered, and until it is gone: nobody finds a member missing. */
static __always_inline void member_count(u32 tgid, s32 n)
{
	u32 slot = member_slot(tgid), *members = bpf_map_lookup_elem(&member_slots, &slot);

	if (members)
		__sync_fetch_and_add(members, n);
}

static __always_inline int member_add(struct task_struct *task, u32 instance, int main)
{
	struct member m = {.instance = instance, .main = main};
	struct server *s = bpf_map_lookup_elem(&servers, &instance);
	u32 tgid = BPF_CORE_READ(task, tgid);

	member_count(tgid, 1);
	if (bpf_map_update_elem(&procs, &tgid, &m, BPF_NOEXIST)) {
		if (is_member(tgid, instance)) { /* by a hook and a sweep at once */
			member_count(tgid, -1);
			return 0;
		}
		if (!bpf_map_update_elem(&procs, &tgid, &m, BPF_EXIST)) {
			member_count(tgid, -1); /* once for the entry it replaced */
		} else if (bpf_map_update_elem(&procs, &tgid, &m, BPF_NOEXIST)) {
			member_count(tgid, -1);
			counter_add(COUNTER_PROCS_FULL, 1);
			return -1;
		}
	}
	if (s)
		__sync_fetch_and_add(&s->live, 1);
	return 0;
}

static __always_inline void member_remove(u32 tgid, u32 instance)
{
	struct server *s = bpf_map_lookup_elem(&servers, &instance);

	if (bpf_map_delete_elem(&procs, &tgid))
		return;
	member_count(tgid, -1);
	if (s && __sync_fetch_and_add(&s->live, -1) == 1)
		bpf_map_delete_elem(&servers, &instance);
}

static __always_inline struct inode *exe_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, mm, exe_file, f_inode);
}

/* Does the task execute the file that makes out the instance? */
static __always_inline int is_program(struct task_struct *task, u32 instance)
{
	struct server *s = bpf_map_lookup_elem(&servers, &instance);
	struct inode *exe = exe_of(task);

	return s && s->exe_ino == BPF_CORE_READ(exe, i_ino) &&
	       s->exe_dev == BPF_CORE_READ(exe, i_sb, s_dev);
}

static const struct server fresh_server;

/* Filled in place: proc_exec has no stack left. The server has no member before this returns. */
static __always_inline int server_add(struct task_struct *task, u32 instance)
{
	struct inode *exe = exe_of(task);
	struct server *s;

	bpf_map_update_elem(&servers, &instance, &fresh_server, BPF_ANY);
	s = bpf_map_lookup_elem(&servers, &instance);
	if (!s) {
		counter_add(COUNTER_PROCS_FULL, 1);
		return -1;
	}
	s->exe_ino = BPF_CORE_READ(exe, i_ino);
	s->exe_dev = BPF_CORE_READ(exe, i_sb, s_dev);
	s->account = account_of(address(task));
	return 0;
}

/* Is there room for one more event of that user's servers? */
__noinline int may_report(u64 task_addr)
{
	if (!budget_spend(account_of(task_addr), BUDGET_SERVERS, task_addr))
		return 1;
	counter_add(COUNTER_UNREPORTED, 1);
	return 0;
}

/*
 * Send an event about a member itself: it starts, forks, executes, exits. Returns 1 if it was sent. What could not be is
 * found out by the collector: see find_unreported.
 */
static __noinline int lifecycle(u16 type, struct task_struct *task, u32 instance, u32 flags)
{
	struct event *e;
	u32 at;

	if ((instance == INSTANCE_SELF && type != EVENT_INSTANCE) || !may_report(address(task)))
		return 0;
	e = event_reserve(type);
	if (!e) {
		lost_add(instance, RULE_NONE);
		return 0;
	}
	e->key.instance = instance;
	e->flags = flags | EVENT_ACTOR;
	at = process_fill(&e->actor, address(task));
	e->target_tgid = e->actor.pid;
	e->fd = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	e->server.account = account_of(address(task));
	if (type == EVENT_INSTANCE)
		path_put_at(&e->actor, &e->object,
			    address(BPF_CORE_READ(task, fs)) +
				    bpf_core_field_offset(struct fs_struct, pwd),
			    &at);
	event_send(e);
	return 1;
}

/* The same for a member that begins. */
static __always_inline void lifecycle_begin(u16 type, struct task_struct *task, u32 instance,
					    u32 flags)
{
	u32 tgid = BPF_CORE_READ(task, tgid);
	struct member *m;

	if (!lifecycle(type, task, instance, flags))
		return;
	m = member_of(tgid);
	if (m)
		m->told = 1;
}

/*
 * Is a server traced when it is first seen? By PTRACE_TRACEME before exec, or since before the
 * monitor.
 */
static __noinline int report_tracer(struct task_struct *task, u32 instance, u32 flags)
{
	struct pid_owner target = {.instance = instance};
	struct action action = {
		.rule = RULE_MEM_TRACE,
		.vector = flags & EVENT_FOUND_BY_SWEEP ? VECTOR_SWEEP : VECTOR_PTRACE,
		.flags = flags,
	};

	if (!BPF_CORE_READ(task, ptrace))
		return 0;
	target.tgid = BPF_CORE_READ(task, tgid);
	target.tid = BPF_CORE_READ(task, pid);
	report_action_by(&target, &action, address(BPF_CORE_READ(task, parent)));
	return 0;
}

/*
 * Record the tracer of a server that starts traced, before the server becomes a member: from then on a
 * sweep on another CPU may find it, and would report the same trace again.
 */
static __noinline int tracer_reported(struct task_struct *task, u32 instance)
{
	struct attempt_key key = {
		.instance = instance, .rule = RULE_MEM_TRACE, .vector = VECTOR_PTRACE};
	struct reported_key reported_as;
	u32 one = 1;

	if (!BPF_CORE_READ(task, ptrace))
		return 0;
	key_actor(&key, BPF_CORE_READ(task, parent));
	reported_as = reported_key_of(&key);
	bpf_map_update_elem(&reported, &reported_as, &one, BPF_ANY);
	return 0;
}

/* Enter its executable as code of the instance, so that a probe in it is reported. */
static __always_inline void map_exe(struct task_struct *task, u32 instance)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	code_enter(instance, BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev),
		   address(task));
}

/*
 * Returns its id, 0 on failure. The caller reports a tracer: one call chain for both would exceed
 * the stack of 6.1.
 */
static __noinline int register_instance(struct task_struct *task, u32 flags)
{
	u32 tgid = BPF_CORE_READ(task, tgid), id;
	struct member *m = member_of(tgid);
	struct server *s;

	if (m) { /* it executed itself: DEBUG RESTART */
		id = m->instance;
		s = bpf_map_lookup_elem(&servers, &id);
		if (s) /* it may have become another user's */
			s->account = account_of(address(task));
	} else {
		id = __sync_fetch_and_add(&next_instance, 1) + 1;
		if (server_add(task, id))
			return 0;
	}
	if (!(flags & EVENT_FOUND_BY_SWEEP))
		tracer_reported(task, id);
	if (!m && member_add(task, id, 1))
		return 0;
	bpf_map_delete_elem(&baselined, &id); /* its baseline is taken again */
	map_exe(task, id);
	lifecycle_begin(EVENT_INSTANCE, task, id, flags | EVENT_MAIN);
	return id;
}

/* --- environment of a starting server --- */

#define ENV_TEXT_LEN 4096 /* a longer variable is read in pieces */
#define ENV_VARS_MAX 1024 /* variables read */

struct env_scan {
	u64 at, end;
	u32 found; /* 1 << enum env_var */
	u32 pad;
	char text[ENV_TEXT_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct env_scan);
} env_scans SEC(".maps");

static const union short_name env_names[ENV_MAX] = {
	[ENV_LD_PRELOAD] = {"LD_PRELOAD"},	     [ENV_LD_AUDIT] = {"LD_AUDIT"},
	[ENV_SSLKEYLOGFILE] = {"SSLKEYLOGFILE"},     [ENV_LD_LIBRARY_PATH] = {"LD_LIBRARY_PATH"},
	[ENV_OPENSSL_CONF] = {"OPENSSL_CONF"},	     [ENV_OPENSSL_MODULES] = {"OPENSSL_MODULES"},
	[ENV_OPENSSL_ENGINES] = {"OPENSSL_ENGINES"},
};

static long env_step(u32 i, struct env_scan **ctx)
{
	struct env_scan *s = *ctx;
	union short_name name = {};
	u32 whole = 0; /* not the beginning of a longer name */
	long n;

	if (s->at >= s->end)
		return 1;
	n = bpf_probe_read_user_str(s->text, ENV_TEXT_LEN, (const void *)s->at);
	if (n <= 0)
		return 1;
	s->at += n < ENV_TEXT_LEN ? n : ENV_TEXT_LEN - 1;
	for (u32 k = 0; k < sizeof(name); k++) {
		if (s->text[k] == '=') {
			whole = s->text[k + 1]; /* set, and not empty */
			break;
		}
		if (k < sizeof(name) - 1)
			name.text[k] = s->text[k];
	}
	if (!whole)
		return 0;
	for (u32 h = ENV_LD_PRELOAD; h < ENV_MAX; h++) {
		if (same_name(&name, &env_names[h]))
			s->found |= 1u << h;
	}
	return 0;
}

/*
 * Returns the variables found that load foreign code into the server or reveal its secrets: 1 <<
 * enum env_var.
 */
static __noinline int scan_env(u64 task_addr)
{
	struct task_struct *task = (void *)task_addr;
	u32 zero = 0;
	struct env_scan *s = bpf_map_lookup_elem(&env_scans, &zero);

	if (!s)
		return 0;
	s->at = BPF_CORE_READ(task, mm, env_start);
	s->end = BPF_CORE_READ(task, mm, env_end);
	s->found = 0;
	bpf_loop(ENV_VARS_MAX, env_step, &s, 0);
	return s->found;
}

static __noinline int report_env(u64 task_addr, u32 instance, u32 found)
{
	struct task_struct *task = (void *)task_addr;

	for (u32 h = ENV_LD_PRELOAD; h < ENV_MAX; h++) {
		if (found & 1u << h)
			report_self(task, instance,
				    h == ENV_SSLKEYLOGFILE ? RULE_TLS_KEY : RULE_MEM_INJECT,
				    VECTOR_EXEC, h, NULL);
	}
	return 0;
}

/* --- another monitor --- */

#define VERB_LEN 8

/* Does it execute `cachewarden run` or `doctor`? Its arguments are as exec laid them out. */
static __always_inline int runs_monitor(struct task_struct *task)
{
	static const union short_name run = {"run"}, doctor = {"doctor"};
	const char *at = (const char *)BPF_CORE_READ(task, mm, arg_start);
	union short_name verb = {};
	u32 zero = 0;
	struct title_scan *t = bpf_map_lookup_elem(&title_scans, &zero);
	long n = t ? bpf_probe_read_user_str(t->path, TITLE_LEN, at) : 0;

	if (n <= 1 || n >= TITLE_LEN || BPF_CORE_READ(task, mm, arg_end) <= (u64)at + n)
		return 0;
	return bpf_probe_read_user_str(verb.text, VERB_LEN, at + n) > 0 &&
	       (same_name(&verb, &run) || same_name(&verb, &doctor));
}

/* It executes this monitor's own executable, the same inode, as root, and nobody traces it. */
static __always_inline int has_own_exe(struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	return self_exe.ino && BPF_CORE_READ(inode, i_ino) == self_exe.ino &&
	       BPF_CORE_READ(inode, i_sb, s_dev) == self_exe.dev &&
	       !BPF_CORE_READ(task, cred, uid.val) && !BPF_CORE_READ(task, cred, euid.val) &&
	       !BPF_CORE_READ(task, ptrace);
}

/*
 * A monitor that begins: it may do what this one may, and is protected like it from its first instruction on, so that
 * nobody can use it for something else. Neither a tracer nor the environment may have brought in other code, nor a
 * mount namespace of its own other libraries.
 */
static __noinline int is_monitor(u64 task_addr)
{
	struct task_struct *task = (void *)task_addr;
	u32 mnt_ns = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);

	return has_own_exe(task) &&
	       (mnt_ns == self_exe.start.mnt_ns || mnt_ns == self_exe.start.init_mnt_ns) &&
	       runs_monitor(task) && !scan_env(task_addr);
}

/* A child of this monitor that is to take over from it. It may be another file: this one was replaced by an upgrade. */
static __noinline int is_successor(u64 task_addr)
{
	struct task_struct *task = (void *)task_addr;

	return turn_successor(BPF_CORE_READ(task, tgid)) && !BPF_CORE_READ(task, cred, uid.val) &&
	       !BPF_CORE_READ(task, cred, euid.val) && !BPF_CORE_READ(task, ptrace) &&
	       runs_monitor(task) && !scan_env(task_addr);
}

/* The guard that the monitor forks is added by the hooks below. */
SEC("syscall")
int register_self(struct self_start *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (server_add(task, INSTANCE_SELF) || member_add(task, INSTANCE_SELF, MEMBER_THIS))
		return 1;
	map_exe(task, INSTANCE_SELF);
	self_exe.ino = BPF_CORE_READ(task, mm, exe_file, f_inode, i_ino);
	self_exe.dev = BPF_CORE_READ(task, mm, exe_file, f_inode, i_sb, s_dev);
	self_exe.start = *ctx;
	own_cgroups_add(task);
	report_tracer(task, INSTANCE_SELF, EVENT_FOUND_BY_SWEEP);
	return 0;
}

static __noinline int leave_instance(u64 task_addr, u32 is_finding)
{
	struct task_struct *task = (void *)task_addr;
	u32 tgid = BPF_CORE_READ(task, tgid), instance, main, told;
	struct member *m = member_of(tgid);

	if (!m)
		return 0;
	instance = m->instance;
	main = m->main;
	told = m->told;
	member_remove(tgid, instance);
	if (is_finding)
		report_self(task, instance, RULE_MEM_INJECT, VECTOR_EXEC, 0, NULL);
	if (told)
		lifecycle(EVENT_EXEC, task, instance, main ? EVENT_MAIN : 0);
	return 0;
}

/* --- hooks --- */

SEC("tp_btf/sched_process_exec")
int BPF_PROG(proc_exec, struct task_struct *p, int old_pid, struct linux_binprm *bprm)
{
	struct file *exe = bprm->file;
	u32 tgid = p->tgid, found, named, same, wrapped, instance;
	struct member *m = member_of(tgid);

	if (!m && exe->f_inode->i_ino == self_exe.ino && is_monitor(address(p))) {
		if (!member_add(p, INSTANCE_SELF, 1))
			lifecycle(EVENT_INSTANCE, p, INSTANCE_SELF, 0);
		return 0;
	}
	if (m && m->instance == INSTANCE_SELF && is_successor(address(p))) {
		lifecycle(EVENT_INSTANCE, p, INSTANCE_SELF, 0);
		return 0;
	}
	/* exec takes comm from the file name: it counts only if no interpreter took over, so that a
	 * script with a server's name is not taken for one */
	named = file_named(exe) || (bprm->filename == bprm->interp &&
				    ((may_be_name(*(u16 *)p->comm) && comm_known(p)) ||
				     title_known(p->mm->arg_start)));
	if (m) {
		same = named && is_program(p, m->instance);
		/* what starts a server may have a server's name, too */
		wrapped = named && m->main && !bpf_map_lookup_elem(&baselined, &m->instance);
		if (!same || !m->main)
			leave_instance(address(p), !same && !wrapped);
	}
	if (!named)
		return 0;
	instance = register_instance(p, 0);
	if (!instance)
		return 0;
	report_tracer(p, instance, 0);
	found = scan_env(address(p));
	if (found)
		report_env(address(p), instance, found);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(proc_fork, struct task_struct *parent, struct task_struct *child)
{
	struct member *m = member_of(parent->tgid);
	u32 instance;

	if (!m)
		return 0;
	instance = m->instance;
	if (child->tgid == parent->tgid)
		return 0; /* a thread */
	if (!member_add(child, instance, 0))
		lifecycle_begin(EVENT_FORK, child, instance, 0);
	return 0;
}

static long heir_step(void *map, u32 *tgid, struct member *m, u32 *instance)
{
	if (m->instance != *instance)
		return 0;
	if (!m->main) /* this monitor stays MEMBER_THIS when another one ends */
		m->main = 1;
	return 1;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(proc_exit, struct task_struct *p)
{
	u32 tgid = p->tgid, instance, main, told;
	struct member *m = member_of(tgid);

	if (!m)
		return 0;
	instance = m->instance;
	main = m->main;
	told = m->told;
	if (BPF_CORE_READ(p, signal, live.counter))
		return 0; /* other threads are alive */
	if (BPF_CORE_READ(p, signal, group_exit_code) & CORE_DUMPED)
		report_self(p, instance, RULE_MEM_DUMP, VECTOR_CORE, 0, NULL);
	member_remove(tgid, instance);
	if (main && is_running(instance)) /* a server that daemonizes lives on as its child */
		bpf_for_each_map_elem(&procs, heir_step, &instance, 0);
	if (told)
		lifecycle(EVENT_EXIT, p, instance, main ? EVENT_MAIN : 0);
	return 0;
}

/* --- what ran before the monitor --- */

static __always_inline u32 candidate(struct task_struct *task)
{
	u32 tgid = BPF_CORE_READ(task, tgid), *what = bpf_map_lookup_elem(&candidates, &tgid);

	return what ? *what : CANDIDATE_NONE;
}

static __always_inline int is_server(struct task_struct *task)
{
	return comm_known(task) || exe_known(BPF_CORE_READ(task, mm, exe_file)) ||
	       candidate(task) == CANDIDATE_SERVER;
}

static __always_inline int same_exe(struct task_struct *a, struct task_struct *b)
{
	struct file *fa = BPF_CORE_READ(a, mm, exe_file), *fb = BPF_CORE_READ(b, mm, exe_file);

	return fa && fb && BPF_CORE_READ(fa, f_inode) == BPF_CORE_READ(fb, f_inode);
}

/* Its guard runs the same code. */
static __always_inline void found_monitor(struct task_struct *leader)
{
	struct member *parent = member_of(BPF_CORE_READ(leader, real_parent, tgid));
	u32 main = !parent || parent->instance != INSTANCE_SELF;

	if (!member_add(leader, INSTANCE_SELF, main) && main)
		lifecycle(EVENT_INSTANCE, leader, INSTANCE_SELF, EVENT_FOUND_BY_SWEEP);
}

SEC("iter/task")
int find_instances(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *leader, *up;
	struct member *m;
	u32 instance;

	if (!task || (BPF_CORE_READ(task, flags) & PF_KTHREAD))
		return 0;
	if (!BPF_CORE_READ(task, mm)) /* a zombie: it has no memory left to protect */
		return 0;
	leader = BPF_CORE_READ(task, group_leader);
	m = member_of(BPF_CORE_READ(task, tgid));
	if (find_pass == FIND_MONITORS) {
		if (!m && ((candidate(leader) == CANDIDATE_MONITOR && has_own_exe(leader)) ||
			   candidate(leader) == CANDIDATE_PREDECESSOR))
			found_monitor(leader);
		return 0;
	}
	if (find_pass == FIND_SERVERS) {
		if (m || BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid) || !is_server(task))
			return 0;
		/* a BGSAVE child looks like its parent: it waits for FIND_CHILDREN */
		up = BPF_CORE_READ(task, real_parent, group_leader);
		if (is_server(up) && same_exe(task, up))
			return 0;
		instance = register_instance(task, EVENT_FOUND_BY_SWEEP);
		if (instance)
			report_tracer(task, instance, EVENT_FOUND_BY_SWEEP);
		return 0;
	}
	if (m)
		return 0;
	up = BPF_CORE_READ(leader, real_parent, group_leader);
	m = member_of(BPF_CORE_READ(up, pid));
	if (m && same_exe(leader, up) && !member_add(task, m->instance, 0))
		lifecycle_begin(EVENT_FORK, leader, m->instance, EVENT_FOUND_BY_SWEEP);
	return 0;
}

/* Main processes whose start was beyond their user's share: told once he has one again. */
SEC("iter/task")
int find_unreported(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct member *m = task ? server_of(BPF_CORE_READ(task, tgid)) : NULL;

	if (m && m->main && !m->told && BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid))
		lifecycle_begin(EVENT_INSTANCE, task, m->instance,
				EVENT_FOUND_BY_SWEEP | EVENT_MAIN);
	return 0;
}
