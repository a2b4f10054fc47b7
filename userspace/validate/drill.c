// SPDX-License-Identifier: BSD-2-Clause
/* drill.c - see drill.h. A drill is one row and one function; each attempt is made by a process of its own. */
#include "validate/drill.h"

#include "base/clock.h"
#include "base/macros.h"
#include "model/rule.h"
#include "validate/confine.h"
#include "validate/decoy.h"
#include "validate/hello.h"
#include "validate/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTOR "cw-drill"
#define TLS_1_1 0x0302
#define TLS_1_2 0x0303
#define ECDHE_ECDSA_NULL_SHA 0xc006 /* RFC 8422 */

struct trial {
	uint64_t began_ns; /* CLOCK_BOOTTIME */
	uint16_t port;	   /* its end of a connection to the decoy */
};

struct scene {
	const struct decoy *decoy;
	pid_t monitor;
	struct trial *trial; /* shared with the process that makes it */
};

/* --- the attempts: each returns 0 or the errno with which the kernel refused it --- */

static int trace(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, 0, 0) ? errno : 0;
}

static int try_mem_trace(const struct scene *s)
{
	return trace(s->decoy->pid);
}

static int try_self_tamper(const struct scene *s)
{
	return trace(s->monitor);
}

/* One byte of the executable's header, which is in everybody's file. */
static int try_mem_read(const struct scene *s)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {s->decoy->page, 1};

	return process_vm_readv(s->decoy->pid, &here, 1, &there, 1, 0) < 0 ? errno : 0;
}

/* The page is read-only: nothing is changed. */
static int try_mem_write(const struct scene *s)
{
	char byte = 0;
	struct iovec here = {&byte, 1}, there = {s->decoy->page, 1};

	process_vm_writev(s->decoy->pid, &here, 1, &there, 1, 0);
	return errno == EFAULT ? 0 : errno;
}

static int try_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : close(fd);
}

static int try_mem_inspect(const struct scene *s)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)s->decoy->pid);
	return try_open(path);
}

static int try_mem_fd(const struct scene *s)
{
	int pidfd = (int)syscall(SYS_pidfd_open, s->decoy->pid, 0);

	return pidfd < 0 || syscall(SYS_pidfd_getfd, pidfd, 0, 0) < 0 ? errno : 0;
}

static int try_mem_remote(const struct scene *s)
{
	return syscall(SYS_kcmp, getpid(), s->decoy->pid, KCMP_VM, 0, 0) < 0 ? errno : 0;
}

static int try_mem_probe(const struct scene *s)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_TASK_CLOCK,
				       .sample_period = 1000000,
				       .sample_type = PERF_SAMPLE_IP,
				       .disabled = 1};

	return syscall(SYS_perf_event_open, &attr, s->decoy->pid, -1, -1, PERF_FLAG_FD_CLOEXEC) < 0
		       ? errno
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
	int err = prlimit(s->decoy->pid, RLIMIT_CORE, &some, NULL) ? errno : 0;

	prlimit(s->decoy->pid, RLIMIT_CORE, &none, NULL);
	return err;
}

/* It is loaded, found to be no module, and unloaded. */
static int try_mem_inject(const struct scene *s)
{
	int fd = decoy_connect(s->decoy->port);
	char command[256], answer[64];
	int n = snprintf(command, sizeof(command), "AUTH %s\r\nMODULE LOAD %s\r\n",
			 s->decoy->password, s->decoy->library);

	if (fd < 0 || !s->decoy->library[0])
		return fd < 0 ? errno : ENOENT;
	return write(fd, command, (size_t)n) == n && read(fd, answer, sizeof(answer)) > 0 ? 0
											  : errno;
}

static int try_rest_file(const struct scene *s)
{
	return try_open(s->decoy->config);
}

static int try_tls_key(const struct scene *s)
{
	return try_open(s->decoy->key);
}

static int try_tls_plaintext(const struct scene *s)
{
	int fd = decoy_connect(s->decoy->port);
	char answer[8];

	return fd >= 0 && write(fd, "PING\r\n", 6) == 6 && read(fd, answer, sizeof(answer)) > 0
		       ? 0
		       : errno;
}

/* Offer one suite of one version, and read the ServerHello. */
static int offer(const struct scene *s, uint16_t version, uint16_t suite)
{
	struct hello h = {.version = version, .suite = &suite, .suites = 1};
	uint8_t out[HELLO_MAX], in[HELLO_SERVER_MAX];
	struct hello_choice choice;
	int fd = decoy_connect(s->decoy->tls_port);
	size_t n;
	ssize_t got;

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

/* --- the drills --- */

enum whose { OF_DECOY, OF_HOST, OF_MONITOR }; /* what the alert is about */

/* Who it must name: the process that made the attempt, the decoy that was made to do it, or the client's address. */
enum whom { BY_ACTOR, BY_DECOY, BY_ADDRESS };

static const struct {
	unsigned int rule;
	int (*try)(const struct scene *s);
	enum whose whose;
	enum whom whom;
} drills[] = {
	[DRILL_MEM_TRACE] = {RULE_MEM_TRACE, try_mem_trace},
	[DRILL_MEM_READ] = {RULE_MEM_READ, try_mem_read},
	[DRILL_MEM_WRITE] = {RULE_MEM_WRITE, try_mem_write},
	[DRILL_MEM_INSPECT] = {RULE_MEM_INSPECT, try_mem_inspect},
	[DRILL_MEM_FD] = {RULE_MEM_FD, try_mem_fd},
	[DRILL_MEM_REMOTE] = {RULE_MEM_REMOTE, try_mem_remote},
	[DRILL_MEM_PROBE] = {RULE_MEM_PROBE, try_mem_probe},
	[DRILL_MEM_KERNEL] = {RULE_MEM_KERNEL, try_mem_kernel, OF_HOST},
	[DRILL_MEM_DUMP] = {RULE_MEM_DUMP, try_mem_dump},
	[DRILL_MEM_INJECT] = {RULE_MEM_INJECT, try_mem_inject, .whom = BY_DECOY},
	[DRILL_REST_FILE] = {RULE_REST_FILE, try_rest_file},
	[DRILL_TLS_PLAINTEXT] = {RULE_TLS_PLAINTEXT, try_tls_plaintext},
	[DRILL_TLS_VERSION] = {RULE_TLS_VERSION, try_tls_version, .whom = BY_ADDRESS},
	[DRILL_TLS_CIPHER] = {RULE_TLS_CIPHER, try_tls_cipher, .whom = BY_ADDRESS},
	[DRILL_TLS_KEY] = {RULE_TLS_KEY, try_tls_key},
	[DRILL_SELF_TAMPER] = {RULE_SELF_TAMPER, try_self_tamper, OF_MONITOR},
};
_Static_assert(ARRAY_SIZE(drills) == DRILL_MAX, "every drill has a row");

/* Returns its pid, and in *ret_err how the attempt ended; 0 if there is no process. */
static pid_t attempt(const struct scene *s, enum drill_id id, int *ret_err)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		prctl(PR_SET_NAME, ACTOR);
		s->trial->began_ns = clock_boot_ns();
		_exit(drills[id].try(s));
	}
	*ret_err = errno;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 0;
	*ret_err = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return pid;
}

static json_int_t number_at(json_t *v, const char *object, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(v, object), key));
}

static bool names_who(json_t *alert, const struct scene *s, enum drill_id id, pid_t actor)
{
	if (drills[id].whom == BY_ADDRESS)
		return s->trial->port && number_at(json_object_get(alert, "conn"), "remote",
						   "port") == s->trial->port;
	return number_at(alert, "actor", "pid") ==
	       (drills[id].whom == BY_DECOY ? s->decoy->pid : actor);
}

/* Is this line the alert that the drill must raise, and does it name who did it? */
static bool is_alert(json_t *line, const struct scene *s, enum drill_id id, pid_t actor,
		     char outcome[FACTS_NAME])
{
	json_t *v = json_object_get(json_object_get(line, "unmapped"), "cachewarden");
	const char *rule = json_string_value(json_object_get(v, "rule"));
	const char *text = json_string_value(json_object_get(v, "outcome"));

	if (!rule || strcmp(rule, rule_name(drills[id].rule)) || !names_who(v, s, id, actor) ||
	    (drills[id].whose == OF_DECOY && number_at(v, "instance", "pid") != s->decoy->pid))
		return false;
	snprintf(outcome, FACTS_NAME, "%s", text ?: "?");
	return true;
}

/* What is refused is an attempt as well. What this kernel or the server has not got is none, nor is a decoy that has ended. */
static bool is_untried(int err)
{
	switch (err) {
	case ENOSYS:
	case ENOENT:
	case ENODEV:
	case EPROTONOSUPPORT:
	case ESRCH:
	case ECONNREFUSED:
	case EAGAIN:
		return true;
	default:
		return false;
	}
}

static void run(const struct scene *s, struct watcher *w, enum drill_id id, struct facts_drill *ret)
{
	uint64_t now, until;
	bool ended = false;
	json_t *line;
	int err = 0;
	pid_t actor = attempt(s, id, &err);

	if (!actor || is_untried(err)) {
		snprintf(ret->why, sizeof(ret->why), "it cannot be tried here: %s", strerror(err));
		return;
	}
	until = s->trial->began_ns + DRILL_WAIT_MS * NS_PER_MS;
	while (!ret->alerted && !ended && clock_boot_ns() < until) {
		line = watcher_next(w, until, &ended);
		now = clock_boot_ns();
		ret->alerted = line && is_alert(line, s, id, actor, ret->outcome);
		ret->after_us = (int64_t)((now - s->trial->began_ns) / 1000);
		json_decref(line);
	}
	if (ended)
		snprintf(ret->why, sizeof(ret->why), "the monitor ended");
}

static void run_all(struct facts *f, const struct decoy *d)
{
	struct scene s = {.decoy = d, .trial = confine_alloc(sizeof(*s.trial))};
	struct watcher w = {};
	char why[FACTS_WHY] = "out of memory";
	bool ok = s.trial && watcher_start(&w, d->pid, why, sizeof(why));

	for (size_t i = 0; i < DRILL_MAX; i++) {
		s.monitor = w.pid;
		if (ok)
			run(&s, &w, i, &f->drill[i]);
		else
			snprintf(f->drill[i].why, sizeof(f->drill[i].why), "%s", why);
	}
	if (s.trial)
		watcher_free(&w);
	confine_free(s.trial, sizeof(*s.trial));
}

void drill(struct facts *f)
{
	char why[FACTS_WHY] = "only root can start a decoy";
	struct decoy d = {};
	sigset_t ending, before;

	/* whoever ends this waits until the decoy and its files are gone */
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_BLOCK, &ending, &before);
	f->drilled = true;
	if (!geteuid() &&
	    decoy_start(&d, f->pid, (struct decoy_user){f->process.uid[1], f->process.gid}, why,
			sizeof(why)))
		run_all(f, &d);
	else
		for (size_t i = 0; i < DRILL_MAX; i++)
			snprintf(f->drill[i].why, sizeof(f->drill[i].why), "%s", why);
	decoy_stop(&d);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
