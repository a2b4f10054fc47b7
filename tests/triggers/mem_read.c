/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_read: opens /proc/PID/mem and reads so many bytes of the target's code; "bad": from an address that is not
 * mapped. "-s": the descriptor is opened by a child and received over a UNIX socket. "-f": the last page of the buffer
 * cannot be written, so that the read fails after it has copied what fits before. "-u": it is read through io_uring.
 *
 * Ground truth: "opened"; "result" and "errno" of the read; "copied": whether something stands in the buffer after it;
 * "missing": io_uring is off.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "uring.h"

static char buf[1 << 16];

static int open_mem(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		trigger_die("%s", path);
	return fd;
}

/* One descriptor in a message of one byte. */
static void fd_message(struct msghdr *m, struct iovec *one, char *control, size_t size)
{
	static char byte;

	*one = (struct iovec){&byte, 1};
	*m = (struct msghdr){
		.msg_iov = one, .msg_iovlen = 1, .msg_control = control, .msg_controllen = size};
}

static int receive_mem(const char *path)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct cmsghdr *c;
	struct msghdr m;
	struct iovec one;
	int pair[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		trigger_die("socketpair");
	pid = fork();
	if (pid < 0)
		trigger_die("fork");
	fd_message(&m, &one, control, sizeof(control));
	c = CMSG_FIRSTHDR(&m);
	if (!pid) {
		fd = open_mem(path);
		*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
				      .cmsg_type = SCM_RIGHTS,
				      .cmsg_len = CMSG_LEN(sizeof(fd))};
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
		_exit(sendmsg(pair[0], &m, 0) != 1);
	}
	if (recvmsg(pair[1], &m, 0) != 1)
		trigger_die("recvmsg");
	waitpid(pid, NULL, 0);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* As many bytes, of which the last page cannot be written. Not a hole, which the next mapping would fill. */
static char *faulting(size_t bytes)
{
	char *all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED || mprotect(all + bytes - 4096, 4096, PROT_NONE))
		trigger_die("mprotect");
	return all;
}

/* As pread(2). Sets *missing where io_uring is off. */
static long read_by_ring(int fd, void *to, size_t bytes, off_t from, int *missing)
{
	struct io_uring_sqe *sqe;
	struct uring r;
	int result;

	if (uring_init(&r, 0)) {
		*missing = 1;
		return -1;
	}
	sqe = uring_queue(&r, IORING_OP_READ, fd, to);
	sqe->len = (unsigned)bytes;
	sqe->off = (unsigned long long)from;
	uring_submit(&r, 1);
	result = uring_result(&r, 0);
	errno = result < 0 ? -result : 0;
	return result < 0 ? -1 : result;
}

static int has(int argc, char **argv, const char *flag)
{
	for (int i = 3; i < argc; i++)
		if (!strcmp(argv[i], flag))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	int fd, bad, missing = 0;
	char *to = buf, path[64];
	size_t bytes;
	long result;
	off_t from;

	if (argc < 3)
		trigger_usage("PID BYTES|bad [-s] [-f] [-u]");
	bad = !strcmp(argv[2], "bad");
	bytes = bad ? 1 : (size_t)atol(argv[2]);
	snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
	from = bad ? 0x1000 : (off_t)trigger_address(atol(argv[1]), STAT_START_CODE);
	fd = has(argc, argv, "-s") ? receive_mem(path) : open_mem(path);
	if (has(argc, argv, "-f"))
		to = faulting(bytes);
	errno = 0;
	if (has(argc, argv, "-u"))
		result = read_by_ring(fd, to, bytes, from, &missing);
	else
		result = pread(fd, to, bytes, from);
	trigger_report("\"opened\":true,\"result\":%ld,\"errno\":%d,\"copied\":%s,\"missing\":%s",
		       result, result < 0 ? errno : 0,
		       trigger_bool(to[0] || to[1] || to[2] || to[3]), trigger_bool(missing));
	return 0;
}
