// SPDX-License-Identifier: BSD-2-Clause
/* attempt.c - see attempt.h. */
#include "model/attempt.h"

#include "base/macros.h"
#include "model/command.h"
#include "model/file_kind.h"
#include "model/finding_kind.h"
#include "model/request.h"
#include "model/routine.h"
#include "model/syscall.h"
#include "model/tls_suite.h"
#include "model/vector.h"

#include "syscall_nr.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME_SERVER_PORT 53

/* The state a sweep found: its detail is an enum finding_kind or, of a file held open, an enum file_kind. */
static bool is_swept_state(const struct event *ev)
{
	return ev->key.vector == VECTOR_SWEEP && ev->key.rule != RULE_MEM_KERNEL;
}

/* The file that was opened, used or found open, NULL if it was none. */
static const struct file_kind_info *file_of(const struct event *ev)
{
	if (ev->key.vector == VECTOR_ACCESS)
		return file_kind_get(syscall_op(ev));
	return vector_is_open(ev->key.vector) || is_swept_state(ev) ? file_kind_get(ev->key.detail)
								    : NULL;
}

static const struct finding_kind_info *finding_of(const struct event *ev)
{
	if (is_swept_state(ev))
		return finding_kind_swept(ev->key.detail);
	return ev->key.vector == VECTOR_EXEC ? finding_kind_env(ev->key.detail) : NULL;
}

/* --- severity --- */

/* bpf(2) commands that a tool which lists all BPF objects of the host issues on the monitor's, too. */
static bool is_bpf_listing(unsigned int cmd)
{
	static const unsigned char listing[] = {
		BPF_MAP_LOOKUP_ELEM,   BPF_MAP_GET_NEXT_KEY,   BPF_PROG_GET_FD_BY_ID,
		BPF_MAP_GET_FD_BY_ID,  BPF_OBJ_GET_INFO_BY_FD, BPF_MAP_LOOKUP_BATCH,
		BPF_LINK_GET_FD_BY_ID,
	};

	return cmd <= UINT8_MAX && memchr(listing, (int)cmd, sizeof(listing));
}

/* Signals that only wake the monitor, or ask it to shut down in good order. */
static bool is_benign_signal(unsigned int sig)
{
	static const unsigned char benign[] = {SIGHUP,	SIGINT, SIGTERM, SIGCONT,
					       SIGCHLD, SIGURG, SIGWINCH};

	return sig <= UINT8_MAX && memchr(benign, (int)sig, sizeof(benign));
}

static enum severity tamper_severity(const struct event *ev)
{
	bool harmless = false;

	if (ev->key.vector == VECTOR_ACCESS)
		harmless = !file_of(ev);
	else if (ev->key.vector == VECTOR_SIGNAL)
		harmless = is_benign_signal(ev->key.detail);
	else if (ev->key.vector == VECTOR_SYSCALL)
		harmless = syscall_nr(ev) == NR_bpf && is_bpf_listing(syscall_op(ev));
	return harmless ? SEVERITY_LOW : SEVERITY_HIGH;
}

/* perf stat */
static bool is_counter(const struct event *ev)
{
	return ev->key.rule == RULE_MEM_PROBE && ev->key.vector == VECTOR_SYSCALL &&
	       syscall_nr(ev) == NR_perf_event_open && syscall_op(ev) == PERF_OP_COUNT;
}

/* A packet to or from a name server, by its port. */
static bool is_name_lookup(const struct event *ev)
{
	return ev->key.rule == RULE_TLS_BYPASS && ev->conn.protocol == IPPROTO_UDP &&
	       ev->conn.ends.remote_port == NAME_SERVER_PORT;
}

/* Of a successful attempt: the most specific that is known. */
static enum severity severity_of(const struct event *ev)
{
	const struct rule *rule = rule_get(ev->key.rule);
	const struct file_kind_info *file = file_of(ev);
	const struct finding_kind_info *finding = finding_of(ev);

	if (ev->key.rule == RULE_TLS_PLAINTEXT && command_has_credential(ev->conn.command))
		return SEVERITY_CRITICAL; /* a password on the wire, not just data */
	if (ev->key.rule == RULE_MEM_INSPECT && ev->key.vector == VECTOR_ACCESS && !file)
		return SEVERITY_LOW; /* which file was meant is unknown */
	if (is_name_lookup(ev))
		return SEVERITY_MEDIUM; /* also by a server that was told to connect to a name */
	if (ev->flags & EVENT_SEALED)
		return SEVERITY_INFO;
	if (ev->key.rule == RULE_MEM_KERNEL && ev->prog.reach == REACH_INDIRECT)
		return SEVERITY_MEDIUM; /* nearly every tracing program reads kernel memory */
	if (finding)
		return finding->severity;
	if (file)
		return file->severity;
	if (is_counter(ev))
		return SEVERITY_MEDIUM; /* how much it does, not what */
	if (ev->key.rule == RULE_SELF_TAMPER)
		return tamper_severity(ev);
	if (ev->key.rule == RULE_SELF_BLIND && ev->key.detail == BLIND_WHOLLY)
		return SEVERITY_HIGH;
	return rule ? rule->severity : SEVERITY_INFO;
}

enum severity attempt_severity(const struct event *ev)
{
	enum severity s = severity_of(ev);

	if (s > SEVERITY_LOW && routine_lists(ev))
		s = SEVERITY_LOW;
	if (ev->key.err && s > SEVERITY_INFO)
		s--;
	return s;
}

/* The monitor's environment, layout or BPF objects are read: nothing of it changes. */
static bool looks_at_monitor(const struct event *ev)
{
	const struct file_kind_info *file = file_of(ev);

	if (ev->key.rule != RULE_SELF_TAMPER)
		return false;
	if (ev->key.vector == VECTOR_SYSCALL)
		return syscall_nr(ev) == NR_bpf && is_bpf_listing(syscall_op(ev));
	return ev->key.vector == VECTOR_ACCESS || (file && file->read_rule == RULE_MEM_INSPECT &&
						   ev->key.detail != PROC_FILE_CLEAR_REFS);
}

enum stage attempt_stage(const struct event *ev)
{
	const struct rule *rule = rule_get(ev->key.rule);
	enum stage s = rule ? rule->stage : STAGE_NONE;

	if (looks_at_monitor(ev))
		s = STAGE_LOOK;
	if ((ev->key.err || ev->flags & EVENT_PREVENTED) && s > STAGE_TOUCH)
		s = STAGE_TOUCH;
	return s;
}

/* --- words --- */

void attempt_vector(const struct event *ev, char *buf, size_t size)
{
	bool compat = ev->key.detail & SYSCALL_32BIT;
	const char *name = compat ? NULL : syscall_name(syscall_nr(ev));

	if (ev->key.vector != VECTOR_ACCESS && ev->key.vector != VECTOR_SYSCALL)
		snprintf(buf, size, "%s", vector_name(ev->key.vector));
	else if (ev->key.vector == VECTOR_ACCESS && syscall_nr(ev) == NR_io_uring_enter)
		snprintf(buf, size, "%s", vector_name(VECTOR_IO_URING_OPEN));
	else if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "%s %u", compat ? "32-bit syscall" : "syscall", syscall_nr(ev));
}

/* Which BPF program it was, and by what it reaches user memory: " name, type 2, tag 0123456789abcdef, ...". */
static void prog_detail(const struct event *ev, char *buf, size_t size)
{
	/* the event was lost, and its count has only the id */
	static const struct event_prog unknown;
	const uint8_t *tag = ev->prog.tag;

	buf[0] = '\0';
	if (!memcmp(&ev->prog, &unknown, sizeof(unknown)))
		return;
	snprintf(buf, size, " %.*s%stype %u, tag %02x%02x%02x%02x%02x%02x%02x%02x%s",
		 (int)strnlen(ev->prog.name, sizeof(ev->prog.name)), ev->prog.name,
		 ev->prog.name[0] ? ", " : "", ev->prog.type, tag[0], tag[1], tag[2], tag[3],
		 tag[4], tag[5], tag[6], tag[7],
		 ev->prog.reach == REACH_INDIRECT ? ", by kernel memory or a format" : "");
}

static void syscall_detail(const struct event *ev, char *buf, size_t size)
{
	const char *name = request_name(syscall_nr(ev), syscall_op(ev));
	char prog[128];

	prog_detail(ev, prog, sizeof(prog));
	if (name && syscall_nr(ev) == NR_bpf && ev->fd)
		snprintf(buf, size, "%s program %u%s", name, ev->fd, prog);
	else if (name)
		snprintf(buf, size, "%s", name);
}

static const char *cgroup_op_text(unsigned int op)
{
	static const char *const texts[] = {
		[CGROUP_OP_NONE] = "",
		[CGROUP_OP_MOVE] = "moved to another cgroup",
		[CGROUP_OP_FREEZE] = "frozen",
	};
	_Static_assert(ARRAY_SIZE(texts) == CGROUP_OP_MAX, "every operation has a text");

	return op < CGROUP_OP_MAX ? texts[op] : "";
}

static void sweep_detail(const struct event *ev, char *buf, size_t size)
{
	const struct finding_kind_info *finding = finding_of(ev);
	const struct file_kind_info *file = file_of(ev);
	char prog[128];

	prog_detail(ev, prog, sizeof(prog));
	if (ev->key.rule == RULE_MEM_KERNEL)
		snprintf(buf, size, "BPF program %u%s", ev->key.detail, prog);
	else if (file)
		snprintf(buf, size, "%s held open", file->name);
	else if (finding && ev->key.detail == FINDING_SWAPPED)
		snprintf(buf, size, "%u pages swapped out%s", ev->fd,
			 ev->flags & EVENT_SEALED ? ", encrypted or in RAM" : "");
	else if (finding)
		snprintf(buf, size, "%s", finding->text);
}

static void bypass_detail(const struct event *ev, char *buf, size_t size)
{
	if (ev->key.detail == FINDING_SOCKMAP)
		snprintf(buf, size, "%s", finding_kind_swept(FINDING_SOCKMAP)->text);
	else if (is_name_lookup(ev))
		snprintf(buf, size, "UDP, to a name server's port");
	else if (ev->conn.protocol == IPPROTO_UDP)
		snprintf(buf, size, "UDP");
	else
		snprintf(buf, size, "IP protocol %u", ev->conn.protocol);
}

/* Returns false for rules that are not about the wire. */
static bool wire_detail(const struct event *ev, char *buf, size_t size)
{
	const struct tls_suite *suite = tls_suite_find(ev->conn.tls_cipher);
	const char *command = command_name(ev->conn.command);

	switch (ev->key.rule) {
	case RULE_TLS_PLAINTEXT:
		if (command_has_credential(ev->conn.command))
			snprintf(buf, size, "credential exposed%s",
				 strcmp(command, "AUTH") ? ", if it held one" : "");
		return true;
	case RULE_TLS_VERSION:
		snprintf(buf, size, "%s negotiated",
			 tls_version_name(ev->conn.tls_version) ?: "unknown version");
		return true;
	case RULE_TLS_CIPHER:
		if (suite)
			snprintf(buf, size, "%s: %s", suite->name, suite->source);
		else
			snprintf(buf, size, "suite 0x%04x", ev->conn.tls_cipher);
		return true;
	case RULE_TLS_BYPASS:
		if (ev->key.vector != VECTOR_SWEEP)
			bypass_detail(ev, buf, size);
		return ev->key.vector != VECTOR_SWEEP;
	case RULE_TLS_LISTENER:
		if (ev->key.actor & ACTOR_CROWD)
			snprintf(buf, size, "this server serves plaintext on many ports");
		else
			snprintf(buf, size, "this server serves plaintext on port %llu",
				 (unsigned long long)ev->key.actor);
		return true;
	default:
		return false;
	}
}

void attempt_detail(const struct event *ev, char *buf, size_t size)
{
	const struct finding_kind_info *finding = finding_of(ev);
	const struct file_kind_info *file = file_of(ev);
	const char *name;

	buf[0] = '\0';
	if (wire_detail(ev, buf, size))
		return;
	switch (ev->key.vector) {
	case VECTOR_SWEEP:
		sweep_detail(ev, buf, size);
		return;
	case VECTOR_PTRACE:
		name = request_ptrace(ev->key.detail);
		if (ev->flags & EVENT_CROWD && ev->key.detail == UINT32_MAX)
			snprintf(buf, size, "unknown requests");
		else if (name)
			snprintf(buf, size, "%s", name);
		else
			snprintf(buf, size, "request %u", ev->key.detail);
		return;
	case VECTOR_PIDFD_GETFD:
		snprintf(buf, size, "fd %u", ev->fd);
		return;
	case VECTOR_SIGNAL:
		snprintf(buf, size, "SIG%s", sigabbrev_np((int)ev->key.detail) ?: "?");
		return;
	case VECTOR_SYSCALL:
		syscall_detail(ev, buf, size);
		return;
	case VECTOR_CGROUP:
		snprintf(buf, size, "%s", cgroup_op_text(ev->key.detail));
		return;
	default:
		if (finding || file)
			snprintf(buf, size, "%s", finding ? finding->text : file->name);
		return;
	}
}

const char *attempt_outcome(const struct event *ev)
{
	if (ev->flags & EVENT_PREVENTED && !ev->key.err)
		return ev->flags & EVENT_CONN ? "dropped" : "killed";
	if (ev->key.vector == VECTOR_SWEEP || ev->flags & EVENT_IN_PROGRESS)
		return "unknown";
	if (!ev->key.err)
		return "succeeded";
	return ev->key.err == EPERM || ev->key.err == EACCES ? "denied" : "failed";
}

/* "opened for reading", of an open that succeeded. */
static void open_result(const struct event *ev, char *buf, size_t size)
{
	static const char *const ways[] = {"", " for reading", " for writing",
					   " for reading and writing"};
	unsigned int way =
		(ev->flags & EVENT_FOR_READING ? 1 : 0) | (ev->flags & EVENT_FOR_WRITING ? 2 : 0);

	snprintf(buf, size, "opened%s", ways[way]);
}

void attempt_result(const struct event *ev, uint64_t bytes, char *buf, size_t size)
{
	bool prevented = ev->flags & EVENT_PREVENTED;
	bool wrote = ev->key.rule == RULE_MEM_WRITE || ev->flags & EVENT_FOR_WRITING;
	const char *error = ev->key.err ? strerrorname_np(ev->key.err) ?: "?" : NULL;

	if (prevented || error)
		snprintf(buf, size, "%s%s%s%s%s", prevented ? "prevented, " : "",
			 attempt_outcome(ev), error ? " (" : "", error ?: "", error ? ")" : "");
	else if (bytes && attempt_transfers(ev))
		snprintf(buf, size, "%s %" PRIu64 " byte%s%s", wrote ? "wrote" : "read", bytes,
			 bytes == 1 ? "" : "s",
			 ev->flags & EVENT_KILLED ? ", then was killed" : "");
	else if (vector_is_open(ev->key.vector))
		open_result(ev, buf, size);
	else
		snprintf(buf, size, "%s", attempt_outcome(ev));
}

/* If its event was lost, only the key is left to tell. */
bool attempt_transfers(const struct event *ev)
{
	return !(ev->flags & EVENT_CONN) &&
	       (ev->flags & EVENT_TRANSFER || ev->key.rule == RULE_MEM_READ ||
		ev->key.rule == RULE_MEM_WRITE || file_of(ev));
}
