/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_read: opens /proc/PID/mem and reads so many bytes of the target's code; "bad": from an address that is not
 * mapped. "-s": the descriptor is opened by a child and received over a UNIX socket. "-f": the last page of the buffer is
 * not mapped, so that the read fails after it has copied what fits before.
 *
 * Ground truth: "opened"; "result" and "errno" of the read; "copied": whether something stands in the buffer after it.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "trigger.h"

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

/* As many bytes, of which the last page is not mapped. */
static char *faulting(size_t bytes)
{
	char *all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED || munmap(all + bytes - 4096, 4096))
		trigger_die("mmap");
	return all;
}

int main(int argc, char **argv)
{
	char *to = buf;
	char path[64];
	long result;
	off_t from;
	int fd, bad;

	if (argc < 3)
		trigger_usage("PID BYTES|bad [-s|-f]");
	bad = !strcmp(argv[2], "bad");
	snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
	from = bad ? 0x1000 : (off_t)trigger_address(atol(argv[1]), STAT_START_CODE);
	fd = argc > 3 && !strcmp(argv[3], "-s") ? receive_mem(path) : open_mem(path);
	if (argc > 3 && !strcmp(argv[3], "-f"))
		to = faulting((size_t)atol(argv[2]));
	errno = 0;
	result = pread(fd, to, bad ? 1 : (size_t)atol(argv[2]), from);
	trigger_report("\"opened\":true,\"result\":%ld,\"errno\":%d,\"copied\":%s", result,
		       result < 0 ? errno : 0, to[0] || to[1] || to[2] || to[3] ? "true" : "false");
	return 0;
}
