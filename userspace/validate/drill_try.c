// SPDX-License-Identifier: BSD-2-Clause
/* drill_try.c - see drill_try.h. A drill is one row and one function. */
#include "validate/drill_try.h"

#include "base/macros.h"
#include "model/rule.h"
#include "monitor/ask_link.h"
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
#define ECDHE_ECDSA_NULL_SHA 0xc006 /* RFC 8422 */

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

/* It is loaded, found to be no module, and unloaded. */
static int try_mem_inject(const struct scene *s)
{
	int fd = decoy_connect(&s->plain);
	char command[256], answer[64];
	int n = snprintf(command, sizeof(command), "AUTH %s\r\nMODULE LOAD %s\r\n",
			 s->decoy->password, s->decoy->library);

	if (fd < 0 || !s->decoy->library[0])
		return fd < 0 ? errno : ENOENT;
	return write(fd, command, (size_t)n) == n && read(fd, answer, sizeof(answer)) > 0 ? 0
											  : errno;
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

/* Its port for TLS refuses it, and answers or not. */
static int try_tls_plaintext(const struct scene *s)
{
	const struct decoy_end *to = s->plain.port ? &s->plain : &s->tls;
	int fd = to->port ? decoy_connect(to) : -1;
	char answer[8];

	if (!to->port)
		return ENOENT;
	if (fd < 0 || write(fd, "PING\r\n", 6) != 6)
		return errno;
	s->trial->port = decoy_peer_port(fd);
	return read(fd, answer, sizeof(answer)) < 0 && errno != ECONNRESET ? errno : 0;
}

/* Offer one suite of one version, and read the ServerHello. */
static int offer(const struct scene *s, uint16_t version, uint16_t suite)
{
	struct hello h = {.version = version, .suite = &suite, .suites = 1};
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

static int try_tls_version(const struct scene *s)
{
	return offer(s, TLS_1_1, 0xc009); /* ECDHE_ECDSA_WITH_AES_128_CBC_SHA */
}

static int try_tls_cipher(const struct scene *s)
{
	return offer(s, TLS_1_2, ECDHE_ECDSA_NULL_SHA);
}

/* A handshake, then a command in the clear where a record must follow. The server closes the connection, no other one. */
static int try_tls_midstream(const struct scene *s)
{
	struct conn_ends unused;
	struct ask_link l;
	char answer[64];

	if (!s->tls.port || !ask_link_init(&l))
		return ENOENT;
	ask_link_tolerate(&l, 0);
	if (!ask_link_connect(&l, s->tls.ip, s->tls.port, &unused))
		return ECONNREFUSED;
	s->trial->port = decoy_peer_port(l.fd);
	if (ask_link_encrypt(&l) != ASK_PEER_TLS)
		return EPROTONOSUPPORT;
	if (send(l.fd, "PING\r\n", 6, MSG_NOSIGNAL) != 6)
		return errno;
	while (poll(&(struct pollfd){.fd = l.fd, .events = POLLIN}, 1, CLOSED_MS) == 1 &&
	       recv(l.fd, answer, sizeof(answer), 0) > 0)
		;
	return 0;
}

/* A descriptor of the decoy's end of a connection, taken from it; -1 and errno. */
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
	return -1;
}

/* What a client of the decoy, which is this process, is told is not the decoy's. */
static int try_tls_writer(const struct scene *s)
{
	int fd = decoy_connect(&s->plain), other;
	char answer[16];

	/* what is answered was accepted */
	if (fd < 0 || write(fd, "PING\r\n", 6) != 6 || read(fd, answer, sizeof(answer)) <= 0)
		return errno;
	other = take_other_end(s, decoy_peer_port(fd));
	return other >= 0 && write(other, "+OK\r\n", 5) == 5 ? 0 : errno;
}

/* One datagram from a socket that the decoy was given, to a port of this host that nobody has to listen on. */
static int try_tls_bypass(const struct scene *s)
{
	int pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, DECOY_DATAGRAMS, 0);

	return fd >= 0 && write(fd, "drill", 5) == 5 ? 0 : errno;
}

/* --- the table --- */

const struct drill_row drill_rows[] = {
	[DRILL_TLS_LISTENER] = {RULE_TLS_LISTENER, try_tls_plaintext,
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
			      .whom = BY_SERVER, .asks = true},
	[DRILL_REST_FILE] = {RULE_REST_FILE, try_rest_file},
	[DRILL_TLS_PLAINTEXT] = {RULE_TLS_PLAINTEXT, try_tls_plaintext, .asks = true},
	[DRILL_TLS_VERSION] = {RULE_TLS_VERSION, try_tls_version, .whom = BY_ADDRESS, .asks = true},
	[DRILL_TLS_CIPHER] = {RULE_TLS_CIPHER, try_tls_cipher, .whom = BY_ADDRESS, .asks = true},
	[DRILL_TLS_MIDSTREAM] = {RULE_TLS_MIDSTREAM, try_tls_midstream, .whom = BY_ADDRESS,
				 .asks = true},
	[DRILL_TLS_WRITER] = {RULE_TLS_WRITER, try_tls_writer, "it takes a descriptor"},
	[DRILL_TLS_BYPASS] = {RULE_TLS_BYPASS, try_tls_bypass, "it takes a descriptor",
			      .whom = BY_NOBODY},
	[DRILL_TLS_KEY] = {RULE_TLS_KEY, try_tls_key},
	[DRILL_SELF_TAMPER] = {RULE_SELF_TAMPER, try_self_tamper, .whose = OF_MONITOR},
};
_Static_assert(ARRAY_SIZE(drill_rows) == DRILL_MAX, "every drill has a row");
