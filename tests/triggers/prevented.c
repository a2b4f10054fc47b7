/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prevented: a child reaches for a victim; its parent, whom nobody has a reason to kill, says what came of it.
 *
 *     prevented PID WAY [-f]
 *
 * Ways: vm_readv, vm_thread (by a second thread), vm_writev, mem (open, then read), mem_write, maps, fd (open
 * fd/0), getfd, attach (then peek), seize. What is read lands in memory the parent shares: bytes that are
 * there in the end crossed, even if their reader is dead. What is written is the victim's title, which
 * everybody may look at. -f: another child shares the
 * descriptors too, and reads through one that was left.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "trigger.h"

#define PATTERN 0xa5
#define STAT_ARG_START 48

static struct shared {
	unsigned char got[4096];
	long result;
	int returned, err, fd, pid, tid;
	long long start_ms;
} * shared;

static long victim;
static const char *way;

static long open_proc(const char *file, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", victim, file);
	return open(path, flags);
}

static long read_mem(int fd)
{
	return pread(fd, shared->got, sizeof(shared->got),
		     (off_t)trigger_address(victim, STAT_START_CODE));
}

static long way_go(void)
{
	struct iovec local = {shared->got, sizeof(shared->got)}, remote = local;
	char mark = '!';
	long fd;

	if (!strcmp(way, "vm_writev")) {
		local = (struct iovec){&mark, 1};
		remote = (struct iovec){trigger_address(victim, STAT_ARG_START), 1};
		return process_vm_writev(victim, &local, 1, &remote, 1, 0);
	}
	if (!strncmp(way, "vm_", 3)) {
		remote.iov_base = trigger_address(victim, STAT_START_CODE);
		return process_vm_readv(victim, &local, 1, &remote, 1, 0);
	}
	if (!strcmp(way, "getfd"))
		return syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, victim, 0), 0, 0);
	if (!strcmp(way, "attach") || !strcmp(way, "seize"))
		return ptrace(!strcmp(way, "seize") ? PTRACE_SEIZE : PTRACE_ATTACH, victim, 0, 0);
	fd = open_proc(!strcmp(way, "fd")     ? "fd/0"
		       : !strcmp(way, "maps") ? "maps"
					      : "mem",
		       !strcmp(way, "mem_write") ? O_RDWR : O_RDONLY);
	shared->fd = fd;
	if (fd >= 0 && !strncmp(way, "mem", 3))
		read_mem(fd);
	return fd;
}

static void *job_do(void *unused)
{
	shared->tid = syscall(SYS_gettid);
	errno = 0;
	shared->result = way_go();
	shared->err = shared->result < 0 ? errno : 0;
	shared->returned = 1;
	return unused;
}

static int child_do(void)
{
	pthread_t thread;

	shared->pid = getpid();
	shared->start_ms = trigger_start_ms(getpid());
	if (strcmp(way, "vm_thread"))
		job_do(NULL);
	else if (pthread_create(&thread, NULL, job_do, NULL) || pthread_join(thread, NULL))
		trigger_die("thread");
	return 0;
}

static int title_first(void)
{
	char path[64];
	int fd, c;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", victim);
	fd = open(path, O_RDONLY);
	c = 0;
	if (fd < 0 || read(fd, &c, 1) != 1)
		trigger_die("%s", path);
	close(fd);
	return c;
}

static pid_t child_start(int flags)
{
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		trigger_die("clone");
	return pid;
}

static int child_end(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		trigger_die("waitpid");
	return status;
}

int main(int argc, char **argv)
{
	int status, touched = 0, title, shares = argc > 3 ? CLONE_FILES : 0;
	pid_t later;
	long pid;

	if (argc < 3)
		return 2;
	victim = atol(argv[1]);
	way = argv[2];
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		trigger_die("mmap");
	memset(shared->got, PATTERN, sizeof(shared->got));
	shared->fd = -1;
	title = title_first();
	pid = child_start(shares);
	if (!pid)
		_exit(child_do());
	status = child_end((pid_t)pid);
	later = shares ? child_start(shares) : -1;
	for (int fd = 3; !later && fd < 16; fd++)
		read_mem(fd);
	if (!later)
		_exit(0);
	if (shares)
		child_end(later);
	for (size_t i = 0; i < sizeof(shared->got); i++)
		touched += shared->got[i] != PATTERN;
	trigger_report(
		"\"tid\":%d,\"child\":%ld,\"child_tid\":%d,\"child_start_ms\":%lld,\"signal\":%d,"
		"\"returned\":%s,\"result\":%ld,\"errno\":%d,\"touched\":%d,\"written\":%s",
		getpid(), pid, shared->tid, shared->start_ms,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0, shared->returned ? "true" : "false",
		shared->result, shared->err, touched, title_first() != title ? "true" : "false");
	return 0;
}
