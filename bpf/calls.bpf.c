// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * calls.bpf.c - the rare ways to an instance's memory: syscalls few programs ever make, and signals.
 *
 * Hooks, and why these (each at its own end, see syscall.bpf.h; none is on a path that programs take often):
 *   process_madvise, process_mrelease   target by pidfd: pages dropped, swapped out, given back
 *   move_pages, migrate_pages, kcmp     target by number: where its pages lie, which objects it shares
 *   prlimit64                           target by number: its limits changed, core dumps allowed
 *   perf_event_open                     target by number, or by the file a uprobe is planted in
 *   bpf                                 a program that reads or writes user memory; uprobes by link; the
 *                                       monitor's own maps, programs and links in somebody else's hands
 *   init_module, finit_module           code in the kernel sees everything
 *   kexec_load, kexec_file_load         so does the next kernel
 *   mmap, mprotect, pkey_mprotect       code that becomes executable in an instance after its start
 *   iter/bpf_prog                       programs from before the monitor
 *   tp_btf/signal_generate              the signals that make a server dump core, all that reach the monitor,
 *                                       and who sent them
 *   fexit/uprobe_register               uprobes by whatever way (choke rung): tracefs, links
 */
#include "lib/syscall.bpf.h"

#include "hooked_syscall.h"

#define RLIMIT_CORE 4
#define PERF_FLAG_PID_CGROUP 4
#define PERF_SAMPLE_REGS_USER (1u << 12)
#define PERF_SAMPLE_STACK_USER (1u << 13)
#define INSNS_MAX 131072 /* instructions searched; a longer program counts as found */
#define SI_USER 0
#define SEND_SIG_PRIV 1 /* in place of a siginfo: sent by the kernel itself */
#define SIGSTOP 19
#define PTRACE_ATTACH 16
#define PROT_WRITE 2 /* include/uapi/asm-generic/mman-common.h */
#define PROT_EXEC 4
#define MAP_ANONYMOUS 0x20
#define BPF_LINK_UPROBE_MULTI 12 /* include/uapi/linux/bpf.h */

/* Signals whose default is a core dump, signal(7). */
#define CORE_SIGNALS                                                                               \
	(1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 11 | 1u << 24 |         \
	 1u << 25 | 1u << 31)

#define ORDINARY_SIGNALS (1u << 1 | 1u << 2 | 1u << 15 | 1u << 18) /* HUP, INT, TERM, CONT */

const volatile __u32 access_tier; /* uprobe_register is hooked */
const volatile __u32 uprobe_flag; /* this kernel's TRACE_EVENT_FL_UPROBE */
const volatile __u32 helpers_known;

/* What a call of a helper that touches user memory looks like in a loaded program. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, USER_HELPERS_MAX);
	__type(key, s32);
	__type(value, u32);
} user_helpers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OWN_OBJECTS_MAX);
	__type(key, struct own_key);
	__type(value, u32);
} own_objects SEC(".maps");

/* Ids of others' programs that were looked at already. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EVALUATED_MAX);
	__type(key, u32);
	__type(value, u32);
} evaluated SEC(".maps");

static __always_inline int on_pidfd(const struct call *c, u32 asked)
{
	struct file *f = file_of_fd(bpf_get_current_task_btf(), c->arg[0]);
	struct pid *pid = f ? pid_of_pidfd(f) : NULL;
	struct pid_owner *owner = pid ? owner_of_pid(pid) : NULL;

	return owner ? report(owner, RULE_MEM_REMOTE, VECTOR_SYSCALL, call_detail(c, asked), c->ret,
			      0)
		     : 0;
}

static __always_inline int on_number(const struct call *c, u32 nr, u32 rule, u32 asked)
{
	struct pid_owner *owner = nr ? owner_of_number(nr) : NULL;

	return owner ? report(owner, rule, VECTOR_SYSCALL, call_detail(c, asked), c->ret, 0) : 0;
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

/* Reading limits is what everybody does; setting them is not. */
static __always_inline int did_prlimit(const struct call *c)
{
	if (!c->arg[2])
		return 0;
	return on_number(c, c->arg[0], c->arg[1] == RLIMIT_CORE ? RULE_MEM_DUMP : RULE_MEM_REMOTE,
			 c->arg[1]);
}

static __always_inline int did_open_kernel(const struct call *c)
{
	return report_host(RULE_MEM_KERNEL, VECTOR_SYSCALL, call_detail(c, 0), c->ret, 0);
}

static const union short_name prog_name = {"bpf-prog"}, map_name = {"bpf-map"},
			      link_name = {"bpf_link"}, link_by_id_name = {"bpf-link"};

/* The file behind a new descriptor, if it is of that kind: another thread may have swapped it. */
static __always_inline struct file *anon_file(long fd, const union short_name *kind)
{
	struct file *f = fd < 0 ? NULL : file_of_fd(bpf_get_current_task_btf(), fd);

	return f && is_anon(f, kind) ? f : NULL;
}

/* --- uprobes: whose code is it? --- */

struct probed {
	u64 ino;
	u32 dev;
	u32 vector;
	u32 detail;
};

static long probed_step(void *map, u32 *tgid, struct member *m, struct probed *p)
{
	struct mapped_key key = {.ino = p->ino, .dev = p->dev, .instance = m->instance};
	struct pid_owner owner = {.instance = m->instance, .tgid = *tgid, .tid = *tgid};

	if (m->main && bpf_map_lookup_elem(&mapped, &key))
		report(&owner, RULE_MEM_PROBE, p->vector, p->detail, 0, 0);
	return 0;
}

/* Every instance that executes this file, or maps it executable. */
static __noinline int probed(struct inode *inode, u32 vector, u32 detail)
{
	struct probed p = {
		.ino = BPF_CORE_READ(inode, i_ino),
		.dev = BPF_CORE_READ(inode, i_sb, s_dev),
		.vector = vector,
		.detail = detail,
	};

	bpf_for_each_map_elem(&procs, probed_step, &p, 0);
	return 0;
}

static __always_inline struct inode *uprobe_inode(struct trace_event_call *call)
{
	struct trace_probe_event *event =
		(void *)call - bpf_core_field_offset(struct trace_probe_event, call);
	struct list_head *first = BPF_CORE_READ(event, probes.next);
	struct trace_probe *tp = (void *)first - bpf_core_field_offset(struct trace_probe, list);
	struct trace_uprobe *tu = (void *)tp - bpf_core_field_offset(struct trace_uprobe, tp);
	struct trace_uprobe___6_11 *old = (void *)tu;

	/* 3c83a9ad0295 (6.12) keeps the registered uprobe instead of the inode */
	if (bpf_core_field_exists(old->inode))
		return BPF_CORE_READ(old, inode);
	return BPF_CORE_READ(tu, uprobe, inode);
}

static __always_inline int did_perf(const struct call *c)
{
	u32 pid = c->arg[4] & PERF_FLAG_PID_CGROUP ? 0 : c->arg[1], asked = PERF_OP_COUNT;
	struct pid_owner *owner = (s32)pid > 0 ? owner_of_number(pid) : NULL;
	struct trace_event_call *call;
	struct perf_event *e;
	struct file *f;
	u64 sample;

	if (c->ret < 0)
		return owner ? report(owner, RULE_MEM_PROBE, VECTOR_SYSCALL, call_detail(c, 0),
				      c->ret, 0)
			     : 0;
	f = file_of_fd(bpf_get_current_task_btf(), c->ret);
	e = f ? anon_event(f) : NULL;
	if (!e)
		return 0;
	call = BPF_CORE_READ(e, tp_event);
	if (call && (BPF_CORE_READ(call, flags) & uprobe_flag)) {
		u32 detail = call_detail(c, PERF_OP_UPROBE);

		if (owner)
			return report(owner, RULE_MEM_PROBE, VECTOR_SYSCALL, detail, c->ret, 0);
		if ((s32)pid <= 0)
			probed(uprobe_inode(call), VECTOR_SYSCALL, detail);
		return 0;
	}
	sample = BPF_CORE_READ(e, attr.sample_type);
	if (sample)
		asked = sample & (PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)
				? PERF_OP_SAMPLE_USER
				: PERF_OP_SAMPLE;
	if (owner)
		return report(owner, RULE_MEM_PROBE, VECTOR_SYSCALL, call_detail(c, asked), c->ret,
			      0);
	if ((s32)pid == -1 && asked == PERF_OP_SAMPLE_USER)
		return report_host(RULE_MEM_PROBE, VECTOR_SYSCALL, call_detail(c, asked), c->ret,
				   0);
	return 0;
}

/* --- foreign BPF programs --- */

struct insn_search {
	u64 insns;
	u32 found;
	u32 pad;
};

static long insn_step(u32 i, struct insn_search *s)
{
	struct bpf_insn insn = {};
	s32 imm;

	bpf_probe_read_kernel(&insn, sizeof(insn), (void *)s->insns + i * sizeof(insn));
	imm = insn.imm;
	if (insn.code == (BPF_JMP | BPF_CALL) && bpf_map_lookup_elem(&user_helpers, &imm))
		s->found = 1;
	return s->found;
}

/* Can it read or write the memory of the program it interrupts? */
static __noinline int touches_users(struct bpf_prog *prog)
{
	struct insn_search s = {.insns =
					(u64)prog + bpf_core_field_offset(struct bpf_prog, insnsi)};
	u32 len = BPF_CORE_READ(prog, len);

	if (!helpers_known || len > INSNS_MAX)
		return 1;
	bpf_loop(len, insn_step, &s, 0);
	return s.found;
}

/* A link that plants uprobes by itself, without perf events (89ae89f53d20, 6.6). */
static __always_inline int linked(struct bpf_link *link, u32 detail)
{
	struct bpf_uprobe_multi_link *multi;
	struct task_struct *only;

	if (!bpf_core_type_exists(struct bpf_uprobe_multi_link) ||
	    BPF_CORE_READ(link, type) != BPF_LINK_UPROBE_MULTI)
		return 0;
	multi = (void *)link - bpf_core_field_offset(struct bpf_uprobe_multi_link, link);
	only = BPF_CORE_READ(multi, task);
	if (only && !member_of(BPF_CORE_READ(only, tgid)))
		return 0;
	return probed(BPF_CORE_READ(multi, path.dentry, d_inode), VECTOR_SYSCALL, detail);
}

/* --- our own BPF in the hands of others --- */

/* The kind of object a command's first attribute counts by id. */
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

/* Where a command's attributes name the descriptor it works on, see union bpf_attr. */
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
	default: /* all others begin with it */
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

/* Is this command about one of the monitor's objects? A descriptor of one comes by its id or by a pin. */
__noinline int about_us(u32 cmd, u64 attr, s64 ret)
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

static __always_inline int did_bpf(const struct call *c)
{
	struct pid_owner self = {.instance = INSTANCE_SELF};
	struct bpf_link *link;
	struct bpf_prog *prog;
	struct file *f;

	if (is_exempt(bpf_get_current_task_btf(), INSTANCE_SELF))
		return 0;
	if (c->arg[0] != BPF_PROG_LOAD && about_us(c->arg[0], c->arg[1], c->ret))
		return report(&self, RULE_SELF_TAMPER, VECTOR_SYSCALL, call_detail(c, c->arg[0]),
			      c->ret, 0);
	if (c->arg[0] == BPF_PROG_LOAD) {
		u32 id, one = 1;

		f = anon_file(c->ret, &prog_name);
		prog = f ? BPF_CORE_READ(f, private_data) : NULL;
		if (!prog || !touches_users(prog))
			return 0;
		id = BPF_CORE_READ(prog, aux, id);
		bpf_map_update_elem(&evaluated, &id, &one, BPF_ANY);
		return report_host(RULE_MEM_KERNEL, VECTOR_SYSCALL, call_detail(c, c->arg[0]),
				   c->ret, id);
	}
	if (c->arg[0] == BPF_LINK_CREATE && !access_tier) {
		f = anon_file(c->ret, &link_name);
		link = f ? BPF_CORE_READ(f, private_data) : NULL;
		return link ? linked(link, call_detail(c, c->arg[0])) : 0;
	}
	return 0;
}

/* Programs nobody was seen to load. */
SEC("iter/bpf_prog")
int sweep_progs(struct bpf_iter__bpf_prog *ctx)
{
	struct bpf_prog *prog = ctx->prog;
	u32 id, one = 1;
	struct attempt_key key = {.rule = RULE_MEM_KERNEL, .vector = VECTOR_SWEEP};
	struct own_key own = {.kind = OWN_PROG};
	struct event *e;

	if (!prog)
		return 0;
	own.id = id = BPF_CORE_READ(prog, aux, id);
	if (!id || bpf_map_lookup_elem(&own_objects, &own) || bpf_map_lookup_elem(&evaluated, &id))
		return 0;
	if (touches_users(prog)) {
		key.detail = id;
		e = attempt_begin(&key, 0);
		if (!e)
			return 0;
		e->flags |= EVENT_FOUND_BY_SWEEP;
		event_send(e);
	}
	bpf_map_update_elem(&evaluated, &id, &one, BPF_ANY);
	return 0;
}

/* --- code that comes late --- */

static __always_inline int did_become_code(const struct call *c, struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct member *m = member_of(task->tgid);
	u32 kind = c->arg[2] & PROT_WRITE ? FINDING_CODE_WRITABLE
		   : file		  ? FINDING_CODE_FILE
					  : FINDING_CODE_ANONYMOUS;
	u32 later = 0, instance;
	struct mapped_key key = {};

	if (!m)
		return 0;
	instance = m->instance;
	if (!bpf_map_lookup_elem(&baselined, &instance))
		return 0;
	if (kind == FINDING_CODE_FILE) {
		key.ino = BPF_CORE_READ(file, f_inode, i_ino);
		key.dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
		key.instance = instance;
		if (bpf_map_update_elem(&mapped, &key, &later, BPF_NOEXIST))
			return 0; /* it was there at the start, or was told */
	}
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
	struct pt_regs *regs = saved_regs();

	if (SYSCALL_NUMBER(regs) == NR_perf_event_open) /* its own hook knows whom it is for */
		return 0;
	probed(inode, VECTOR_UPROBE, 0);
	return 0;
}

/* Its parent, or init, ends the monitor the way it is meant to be ended. */
static __always_inline int is_ordinary(int sig, struct task_struct *to)
{
	int tgid = bpf_get_current_task_btf()->tgid;

	if (sig > 31 || !(ORDINARY_SIGNALS & 1u << (sig & 31)))
		return 0;
	return tgid == 1 || tgid == BPF_CORE_READ(to, real_parent, tgid);
}

/*
 * Only what a process sent: a fault of its own is its own. On the syscall rung, which 32-bit callers pass unseen,
 * the stop that comes of PTRACE_ATTACH tells of it.
 */
SEC("tp_btf/signal_generate")
int BPF_PROG(signal_sent, int sig, struct kernel_siginfo *info, struct task_struct *task)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct member *m;
	struct pid_owner owner = {};

	m = member_of(task->tgid);
	if (!m)
		return 0;
	owner.instance = m->instance;
	owner.tgid = task->tgid;
	owner.tid = task->pid;
	if (sig == SIGSTOP && (u64)info == SEND_SIG_PRIV && !access_tier && COMPAT_CALL(current))
		return report(&owner, RULE_MEM_TRACE, VECTOR_PTRACE, PTRACE_ATTACH, 0, 0);
	if (m->instance == INSTANCE_SELF ? is_ordinary(sig, task)
					 : sig > 31 || !(CORE_SIGNALS & 1u << (sig & 31)))
		return 0;
	if ((u64)info == SEND_SIG_PRIV || ((u64)info && BPF_CORE_READ(info, si_code) > SI_USER))
		return 0;
	return report(&owner, RULE_MEM_DUMP, VECTOR_SIGNAL, sig, 0, 0);
}
