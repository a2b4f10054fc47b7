// SPDX-License-Identifier: BSD-2-Clause
/* drill_try.c - see drill_try.h. A drill is one row and one function. */
#include "validate/drill_try.h"

#include "base/clock.h"
#include "base/macros.h"
#include "model/rule.h"
#include "monitor/ask_resp.h"
#include "validate/hello.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 1024 /* of a decoy, which has a dozen */
#define CLOSED_MS 500	 /* for a server to close a connection that has become senseless */
#define TLS_1_1 0x0302
#define TLS_1_2 0x0303
/* RFC 8422 */
#define ECDHE_ECDSA_NULL_SHA 0xc006
#define ECDHE_ECDSA_AES_128_CBC_SHA 0xc009
#define ECDHE_RSA_NULL_SHA 0xc010
#define ECDHE_RSA_AES_128_CBC_SHA 0xc013

/* --- the attempts: each returns 0 or the errno with which it was refused --- */

static int try_mem_trace(const struct scene *s)
{
	return ptrace(PTRACE_SEIZE, s->pid, 0, 0) ? errno : 0;
}

static int compare(pid_t pid)
{
	return syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0) < 0 ? errno : 0;
}

/* A monitor that serves a host must not be stopped by a signal that arrives meanwhile, which tracing it might do. */
static int try_self_tamper(const struct scene *s)
{
	return compare(s->monitor);
}

/* One byte of the executable's header, which is in everybody's file. Live: of address 0, where nothing is mapped. */
static int try_mem_read(const struct scene *s)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {s->live ? NULL : s->decoy->page, 1};

	if (process_vm_readv(s->pid, &here, 1, &there, 1, 0) < 0)
		return s->live && errno == EFAULT ? 0 : errno;
	return 0;
}

/* The page is read-only: nothing is changed. */
static int try_mem_write(const struct scene *s)
{
	char byte = 0;
	struct iovec here = {&byte, 1}, there = {s->decoy->page, 1};

	process_vm_writev(s->pid, &here, 1, &there, 1, 0);
	return errno == EFAULT ? 0 : errno;
}

static int try_mem_inspect(const struct scene *s)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)s->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : close(fd);
}

/* The duplicate is gone with this process. */
static int try_mem_fd(const struct scene *s)
{
	int pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);

	return pidfd < 0 || syscall(SYS_pidfd_getfd, pidfd, 0, 0) < 0 ? errno : 0;
}

static int try_mem_remote(const struct scene *s)
{
	return compare(s->pid);
}

/* It is disabled, and gone with this process: nothing is sampled. */
static int try_mem_probe(const struct scene *s)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_TASK_CLOCK,
				       .sample_period = 1000000,
				       .sample_type = PERF_SAMPLE_IP,
				       .disabled = 1};

	return syscall(SYS_perf_event_open, &attr, s->pid, -1, -1, PERF_FLAG_FD_CLOEXEC) < 0 ? errno
											     : 0;
}

/* There are no such descriptors: nothing is loaded. */
static int try_mem_kernel(const struct scene *s)
{
	syscall(SYS_finit_module, -1, "", 0);
	if (errno == ENOSYS)
		syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 0);
	return errno == EBADF ? 0 : errno;
}

/* It was started with 0, and has no data. */
static int try_mem_dump(const struct scene *s)
{
	const struct rlimit some = {4096, 4096}, none = {};
	int err = prlimit(s->pid, RLIMIT_CORE, &some, NULL) ? errno : 0;

	prlimit(s->pid, RLIMIT_CORE, &none, NULL);
	return err;
}

/* Tell the decoy something. Returns whether it did it; *ret_answered: or said that it does not. */
static bool command(const struct scene *s, bool *ret_answered, const char *const *words)
{
	struct ask_link l = {.fd = s->commands, .diag = -1};
	struct server_reply r = {};
	char buf[ASK_RESP_MAX];

	*ret_answered = ask_resp(&l, words, buf, &r) == ASK_RESP_OK;
	return *ret_answered && r.kind == REPLY_STATUS;
}
#define COMMAND(s, answered, ...) command(s, answered, (const char *const[]){__VA_ARGS__, NULL})

static bool authenticate(const struct scene *s)
{
	bool answered;

	return s->commands >= 0 && COMMAND(s, &answered, "AUTH", s->decoy->password);
}

/* It is loaded, found to be no module, and unloaded. */
static int try_mem_inject(const struct scene *s)
{
	bool answered;

	if (!s->decoy->library[0])
		return ENOENT;
	if (!authenticate(s))
		return ECONNREFUSED;
	COMMAND(s, &answered, "MODULE", "LOAD", s->decoy->library);
	return answered ? 0 : ETIMEDOUT;
}

/* It is opened, and not read. */
static int open_found(int found)
{
	char own[64];
	int fd;

	if (found < 0)
		return ENOENT;
	snprintf(own, sizeof(own), "/proc/self/fd/%d", found);
	fd = open(own, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? errno : close(fd);
}

static int try_rest_file(const struct scene *s)
{
	return open_found(s->config);
}

static int try_tls_key(const struct scene *s)
{
	return open_found(s->key);
}

/* Send PING, and read the answer. Returns its length; 0 and less: none, with errno, 0 if it is the end of the connection. */
static ssize_t ping(const struct scene *s, const struct decoy_end *to)
{
	int fd = decoy_connect(to);
	char answer[8];

	if (fd < 0)
		return -1;
	s->trial->port = decoy_peer_port(fd);
	if (write(fd, "PING\r\n", 6) != 6)
		return -1;
	errno = 0;
	return read(fd, answer, sizeof(answer));
}

/* Its port for TLS refuses it, and answers or not. */
static int try_tls_plaintext(const struct scene *s)
{
	const struct decoy_end *to = s->plain.port ? &s->plain : &s->tls;

	if (!to->port)
		return ENOENT;
	return ping(s, to) < 0 && errno != ECONNRESET ? errno : 0;
}

/* Nothing is served where the answer is prevented. */
static int try_tls_listener(const struct scene *s)
{
	s->trial->preparing = RULE_TLS_PLAINTEXT;
	if (ping(s, &s->plain) <= 0)
		return errno ?: ECONNRESET;
	s->trial->preparing = RULE_NONE;
	return 0;
}

/* Offer suites of one version, one for each kind of key, and read the ServerHello. */
static int offer(const struct scene *s, uint16_t version, const uint16_t suites[2])
{
	struct hello h = {.version = version, .suite = suites, .suites = 2};
	uint8_t out[HELLO_MAX], in[HELLO_SERVER_MAX];
	struct hello_choice choice;
	int fd = s->tls.port ? decoy_connect(&s->tls) : -1;
	size_t n;
	ssize_t got;

	if (!s->tls.port)
		return ENOENT;
	RAND_bytes(h.random, sizeof(h.random));
	n = hello_write(&h, out);
	if (fd < 0)
		return errno;
	s->trial->port = decoy_peer_port(fd);
	if (write(fd, out, n) != (ssize_t)n)
		return errno;
	got = read(fd, in, sizeof(in));
	/* what it does not speak cannot be shown to be seen */
	return got > 0 && hello_read(in, (size_t)got, &choice) == HELLO_CHOSEN ? 0
									       : EPROTONOSUPPORT;
}

/* Does a decoy with the server's options accept what that one would refuse? The server itself is left as it is. */
static void set_tls(const struct scene *s, const char *protocols, const char *ciphers)
{
	bool answered;

	COMMAND(s, &answered, "CONFIG", "SET", "tls-ciphers", ciphers);
	COMMAND(s, &answered, "CONFIG", "SET", "tls-protocols", protocols);
}

/* What is offered is what a server has to be weak for: a decoy is meanwhile. */
static int offer_weak(const struct scene *s, uint16_t version, const uint16_t suites[2])
{
	const struct options *o = s->options;
	bool weaken = o && authenticate(s);
	int err;

	if (weaken)
		set_tls(s, DECOY_PROTOCOLS, DECOY_CIPHERS);
	s->trial->began_ns = clock_boot_ns();
	err = offer(s, version, suites);
	if (weaken)
		set_tls(s, o->value[OPTION_TLS_PROTOCOLS], o->value[OPTION_TLS_CIPHERS]);
	return err;
}

static int try_tls_version(const struct scene *s)
{
	return offer_weak(
		s, TLS_1_1,
		(const uint16_t[]){ECDHE_ECDSA_AES_128_CBC_SHA, ECDHE_RSA_AES_128_CBC_SHA});
}

static int try_tls_cipher(const struct scene *s)
{
	return offer_weak(s, TLS_1_2, (const uint16_t[]){ECDHE_ECDSA_NULL_SHA, ECDHE_RSA_NULL_SHA});
}

/* A handshake, then a command in the clear where a record must follow. The server closes the connection, no other one. */
static int try_tls_midstream(const struct scene *s)
{
	struct ask_link *l = s->client;
	struct conn_ends unused;
	char answer[64];

	if (!s->tls.port || !l)
		return ENOENT;
	ask_link_tolerate(l, 0);
	if (!ask_link_connect(l, s->tls.ip, s->tls.port, &unused))
		return ECONNREFUSED;
	s->trial->port = decoy_peer_port(l->fd);
	if (ask_link_encrypt(l) != ASK_PEER_TLS)
		return EPROTONOSUPPORT;
	if (send(l->fd, "PING\r\n", 6, MSG_NOSIGNAL) != 6)
		return errno;
	while (poll(&(struct pollfd){.fd = l->fd, .events = POLLIN}, 1, CLOSED_MS) == 1 &&
	       recv(l->fd, answer, sizeof(answer), 0) > 0)
		;
	return 0;
}

/* A descriptor of the decoy's end of a connection, taken from it; -1 and errno: ENOENT if it has none. */
static int take_other_end(const struct scene *s, uint16_t port)
{
	int pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	struct sockaddr_in a = {};
	socklen_t len;

	for (int n = 3; pidfd >= 0 && n < DESCRIPTORS; n++) {
		int fd = (int)syscall(SYS_pidfd_getfd, pidfd, n, 0);

		len = sizeof(a);
		if (fd >= 0 && !getpeername(fd, (struct sockaddr *)&a, &len) &&
		    a.sin_family == AF_INET && ntohs(a.sin_port) == port)
			return fd;
		if (fd >= 0)
			close(fd);
		else if (errno != EBADF)
			return -1;
	}
	errno = ENOENT;
	return -1;
}

/* What a client of the decoy, which is this process, is told is not the decoy's. */
static int try_tls_writer(const struct scene *s)
{
	int fd = decoy_connect(&s->plain), other;
	char answer[16];

	if (fd < 0)
		return errno;
	s->trial->port = decoy_peer_port(fd);
	s->trial->preparing = RULE_TLS_PLAINTEXT;
	/* what is answered was accepted */
	errno = ECONNRESET;
	if (write(fd, "PING\r\n", 6) != 6 || read(fd, answer, sizeof(answer)) <= 0)
		return errno;
	s->trial->preparing = RULE_MEM_FD;
	other = take_other_end(s, s->trial->port);
	if (other < 0)
		return errno;
	s->trial->preparing = RULE_NONE;
	return write(other, "+OK\r\n", 5) == 5 ? 0 : errno;
}

/* One datagram from a socket that the decoy was given, to a port of this host that nobody has to listen on. */
static int try_tls_bypass(const struct scene *s)
{
	int pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0), fd;

	s->trial->preparing = RULE_MEM_FD;
	fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, DECOY_DATAGRAMS, 0);
	if (fd < 0)
		return errno;
	s->trial->preparing = RULE_NONE;
	return write(fd, "drill", 5) == 5 ? 0 : errno;
}

/* --- the table --- */

const struct drill_row drill_rows[] = {
	[DRILL_TLS_LISTENER] = {RULE_TLS_LISTENER, try_tls_listener,
				"it is reported once per port, and may have been",
				.whom = BY_ADDRESS, .asks = true},
	[DRILL_MEM_TRACE] = {RULE_MEM_TRACE, try_mem_trace,
			     "a signal that arrives meanwhile would stop it"},
	[DRILL_MEM_READ] = {RULE_MEM_READ, try_mem_read},
	[DRILL_MEM_WRITE] = {RULE_MEM_WRITE, try_mem_write, "it writes to memory"},
	[DRILL_MEM_INSPECT] = {RULE_MEM_INSPECT, try_mem_inspect},
	[DRILL_MEM_FD] = {RULE_MEM_FD, try_mem_fd, "it takes a descriptor"},
	[DRILL_MEM_REMOTE] = {RULE_MEM_REMOTE, try_mem_remote},
	[DRILL_MEM_PROBE] = {RULE_MEM_PROBE, try_mem_probe},
	[DRILL_MEM_KERNEL] = {RULE_MEM_KERNEL, try_mem_kernel, .whose = OF_HOST},
	[DRILL_MEM_DUMP] = {RULE_MEM_DUMP, try_mem_dump, "it changes its core limit"},
	[DRILL_MEM_INJECT] = {RULE_MEM_INJECT, try_mem_inject, "it loads a library into it",
			      .whom = BY_SERVER, .asks = true, .commands = true},
	[DRILL_REST_FILE] = {RULE_REST_FILE, try_rest_file},
	[DRILL_TLS_PLAINTEXT] = {RULE_TLS_PLAINTEXT, try_tls_plaintext, .asks = true},
	[DRILL_TLS_VERSION] = {RULE_TLS_VERSION, try_tls_version, .whom = BY_ADDRESS, .asks = true,
			       .commands = true},
	[DRILL_TLS_CIPHER] = {RULE_TLS_CIPHER, try_tls_cipher, .whom = BY_ADDRESS, .asks = true,
			      .commands = true},
	[DRILL_TLS_MIDSTREAM] = {RULE_TLS_MIDSTREAM, try_tls_midstream, .whom = BY_ADDRESS,
				 .asks = true},
	[DRILL_TLS_WRITER] = {RULE_TLS_WRITER, try_tls_writer, "it takes a descriptor"},
	[DRILL_TLS_BYPASS] = {RULE_TLS_BYPASS, try_tls_bypass, "it takes a descriptor",
			      .whom = BY_NOBODY},
	[DRILL_TLS_KEY] = {RULE_TLS_KEY, try_tls_key},
	[DRILL_SELF_TAMPER] = {RULE_SELF_TAMPER, try_self_tamper, .whose = OF_MONITOR},
};
_Static_assert(ARRAY_SIZE(drill_rows) == DRILL_MAX, "every drill has a row");
