// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * calls.bpf.c - the calls sensor: syscalls that few programs ever make and that give access to an
 * instance's memory, and signals.
 *
 * Hooks, what each decides, and why there. The syscalls are hooked at their own end
 * (syscall.bpf.h); none is on a path that programs take often:
 *   process_madvise, process_mrelease   target by pidfd: pages dropped, swapped out or reclaimed
 *   move_pages, migrate_pages, kcmp     target by number: where its pages are, which kernel objects
 *                                       it shares
 *   prlimit64                           target by number: limits changed, core dumps allowed
 *   perf_event_open                     target by number, or by the file a uprobe is planted in
 *   bpf                                 programs that read or write user or kernel memory; uprobes
 *                                       by link; others that use the monitor's maps, programs, links
 *   init_module, finit_module           code in the kernel sees everything
 *   kexec_load, kexec_file_load         so does the next kernel
 *   mmap, mprotect, pkey_mprotect       code that becomes executable in an instance after its start
 *   pipe, pipe2                         the pipes of an instance, known when somebody opens one
 *   iter/bpf_prog                       programs from before the monitor
 *   tp_btf/signal_generate              signals that make a server dump core, any signal to the
 *                                       monitor, and who sent it
 *   sched_setscheduler, sched_setattr, sched_setaffinity, setpriority
 *                                       target by number: the monitor is starved of CPU time
 *   tp_btf/cgroup_attach_task, cgroup_freeze
 *                                       the monitor or its guard is moved to another cgroup, or its
 *                                       cgroup is frozen
 *   fexit/uprobe_register               uprobes planted in any way, by tracefs and links too (access
 *                                       tier only)
 */
#include "lib/cgroup.bpf.h"
#include "lib/procfile.bpf.h"
#include "lib/syscall.bpf.h"

#include "hooked_syscall.h"

#define RLIMIT_CORE 4
#define PRIO_PROCESS 0
#define PERF_FLAG_PID_CGROUP 4
#define PERF_SAMPLE_REGS_USER (1u << 12)
#define PERF_SAMPLE_STACK_USER (1u << 13)
#define INSNS_MAX 131072 /* a longer program is not searched, and counts as one that reads memory */
#define SI_USER 0
#define SEND_SIG_PRIV 1 /* in place of the siginfo pointer: sent by the kernel itself */
#define SIGSTOP 19
#define PTRACE_ATTACH 16
#define PROT_WRITE 2 /* include/uapi/asm-generic/mman-common.h */
#define PROT_EXEC 4
#define MAP_ANONYMOUS 0x20

/* Signals whose default is a core dump, signal(7). */
#define CORE_SIGNALS                                                                               \
	(1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 11 | 1u << 24 |         \
	 1u << 25 | 1u << 31)

#define ORDINARY_SIGNALS (1u << 1 | 1u << 2 | 1u << 15 | 1u << 18) /* HUP, INT, TERM, CONT */

const volatile __u32 access_tier;   /* uprobe_register is hooked */
const volatile __u32 quiet;	    /* ptrace is not hooked */
const volatile __u32 uprobe_flag;   /* this kernel's TRACE_EVENT_FL_UPROBE */
const volatile __u32 helpers_known; /* user_helpers is filled: kallsyms was readable */

/*
 * Immediates of calls to helpers that read or write the memory of other processes, as they are in a
 * loaded program -> enum prog_reach.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, USER_HELPERS_MAX);
	__type(key, s32);
	__type(value, u32);
} user_helpers SEC(".maps");

/* The monitor's own BPF objects. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OWN_OBJECTS_MAX);
	__type(key, struct own_key);
	__type(value, u32);
} own_objects SEC(".maps");

/* Tags -> enum tag_owner. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OWN_OBJECTS_MAX);
	__type(key, u64);
	__type(value, u32);
} known_tags SEC(".maps");

/* Ids of other programs that were evaluated already. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EVALUATED_MAX);
	__type(key, u32);
	__type(value, u32);
} evaluated SEC(".maps");

/* --- a target by pidfd or number --- */

static __always_inline int report_call(struct pid_owner *owner, u32 rule, const struct call *c,
				       u32 op)
{
	return owner ? report(owner, rule, VECTOR_SYSCALL, call_detail(c, op), c->ret, 0) : 0;
}

/*
 * An action on the memory of the whole machine, and so of every instance. A separate function, so
 * that its stack is not in use while a probe is reported for every instance.
 */
static __noinline int on_host(u32 rule, u32 detail, long ret)
{
	struct pid_owner host = {.instance = INSTANCE_HOST};

	return report(&host, rule, VECTOR_SYSCALL, detail, ret, 0);
}

static __always_inline int on_pidfd(const struct call *c, u32 op)
{
	struct pid_owner room = {};

	return report_call(owner_of_pidfd(c->arg[0], &room), RULE_MEM_REMOTE, c, op);
}

/* nr 0 means the caller itself. */
static __always_inline int on_number(const struct call *c, u32 nr, u32 rule, u32 op)
{
	struct pid_owner room = {};

	return report_call(nr ? owner_of_number(nr, &room) : NULL, rule, c, op);
}

static __always_inline int did_madvise(const struct call *c)
{
	return on_pidfd(c, c->arg[3]);
}

static __always_inline int did_mrelease(const struct call *c)
{
	return on_pidfd(c, 0);
}

static __always_inline int did_move_pages(const struct call *c)
{
	return on_number(c, c->arg[0], RULE_MEM_REMOTE, 0);
}

static __always_inline int did_kcmp(const struct call *c)
{
	return on_number(c, c->arg[0], RULE_MEM_REMOTE, c->arg[2]) ||
	       on_number(c, c->arg[1], RULE_MEM_REMOTE, c->arg[2]);
}

static __always_inline int did_prlimit(const struct call *c)
{
	if (!c->arg[2]) /* limits are read: no new ones */
		return 0;
	return on_number(c, c->arg[0], c->arg[1] == RLIMIT_CORE ? RULE_MEM_DUMP : RULE_MEM_REMOTE,
			 c->arg[1]);
}

/* How and where the monitor is scheduled. For a server that is ordinary tuning. */
static __always_inline int did_schedule(const struct call *c, u32 nr)
{
	struct pid_owner room = {}, *owner = nr ? owner_of_number(nr, &room) : NULL;

	return owner && owner->instance == INSTANCE_SELF
		       ? report_call(owner, RULE_SELF_TAMPER, c, 0)
		       : 0;
}

static __always_inline int did_setsched(const struct call *c)
{
	return did_schedule(c, c->arg[0]);
}

/* Not for a process group or a user, which are not resolved: monitor/lag.h measures the effect. */
static __always_inline int did_setprio(const struct call *c)
{
	return c->arg[0] == PRIO_PROCESS ? did_schedule(c, c->arg[1]) : 0;
}

/* Modules and kexec. */
static __always_inline int did_load_code(const struct call *c)
{
	return on_host(RULE_MEM_KERNEL, call_detail(c, 0), c->ret);
}

/* --- uprobes and perf events --- */

struct probe {
	u64 ino;
	u32 dev;
	u32 vector;
	u32 detail;
};

static long probe_step(void *map, u32 *tgid, struct member *m, struct probe *p)
{
	struct mapped_key key = {.ino = p->ino, .dev = p->dev, .instance = m->instance};
	struct pid_owner owner = {.instance = m->instance, .tgid = *tgid, .tid = *tgid};

	if (m->main && bpf_map_lookup_elem(&mapped, &key))
		report(&owner, RULE_MEM_PROBE, p->vector, p->detail, 0, 0);
	return 0;
}

/* A probe in a file: report it for every instance that executes the file or maps it executable. */
static __noinline int report_probe(struct inode *inode, u32 vector, u32 detail)
{
	struct probe p = {.vector = vector, .detail = detail};

	BPF_CORE_READ_INTO(&p.ino, inode, i_ino);
	BPF_CORE_READ_INTO(&p.dev, inode, i_sb, s_dev);
	bpf_for_each_map_elem(&procs, probe_step, &p, 0);
	return 0;
}

/*
 * What a perf event that is no uprobe records. Without a period it only counts, whatever it would
 * sample; the kernel lets nobody set a period later (perf_event_period()).
 */
static __always_inline u32 perf_op_of(struct perf_event *event)
{
	u64 sample = BPF_CORE_READ(event, attr.sample_type);

	if (!sample || !BPF_CORE_READ(event, attr.sample_period))
		return PERF_OP_COUNT;
	return sample & (PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER) ? PERF_OP_SAMPLE_USER
									 : PERF_OP_SAMPLE;
}

/* A separate function for the same reason as on_host(). */
static __noinline int on_perf_target(u32 nr, u32 detail, long ret)
{
	struct pid_owner room = {}, *owner = (s32)nr > 0 ? owner_of_number(nr, &room) : NULL;

	return owner ? report(owner, RULE_MEM_PROBE, VECTOR_SYSCALL, detail, ret, 0) : 0;
}

static __always_inline int did_perf(const struct call *c)
{
	/* for a cgroup the number is a descriptor, and any of its processes is sampled, as for -1 */
	u32 pid = c->arg[4] & PERF_FLAG_PID_CGROUP ? (u32)-1 : c->arg[1], op;
	struct trace_event_call *call;
	struct perf_event *event;
	struct file *f;

	if (c->ret < 0)
		return on_perf_target(pid, call_detail(c, PERF_OP_UNKNOWN), c->ret);
	f = file_of_fd(bpf_get_current_task_btf(), c->ret);
	event = f ? perf_event_of(f) : NULL;
	if (!event)
		return 0;
	call = BPF_CORE_READ(event, tp_event);
	if (call && (BPF_CORE_READ(call, flags) & uprobe_flag)) {
		if ((s32)pid == -1)
			return report_probe(uprobe_inode(call), VECTOR_SYSCALL,
					    call_detail(c, PERF_OP_UPROBE));
		return on_perf_target(pid, call_detail(c, PERF_OP_UPROBE), c->ret);
	}
	op = perf_op_of(event);
	if ((s32)pid == -1) /* any process is sampled */
		return op == PERF_OP_SAMPLE_USER
			       ? on_host(RULE_MEM_PROBE, call_detail(c, op), c->ret)
			       : 0;
	return on_perf_target(pid, call_detail(c, op), c->ret);
}

/* --- BPF programs of others --- */

struct insn_search {
	u64 insns;
	u32 found;
	u32 pad;
};

static long insn_step(u32 i, struct insn_search *s)
{
	struct bpf_insn insn = {};
	u32 *reach;
	s32 imm;

	bpf_probe_read_kernel(&insn, sizeof(insn), (void *)s->insns + i * sizeof(insn));
	imm = insn.imm;
	reach = insn.code == (BPF_JMP | BPF_CALL) ? bpf_map_lookup_elem(&user_helpers, &imm) : NULL;
	if (reach && *reach > s->found)
		s->found = *reach;
	return s->found == REACH_USER;
}

/* How can this program read or write the memory of the process it interrupts? */
static __noinline int prog_reach(struct bpf_prog *prog)
{
	struct insn_search s = {.insns =
					(u64)prog + bpf_core_field_offset(struct bpf_prog, insnsi)};
	u32 len = BPF_CORE_READ(prog, len);

	if (!helpers_known || len > INSNS_MAX)
		return REACH_USER;
	bpf_loop(len, insn_step, &s, 0);
	return s.found;
}

/* enum tag_owner, 0: nobody known. */
static __always_inline u32 tag_owner(struct bpf_prog *prog)
{
	u64 tag = 0;
	u32 *owner;

	BPF_CORE_READ_INTO(&tag, prog, tag);
	owner = bpf_map_lookup_elem(&known_tags, &tag);
	return owner ? *owner : 0;
}

static __always_inline void prog_fill(struct event *e, struct bpf_prog *prog, u32 reach)
{
	e->prog.reach = reach;
	e->prog.type = BPF_CORE_READ(prog, type);
	BPF_CORE_READ_INTO(&e->prog.tag, prog, tag);
	BPF_CORE_READ_INTO(&e->prog.name, prog, aux, name);
}

/* A link that plants uprobes without perf events. */
static __always_inline int report_link(struct bpf_link *link, u32 detail)
{
	struct bpf_uprobe_multi_link *multi = uprobe_multi_of(link);
	struct task_struct *only;

	if (!multi)
		return 0;
	only = BPF_CORE_READ(multi, task);
	if (only && !member_of(BPF_CORE_READ(only, tgid)))
		return 0;
	return report_probe(BPF_CORE_READ(multi, path.dentry, d_inode), VECTOR_SYSCALL, detail);
}

static const union short_name prog_name = {"bpf-prog"}, map_name = {"bpf-map"},
			      link_name = {"bpf_link"}, link_by_id_name = {"bpf-link"};

/*
 * The file behind a new descriptor, NULL if it is of another kind: another thread may have replaced
 * it. A separate function, too.
 */
static __noinline struct file *anon_file(long fd, const union short_name *kind)
{
	struct file *f = fd < 0 ? NULL : file_of_fd(bpf_get_current_task_btf(), fd);

	return f && is_anon(f, kind) ? f : NULL;
}

/* --- the monitor's BPF objects, used by others --- */

/* The kind of object that a command names by id, in its first attribute. */
static __always_inline u32 kind_by_id(u32 cmd)
{
	switch (cmd) {
	case BPF_MAP_GET_FD_BY_ID:
		return OWN_MAP;
	case BPF_PROG_GET_FD_BY_ID:
		return OWN_PROG;
	case BPF_LINK_GET_FD_BY_ID:
		return OWN_LINK;
	default:
		return OWN_NONE;
	}
}

/* Offset of the descriptor that a command works on in its attributes. */
static __always_inline u32 fd_offset(u32 cmd)
{
	switch (cmd) {
	case BPF_OBJ_PIN:
		return offsetof(union bpf_attr, bpf_fd);
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
		return offsetof(union bpf_attr, attach_bpf_fd);
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH:
		return offsetof(union bpf_attr, batch.map_fd);
	default: /* the first attribute of all others */
		return 0;
	}
}

static __always_inline struct own_key object_of_fd(long fd)
{
	struct own_key key = {};
	struct bpf_link *link;
	struct bpf_prog *prog;
	struct bpf_map *map;
	struct file *f;

	if ((f = anon_file(fd, &map_name))) {
		map = BPF_CORE_READ(f, private_data);
		key.kind = OWN_MAP;
		key.id = BPF_CORE_READ(map, id);
	} else if ((f = anon_file(fd, &prog_name))) {
		prog = BPF_CORE_READ(f, private_data);
		key.kind = OWN_PROG;
		key.id = BPF_CORE_READ(prog, aux, id);
	} else if ((f = anon_file(fd, &link_name)) || (f = anon_file(fd, &link_by_id_name))) {
		link = BPF_CORE_READ(f, private_data);
		key.kind = OWN_LINK;
		key.id = BPF_CORE_READ(link, id);
	}
	return key;
}

/*
 * Does this command name one of the monitor's objects, or return a descriptor of one, by its id or
 * a pin?
 */
__noinline int names_own(u32 cmd, u64 attr, s64 ret)
{
	u32 kind = kind_by_id(cmd), word = 0;
	struct own_key key;

	if (ret >= 0 && (kind || cmd == BPF_OBJ_GET)) {
		key = object_of_fd(ret);
	} else {
		bpf_probe_read_user(&word, sizeof(word), (const char *)attr + fd_offset(cmd));
		if (kind)
			key = (struct own_key){.kind = kind, .id = word};
		else
			key = object_of_fd(word);
	}
	return key.kind && bpf_map_lookup_elem(&own_objects, &key);
}

/* A separate function for the same reason as on_host(). */
static __noinline int did_load_prog(const struct call *c)
{
	struct file *f = anon_file(c->ret, &prog_name);
	struct bpf_prog *prog = f ? BPF_CORE_READ(f, private_data) : NULL;
	struct attempt_key key = {.rule = RULE_MEM_KERNEL, .vector = VECTOR_SYSCALL};
	struct task_struct *task = bpf_get_current_task_btf();
	u32 reach = prog ? prog_reach(prog) : REACH_NONE, id, one = 1;
	struct event *e;

	if (!reach || tag_owner(prog) == TAG_HARMLESS)
		return 0;
	id = BPF_CORE_READ(prog, aux, id);
	bpf_map_update_elem(&evaluated, &id, &one, BPF_ANY);
	if (!turn_mine(bpf_get_current_pid_tgid(), id))
		return 0;
	key.detail = call_detail(c, BPF_PROG_LOAD);
	key.object = reach == REACH_INDIRECT; /* counted apart from REACH_USER */
	key_actor(&key, task);
	e = attempt_begin(&key, 0);
	if (!e)
		return 0;
	e->fd = id;
	event_actor(e, address(task));
	session_fill(&e->actor, address(task));
	prog_fill(e, prog, reach);
	event_send(e);
	return 0;
}

/* Another monitor loads its programs: no sweep is to report them. */
static __noinline int did_load_own(const struct call *c)
{
	struct file *f = anon_file(c->ret, &prog_name);
	struct bpf_prog *prog = f ? BPF_CORE_READ(f, private_data) : NULL;
	u32 id = prog ? BPF_CORE_READ(prog, aux, id) : 0, one = 1;

	if (id)
		bpf_map_update_elem(&evaluated, &id, &one, BPF_ANY);
	return 0;
}

/* A separate function, too. */
static __noinline int used_own(const struct call *c)
{
	struct pid_owner self = {.instance = INSTANCE_SELF};

	return report_call(&self, RULE_SELF_TAMPER, c, c->arg[0]);
}

static __always_inline int did_bpf(const struct call *c)
{
	struct bpf_link *link;
	struct file *f;

	if (is_exempt(bpf_get_current_task_btf(), INSTANCE_SELF))
		return c->arg[0] == BPF_PROG_LOAD ? did_load_own(c) : 0;
	if (c->arg[0] == BPF_PROG_LOAD)
		return did_load_prog(c);
	if (names_own(c->arg[0], c->arg[1], c->ret))
		return used_own(c);
	if (c->arg[0] == BPF_LINK_CREATE && !access_tier) {
		f = anon_file(c->ret, &link_name);
		link = f ? BPF_CORE_READ(f, private_data) : NULL;
		return link ? report_link(link, call_detail(c, c->arg[0])) : 0;
	}
	return 0;
}

/* Programs whose load no hook saw. */
SEC("iter/bpf_prog")
int sweep_progs(struct bpf_iter__bpf_prog *ctx)
{
	struct bpf_prog *prog = ctx->prog;
	struct attempt_key key = {.rule = RULE_MEM_KERNEL, .vector = VECTOR_SWEEP};
	struct own_key own = {.kind = OWN_PROG};
	struct event *e;
	u32 id, one = 1, reach;

	if (!prog)
		return 0;
	own.id = id = BPF_CORE_READ(prog, aux, id);
	if (!id || bpf_map_lookup_elem(&own_objects, &own) || bpf_map_lookup_elem(&evaluated, &id))
		return 0;
	/* what is there before this monitor's turn, the one before has reported */
	reach = tag_owner(prog) || !turn_mine_swept() ? REACH_NONE : prog_reach(prog);
	if (reach) {
		key.detail = id;
		e = attempt_begin(&key, 0);
		if (!e)
			return 0;
		e->flags |= EVENT_FOUND_BY_SWEEP;
		prog_fill(e, prog, reach);
		event_send(e);
	}
	bpf_map_update_elem(&evaluated, &id, &one, BPF_ANY);
	return 0;
}

/* --- pipes of an instance --- */

static __always_inline int did_pipe(const struct call *c)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct member *m = server_of(task->tgid);
	struct own_pipe pipe = {.seen_ns = bpf_ktime_get_boot_ns()}, *known;
	struct file_key key;
	s32 fd = 0;
	struct file *f;

	if (!m || c->ret || bpf_probe_read_user(&fd, sizeof(fd), (void *)c->arg[0]))
		return 0;
	f = file_of_fd(task, fd); /* both ends are one inode */
	if (!f)
		return 0;
	pipe.by.instance = m->instance;
	pipe.by.tgid = pipe.by.tid = task->tgid;
	pipe.account = account_of_server(m->instance);
	key = file_key_of(BPF_CORE_READ(f, f_inode));
	known = bpf_map_lookup_elem(&own_pipes, &key);
	if (known) { /* an earlier pipe had the number */
		known->by = pipe.by;
		known->seen_ns = pipe.seen_ns;
		return 0;
	}
	if (budget_spend(pipe.account, BUDGET_PIPES, address(task)))
		return 0;
	if (bpf_map_update_elem(&own_pipes, &key, &pipe, BPF_NOEXIST)) {
		budget_return(pipe.account, BUDGET_PIPES);
		counter_add(COUNTER_PIPES_FULL, 1);
	}
	return 0;
}

/* --- code that becomes executable after the start --- */

static __always_inline int did_become_code(const struct call *c, struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct member *m = member_of(task->tgid);
	u32 kind = c->arg[2] & PROT_WRITE ? FINDING_CODE_WRITABLE
		   : file		  ? FINDING_CODE_FILE
					  : FINDING_CODE_ANONYMOUS;
	u32 instance;

	if (!m)
		return 0;
	instance = m->instance;
	if (!bpf_map_lookup_elem(&baselined, &instance))
		return 0;
	if (kind == FINDING_CODE_FILE &&
	    !code_enter(instance, BPF_CORE_READ(file, f_inode, i_ino),
			BPF_CORE_READ(file, f_inode, i_sb, s_dev), address(task)))
		return 0; /* mapped since the start, or reported */
	report_self(task, instance, RULE_MEM_INJECT, VECTOR_SYSCALL, call_detail(c, kind), file);
	return 0;
}

static __always_inline int did_mmap(const struct call *c)
{
	if (!(c->arg[2] & PROT_EXEC) || c->ret < 0)
		return 0;
	return did_become_code(c, c->arg[3] & MAP_ANONYMOUS
					  ? NULL
					  : file_of_fd(bpf_get_current_task_btf(), c->arg[4]));
}

static __always_inline int did_mprotect(const struct call *c)
{
	return (c->arg[2] & PROT_EXEC) && !c->ret ? did_become_code(c, NULL) : 0;
}

HOOKED_SYSCALLS(SYSCALL_HOOK)

SEC("?fexit/uprobe_register")
int BPF_PROG(ac_uprobe, struct inode *inode)
{
	/* perf_event_open has a hook of its own, which knows the target */
	if (SYSCALL_NUMBER(current_regs()) == NR_perf_event_open)
		return 0;
	report_probe(inode, VECTOR_UPROBE, 0);
	return 0;
}

/* --- signals --- */

static __always_inline int in_set(u32 set, int sig)
{
	return sig <= 31 && (set & 1u << (sig & 31));
}

/* Its parent, or init, ends or reloads the monitor in the ordinary way. */
static __always_inline int is_ordinary(int sig, struct task_struct *to)
{
	int tgid = bpf_get_current_task_btf()->tgid;

	return in_set(ORDINARY_SIGNALS, sig) &&
	       (tgid == 1 || tgid == BPF_CORE_READ(to, real_parent, tgid));
}

/* Where this caller passes no hook of ptrace, the signal that PTRACE_ATTACH sends reveals it. */
static __always_inline int is_attach(int sig, struct kernel_siginfo *info)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (sig != SIGSTOP || (u64)info != SEND_SIG_PRIV || access_tier)
		return 0;
	return COMPAT_CALL(task) || (quiet && syscall_number(task) == NR_ptrace);
}

/* Signals that processes sent; a fault that a server raises itself is not an attack. */
SEC("tp_btf/signal_generate")
int BPF_PROG(signal_sent, int sig, struct kernel_siginfo *info, struct task_struct *task)
{
	struct pid_owner target = {};
	struct member *m;

	m = member_of(task->tgid);
	if (!m)
		return 0;
	target.instance = m->instance;
	target.tgid = task->tgid;
	target.tid = task->pid;
	if (is_attach(sig, info))
		return report(&target, RULE_MEM_TRACE, VECTOR_PTRACE, PTRACE_ATTACH, 0, 0);
	if (m->instance == INSTANCE_SELF ? is_ordinary(sig, task) : !in_set(CORE_SIGNALS, sig))
		return 0;
	if ((u64)info == SEND_SIG_PRIV || ((u64)info && BPF_CORE_READ(info, si_code) > SI_USER))
		return 0;
	return report(&target, RULE_MEM_DUMP, VECTOR_SIGNAL, sig, 0, 0);
}

/* --- the monitor's cgroups --- */

static __always_inline int cgroup_changed(u32 op, u32 tgid, u32 tid)
{
	struct pid_owner self = {.instance = INSTANCE_SELF, .tgid = tgid, .tid = tid};

	return report(&self, RULE_SELF_TAMPER, VECTOR_CGROUP, op, 0, 0);
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(cgroup_moved, struct cgroup *to, const char *path, struct task_struct *task)
{
	struct member *m = member_of(task->tgid);

	if (!m || m->instance != INSTANCE_SELF)
		return 0;
	own_cgroup_add(address(to));
	return cgroup_changed(CGROUP_OP_MOVE, task->tgid, task->pid);
}

/* Called for the frozen cgroup and for all below it. */
SEC("tp_btf/cgroup_freeze")
int BPF_PROG(cgroup_frozen, struct cgroup *cgrp)
{
	return own_cgroup(cgrp) == CGROUP_HOLDS_IT ? cgroup_changed(CGROUP_OP_FREEZE, 0, 0) : 0;
}
