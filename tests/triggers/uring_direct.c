/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uring_direct: a child opens a file as a direct descriptor of a ring, which no process's descriptor table has, and
 * reads it by a request linked to the open. What it reads goes to memory shared with the parent, which does nothing
 * wrong and reports the outcome, even if the child was killed.
 *
 *     PID         /proc/PID/mem, from the start of the code
 *     PATH        a file, from its beginning
 *     async       by a kernel worker
 *     sqpoll      by a kernel thread that polls the ring
 *     splice      spliced into a pipe instead of read
 *     quiet       without completions
 *     parent      only opened by the child; the parent, which has the ring too, reads
 *     hold        opened, and held until killed
 *     registered  the same, in a ring that is registered with its process and has no descriptor any more
 *
 * Ground truth: "missing", whether such descriptors are not available; "reader", the pid of who read; "signal" that
 * killed the child, or 0; "bytes_read", bytes that arrived.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "uring.h"

#define PATTERN 0xa5
#define FILE_SLOT 0
#define OWN_RING 5 /* of the rings registered with the process */

static struct shared {
	unsigned char buf[4096];
	int missing, held;
} * shared;

static const char *way = "";
static int hold;
static char path[512];
static off_t from;

static void queue_open(struct uring *r)
{
	struct io_uring_sqe *sqe = uring_queue(r, IORING_OP_OPENAT, AT_FDCWD, path);

	sqe->open_flags = O_RDONLY;
	sqe->file_index = FILE_SLOT + 1;
	sqe->flags = IOSQE_IO_LINK;
}

static void queue_read(struct uring *r, int to)
{
	struct io_uring_sqe *sqe;

	if (!strcmp(way, "splice")) {
		sqe = uring_queue(r, IORING_OP_SPLICE, to, NULL);
		sqe->splice_off_in = (unsigned long long)from;
		sqe->off = (unsigned long long)-1;
		sqe->splice_fd_in = FILE_SLOT;
		sqe->splice_flags = SPLICE_F_FD_IN_FIXED;
	} else {
		sqe = uring_queue(r, IORING_OP_READ, FILE_SLOT, shared->buf);
		sqe->off = (unsigned long long)from;
		sqe->flags = IOSQE_FIXED_FILE;
	}
	sqe->len = sizeof(shared->buf);
}

static void add_flag(struct uring *r, unsigned flag)
{
	for (unsigned i = 0; i < r->queued; i++)
		r->sqes[i].flags |= (unsigned char)flag;
}

/* The ring stays the process's, at an index that only io_uring_enter() takes. */
static void drop_descriptor(const struct uring *r)
{
	struct io_uring_rsrc_update reg = {.offset = OWN_RING, .data = (unsigned)r->fd};

	if (syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_RING_FDS, &reg, 1) < 0)
		shared->missing = 1;
	close(r->fd);
}

/* Every process that submits maps the ring itself; a polling thread belongs to whoever made it. */
static void make_ring(struct uring *r)
{
	shared->missing = uring_init(r, !strcmp(way, "sqpoll")) != 0;
	if (!shared->missing)
		uring_add_slots(r);
}

static void run_child(struct uring *r)
{
	int fds[2], wait;

	if (strcmp(way, "parent"))
		make_ring(r);
	if (shared->missing)
		return;
	if (pipe(fds))
		trigger_die("pipe");
	queue_open(r);
	if (strcmp(way, "parent") && !hold)
		queue_read(r, fds[1]);
	wait = (int)r->queued;
	r->sqes[r->queued - 1].flags &= (unsigned char)~IOSQE_IO_LINK;
	if (!strcmp(way, "async"))
		add_flag(r, IOSQE_ASYNC);
	if (!strcmp(way, "quiet")) {
		add_flag(r, IOSQE_CQE_SKIP_SUCCESS);
		wait = 0;
	}
	uring_submit(r, (unsigned)wait);
	if (!wait) /* the requests are in progress in this process's context */
		usleep(300000);
	else
		shared->missing = uring_result(r, 0) == -EINVAL;
	if (!strcmp(way, "registered"))
		drop_descriptor(r);
	if (!strcmp(way, "splice") && read(fds[0], shared->buf, sizeof(shared->buf)) < 0)
		trigger_die("read");
}

int main(int argc, char **argv)
{
	int status = 0, bytes_read = 0;
	struct uring r;
	pid_t pid;

	if (argc < 2)
		trigger_usage("PID|PATH [WAY]");
	way = argc > 2 ? argv[2] : "";
	hold = !strcmp(way, "hold") || !strcmp(way, "registered");
	if (argv[1][0] == '/') {
		snprintf(path, sizeof(path), "%s", argv[1]);
	} else {
		snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
		from = (off_t)trigger_address(atol(argv[1]), STAT_START_CODE);
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		trigger_die("mmap");
	memset(shared->buf, PATTERN, sizeof(shared->buf));
	if (!strcmp(way, "parent"))
		make_ring(&r);
	pid = fork();
	if (pid < 0)
		trigger_die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_child(&r);
		__atomic_store_n(&shared->held, 1, __ATOMIC_RELEASE);
		if (hold)
			trigger_stay();
		_exit(0);
	}
	while (hold && !__atomic_load_n(&shared->held, __ATOMIC_ACQUIRE))
		usleep(1000);
	if (!hold && waitpid(pid, &status, 0) != pid)
		trigger_die("waitpid");
	if (!strcmp(way, "parent") && !shared->missing) {
		queue_read(&r, -1);
		uring_submit(&r, 2); /* the first completion is the child's */
		pid = getpid();
	}
	for (size_t i = 0; i < sizeof(shared->buf); i++)
		bytes_read += shared->buf[i] != PATTERN;
	trigger_report("\"missing\":%s,\"reader\":%d,\"signal\":%d,\"bytes_read\":%d",
		       trigger_bool(shared->missing), pid,
		       !hold && WIFSIGNALED(status) ? WTERMSIG(status) : 0, bytes_read);
	if (hold)
		waitpid(pid, &status, 0);
	return 0;
}
