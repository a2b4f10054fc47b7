/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prevented: a child attacks the target and may be killed for it; its parent, which does nothing wrong,
 * reports the outcome. What the child reads goes to memory it shares with the parent, so bytes that
 * arrived are seen even if the reader is dead. What it writes is the first byte of the target's argv, which
 * anybody may read back.
 *
 *     vm_readv, vm_writev   process_vm_readv, process_vm_writev
 *     vm_thread             process_vm_readv by a second thread
 *     mem, mem_write        opens mem for reading, or for reading and writing, then reads
 *     maps, fd              opens maps, or fd/0
 *     getfd                 pidfd_getfd of descriptor 0
 *     attach, seize         ptrace
 *
 * -f: a second child shares the first one's descriptor table and reads through any descriptor it left.
 *
 * Ground truth: "child", "child_tid", "child_start_ms"; "signal" that killed it, or 0; "returned", whether
 * the call came back, with "result" and "errno"; "bytes_read", bytes that arrived; "written", whether the
 * target changed.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "trigger.h"

#define PATTERN 0xa5
#define LEFT_FDS_MAX 16

static struct shared {
	unsigned char buf[4096];
	long result;
	int returned, err, tid;
	long long start_ms;
} * shared;

static long target;
static const char *way;

static long open_proc(const char *file, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", target, file);
	return open(path, flags);
}

/* The buffer tells whether bytes arrived, even if the call does not return. */
static long read_mem(int fd)
{
	return pread(fd, shared->buf, sizeof(shared->buf),
		     (off_t)trigger_address(target, STAT_START_CODE));
}

static long attack(void)
{
	struct iovec local = {shared->buf, sizeof(shared->buf)}, remote = local;
	char mark = '!';
	long fd;

	if (!strcmp(way, "vm_writev")) {
		local = (struct iovec){&mark, 1};
		remote = (struct iovec){trigger_address(target, STAT_ARG_START), 1};
		return process_vm_writev(target, &local, 1, &remote, 1, 0);
	}
	if (!strncmp(way, "vm_", 3)) {
		remote.iov_base = trigger_address(target, STAT_START_CODE);
		return process_vm_readv(target, &local, 1, &remote, 1, 0);
	}
	if (!strcmp(way, "getfd"))
		return syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, target, 0), 0, 0);
	if (!strcmp(way, "attach") || !strcmp(way, "seize"))
		return ptrace(!strcmp(way, "seize") ? PTRACE_SEIZE : PTRACE_ATTACH, target, 0, 0);
	fd = open_proc(!strcmp(way, "fd")     ? "fd/0"
		       : !strcmp(way, "maps") ? "maps"
					      : "mem",
		       !strcmp(way, "mem_write") ? O_RDWR : O_RDONLY);
	if (fd >= 0 && !strncmp(way, "mem", 3))
		read_mem(fd);
	return fd;
}

static void *attack_and_record(void *unused)
{
	shared->tid = syscall(SYS_gettid);
	errno = 0;
	shared->result = attack();
	shared->err = shared->result < 0 ? errno : 0;
	shared->returned = 1;
	return unused;
}

static void run_attacker(void)
{
	pthread_t thread;

	shared->start_ms = trigger_start_ms(getpid());
	if (strcmp(way, "vm_thread"))
		attack_and_record(NULL);
	else if (pthread_create(&thread, NULL, attack_and_record, NULL) ||
		 pthread_join(thread, NULL))
		trigger_die("thread");
}

static void run_descriptor_reader(void)
{
	for (int fd = 3; fd < LEFT_FDS_MAX; fd++)
		read_mem(fd);
}

/* The first byte of the target's argv. */
static int argv_byte(void)
{
	int fd = open_proc("cmdline", O_RDONLY), c = 0;

	if (fd < 0 || read(fd, &c, 1) != 1)
		trigger_die("cmdline of %ld", target);
	close(fd);
	return c;
}

/* flags: CLONE_FILES or 0. Returns the pid; its wait status if status is not NULL. */
static pid_t run_child(int flags, void (*body)(void), int *status)
{
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		trigger_die("clone");
	if (!pid) {
		body();
		_exit(0);
	}
	if (waitpid(pid, status, 0) != pid)
		trigger_die("waitpid");
	return pid;
}

int main(int argc, char **argv)
{
	int status, bytes_read = 0, before, flags = argc > 3 ? CLONE_FILES : 0;
	pid_t pid;

	if (argc < 3)
		trigger_usage("PID WAY [-f]");
	target = atol(argv[1]);
	way = argv[2];
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		trigger_die("mmap");
	memset(shared->buf, PATTERN, sizeof(shared->buf));
	before = argv_byte();
	pid = run_child(flags, run_attacker, &status);
	if (flags)
		run_child(flags, run_descriptor_reader, NULL);
	for (size_t i = 0; i < sizeof(shared->buf); i++)
		bytes_read += shared->buf[i] != PATTERN;
	trigger_report(
		"\"child\":%d,\"child_tid\":%d,\"child_start_ms\":%lld,\"signal\":%d,"
		"\"returned\":%s,\"result\":%ld,\"errno\":%d,\"bytes_read\":%d,\"written\":%s",
		pid, shared->tid, shared->start_ms, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		trigger_bool(shared->returned), shared->result, shared->err, bytes_read,
		trigger_bool(argv_byte() != before));
	return 0;
}
