/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - the checks of `cachewarden validate`: one row of a table and one function each. A check judges what was seen
 * (facts.h) by a profile. Pure.
 */
#ifndef CACHEWARDEN_CHECK_H
#define CACHEWARDEN_CHECK_H

#include "validate/facts.h"
#include "validate/profile.h"

#define CHECK_SEEN 1024
#define CHECK_MAX 96

enum check_verdict {
	CHECK_PASS,
	CHECK_FAIL,
	CHECK_SKIP, /* could not be judged */
	CHECK_VERDICT_MAX,
};

/* Most checks are always made. */
enum check_when {
	CHECK_ALWAYS,
	CHECK_WATCHED, /* with --duration */
	CHECK_DRILLED, /* with --drill */
};

struct outcome {
	enum check_verdict verdict;
	char seen[CHECK_SEEN]; /* or the reason of a skip */
};

struct check {
	const char *id;
	const char *guarantee;
	const char *tried;
	const char *expected;
	const char *mend; /* the line of redis.conf, the directive of the unit, the sysctl */
	void (*judge)(const struct facts *f, const struct profile *p, struct outcome *ret);
	enum check_when when;
};

extern const struct check checks[];
extern const size_t check_count;

const char *check_verdict_name(enum check_verdict v);

/* NULL if there is none. */
const struct check *check_find(const char *id);

/* The judges set ret by one of these. */
__attribute__((format(printf, 2, 3))) void check_pass(struct outcome *ret, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void check_fail(struct outcome *ret, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void check_skip(struct outcome *ret, const char *fmt, ...);

/* Append to a list of words in a buffer: ", " between them, "..." if it does not fit. */
__attribute__((format(printf, 3, 4))) void check_list(char *buf, size_t size, const char *fmt, ...);

/* The judges, by the file that has them. X(id, function) */
#define CHECK_JUDGES(X)                                                                            \
	X(tls_plain_port)                                                                          \
	X(tls_offered)                                                                             \
	X(tls_versions)                                                                            \
	X(tls_ciphers)                                                                             \
	X(tls_compression)                                                                         \
	X(tls_renegotiation)                                                                       \
	X(tls_tickets)                                                                             \
	X(tls_cert_chain)                                                                          \
	X(tls_cert_names)                                                                          \
	X(tls_cert_dates)                                                                          \
	X(tls_cert_key)                                                                            \
	X(tls_cert_signature)                                                                      \
	X(tls_client_cert)                                                                         \
	X(tls_replication)                                                                         \
	X(tls_cluster)                                                                             \
	X(unix_socket)                                                                             \
	X(mem_ptrace)                                                                              \
	X(mem_core)                                                                                \
	X(mem_swap)                                                                                \
	X(mem_ksm)                                                                                 \
	X(mem_user)                                                                                \
	X(mem_user_shared)                                                                         \
	X(mem_neighbours)                                                                          \
	X(mem_capable)                                                                             \
	X(mem_capabilities)                                                                        \
	X(mem_no_new_privs)                                                                        \
	X(mem_seccomp)                                                                             \
	X(mem_hidden)                                                                              \
	X(mem_lockdown)                                                                            \
	X(mem_bpf)                                                                                 \
	X(mem_perf)                                                                                \
	X(mem_kptr)                                                                                \
	X(mem_code)                                                                                \
	X(mem_loader)                                                                              \
	X(rest_data)                                                                               \
	X(rest_key)                                                                                \
	X(rest_config)                                                                             \
	X(rest_acl)                                                                                \
	X(rest_encrypted)                                                                          \
	X(rest_auth)                                                                               \
	X(rest_config_command)                                                                     \
	X(rest_commands)                                                                           \
	X(host_kernel)                                                                             \
	X(host_kernel_offered)                                                                     \
	X(host_reboot)                                                                             \
	X(host_taint)                                                                              \
	X(host_libraries)                                                                          \
	X(watch_covered)                                                                           \
	X(watch_wire)                                                                              \
	X(watch_versions)                                                                          \
	X(watch_ciphers)                                                                           \
	X(watch_memory)                                                                            \
	X(watch_files)

#define X(name)                                                                                    \
	void judge_##name(const struct facts *f, const struct profile *p, struct outcome *ret);
CHECK_JUDGES(X)
#undef X

#define X(name, NAME)                                                                              \
	void judge_drill_##name(const struct facts *f, const struct profile *p,                    \
				struct outcome *ret);
DRILLS(X)
#undef X

#endif
