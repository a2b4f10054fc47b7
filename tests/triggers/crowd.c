/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd: what an unprivileged user can do to fill the monitor's tables.
 *
 *     threads LEVELS NUMBER UID   a process of UID with a server's title and NUMBER threads, inside LEVELS nested pid
 *                                 namespaces; it stays
 *     servers NUMBER              NUMBER short processes with a server's title, one after the other
 *     alive NUMBER                NUMBER processes with a server's title, which stay
 *     leaver NUMBER               a process with a server's title that makes NUMBER of them and then executes a program that is
 *                                 no server; it stays
 *     files NUMBER                a process with a server's title that opens a new file without a name again and again; it
 *                                 stays. Reported once NUMBER were opened
 *     code NUMBER                 a server that maps NUMBER files executable, one after the other; it stays
 *     chain NUMBER                NUMBER processes with a server's title, each the child of the one before; they stay
 *     reported FIRST USERS        each of USERS users from uid FIRST on opens some 500 files in /proc of a process of his with
 *                                 a server's title; they stay
 *     pipes NUMBER                a process with a server's title that makes NUMBER pipes and has two at a time; it stays
 *     states HOLDERS SERVERS      each of HOLDERS processes keeps files in /proc of each of SERVERS processes with a server's
 *                                 title; they stay
 *     plain PORT NUMBER           NUMBER connections to a port of this host, one after the other, each with a line of plaintext
 *     leave PORT NUMBER           the same, but the line is sent by the kernel, when no process has the socket any more
 *
 * Ground truth: "made", how many there were; "errno" of the first that failed; alive: "last", pid of the last one.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <netinet/tcp.h>

#include "net.h"

#define STACK 16384

static void *idle(void *arg)
{
	trigger_stay();
}

/* The innermost process; its standard output leads to the outermost one. */
__attribute__((noreturn)) static void make_threads(long number)
{
	pthread_attr_t attr;
	long made = 0;
	int err = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	while (made < number && !err) {
		pthread_t t;

		err = pthread_create(&t, &attr, idle, NULL);
		made += !err;
	}
	printf("%ld %d\n", made, err);
	fflush(stdout);
	trigger_stay();
}

/*
 * The innermost process becomes that user and takes a server's title. The others wait for it. Where users may make user
 * namespaces, none of this takes root.
 */
__attribute__((noreturn)) static void nest(long levels, const char *number, uid_t uid)
{
	pid_t pid = 0;

	while (!pid && levels--) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWPID))
			trigger_die("pid namespace");
		pid = fork();
		if (pid < 0)
			trigger_die("fork");
	}
	if (pid) {
		waitpid(pid, NULL, 0);
		exit(1);
	}
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		trigger_die("uid %u", uid);
	execl("/proc/self/exe", "redis-server", "inside", number, NULL);
	trigger_die("exec");
}

/*
 * The outermost process reports, since the pid that the innermost one has for itself is 1. All others end with it: the
 * first in the namespaces is killed by PR_SET_PDEATHSIG, and takes them along.
 */
__attribute__((noreturn)) static void crowd(long levels, const char *number, uid_t uid)
{
	int ends[2], err;
	long made;
	FILE *f;

	if (pipe(ends))
		trigger_die("pipe");
	switch (fork()) {
	case -1:
		trigger_die("fork");
	case 0:
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		nest(levels, number, uid);
	}
	close(ends[1]);
	f = fdopen(ends[0], "r");
	if (!f || fscanf(f, "%ld %d", &made, &err) != 2)
		trigger_die("the crowd");
	trigger_report("\"made\":%ld,\"errno\":%d", made, err);
	trigger_stay();
}

/* Returns 0, or an errno. */
static int server_once(void)
{
	pid_t pid = vfork();
	int status;

	if (pid < 0)
		return errno;
	if (!pid) {
		execl("/proc/self/exe", "redis-server", "nothing", NULL);
		_exit(1);
	}
	return waitpid(pid, &status, 0) == pid && !status ? 0 : ENOEXEC;
}

static void make_servers(long number)
{
	long made = 0;
	int err = 0;

	while (made < number && !err) {
		err = server_once();
		made += !err;
	}
	trigger_report("\"made\":%ld,\"errno\":%d", made, err);
}

/* It ends with the one who made it. Returns its pid, or -1. */
static pid_t server_alive(pid_t parent)
{
	pid_t pid = vfork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		execl("/proc/self/exe", "redis-server", "idle", NULL);
	_exit(1);
}

static void make_alive(long number)
{
	pid_t self = getpid(), last = 0;
	long made = 0;

	while (made < number && (last = server_alive(self)) > 0)
		made++;
	trigger_report("\"made\":%ld,\"last\":%d", made, last);
	trigger_stay();
}

static void make_and_leave(long number)
{
	long made = 0;

	while (made < number && !server_once())
		made++;
	trigger_report("\"made\":%ld", made);
	execl("/proc/self/exe", "no server", "idle", NULL);
	trigger_die("exec");
}

/* A file system in memory: each file has a number of its own. */
__attribute__((noreturn)) static void open_files(long number)
{
	long made = 0;
	int fd;

	for (;; made++) {
		if (made == number)
			trigger_report("\"made\":%ld", made);
		fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd < 0)
			trigger_die("open");
		close(fd);
	}
}

#define SETTLE_S                                                                                   \
	4 /* after it listens, the monitor takes a server's code for its own no longer than that */

/* A table that drops what was not used for long keeps the newest entries of each CPU aside: use all CPUs, in turn. */
static void change_cpu(long made)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(made / 64 % sysconf(_SC_NPROCESSORS_ONLN), &set);
	if (made % 64 == 0)
		sched_setaffinity(0, sizeof(set), &set);
}

/* Each file is new, and nobody else has it. */
static void map_files(long number)
{
	int port, fd, listener = net_listen(0, 0);
	long made = 0;
	void *at;

	port = net_port(listener);
	sleep(SETTLE_S);
	for (; made < number; made++) {
		change_cpu(made);
		fd = memfd_create("code", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, 1))
			trigger_die("memfd");
		at = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
		if (at == MAP_FAILED)
			trigger_die("mmap");
		munmap(at, 1);
		close(fd);
	}
	trigger_report("\"made\":%ld,\"port\":%d", made, port);
	trigger_stay();
}

/* Keeps all that it may open. Returns how many that are. */
static int hold_files(pid_t of)
{
	static const char *const names[] = {"mem",	  "maps",  "smaps",   "smaps_rollup",
					    "numa_maps",  "auxv",  "environ", "pagemap",
					    "clear_refs", "stack", "syscall", "personality",
					    "map_files",  "io"};
	char path[40];
	int held = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", of, names[i]);
		held += open(path, (strcmp(names[i], "clear_refs") ? O_RDONLY : O_WRONLY) |
					   O_CLOEXEC) >= 0;
	}
	return held;
}

/* Returns when all is held. */
static void make_states(long holders, long servers, atomic_long *held)
{
	pid_t self = getpid(), *pids = calloc(servers, sizeof(*pids));
	int ready[2];
	char c;

	if (!pids || pipe2(ready, O_CLOEXEC))
		trigger_die("states");
	for (long i = 0; i < servers; i++)
		pids[i] = server_alive(self);
	for (long i = 0; i < holders; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (long k = 0; k < servers; k++)
			atomic_fetch_add(held, hold_files(pids[k]));
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		trigger_stay();
	}
	for (long i = 0; i < holders; i++)
		if (read(ready[0], &c, 1) != 1)
			trigger_die("a holder");
}

static atomic_long *shared_number(void)
{
	void *at = mmap(NULL, sizeof(atomic_long), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		trigger_die("mmap");
	return at;
}

static void keep_states(long holders, long servers)
{
	atomic_long *held = shared_number();

	make_states(holders, servers, held);
	trigger_report("\"made\":%ld", atomic_load(held));
	trigger_stay();
}

#define REPORTS_HOLDERS                                                                            \
	38 /* times the files that hold_files() may open: less than a user's share of attempts */
#define REPORTS_PAUSE                                                                              \
	200000 /* us: the monitor is to read the events of one user before the next one's */

static void make_reports(uid_t first, long users)
{
	atomic_long *held = shared_number();
	int ready[2];
	char c;

	if (pipe2(ready, O_CLOEXEC))
		trigger_die("pipe");
	for (uid_t uid = first; uid < first + users; uid++) {
		if (!fork()) {
			if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
				trigger_die("uid %u", uid);
			prctl(PR_SET_PDEATHSIG, SIGKILL); /* which a new uid takes away */
			prctl(PR_SET_DUMPABLE, 1);
			make_states(REPORTS_HOLDERS, 1, held);
			if (write(ready[1], "", 1) != 1)
				_exit(1);
			trigger_stay();
		}
		if (read(ready[0], &c, 1) != 1)
			trigger_die("a user");
		usleep(REPORTS_PAUSE);
	}
	trigger_report("\"made\":%ld", atomic_load(held));
	trigger_stay();
}

/* The last one reports. */
static void link_chain(long made, const char *number)
{
	char next[24];
	pid_t pid = made < atol(number) ? fork() : -1;

	snprintf(next, sizeof(next), "%ld", made + 1);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/proc/self/exe", "redis-server", "link", next, number, NULL);
		_exit(1);
	}
	if (pid < 0)
		trigger_report("\"made\":%ld", made);
	trigger_stay();
}

static void make_pipes(long number)
{
	int ends[2][2] = {{-1, -1}, {-1, -1}};
	long made = 0;

	for (; made < number; made++) {
		int *p = ends[made % 2];

		change_cpu(made);
		close(p[0]);
		close(p[1]);
		if (pipe2(p, O_CLOEXEC))
			trigger_die("pipe");
	}
	trigger_report("\"made\":%ld", made);
	trigger_stay();
}

/* Returns 0, or an errno. */
static int plain_once(const struct addrinfo *to, int leave)
{
	static const char line[] = "PING\r\n";
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;
	char answer[64];

	if (fd < 0)
		return errno;
	if (connect(fd, to->ai_addr, to->ai_addrlen) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &leave, sizeof(leave)) ||
	    send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0)
		err = errno;
	else if (!leave)
		recv(fd, answer, sizeof(answer), 0); /* or the end of the connection */
	close(fd);
	return err;
}

static void connect_often(const char *port, long number, int leave)
{
	struct addrinfo *to = net_resolve("127.0.0.1", port);
	long made = 0;
	int err = 0;

	while (made < number && !err) {
		err = plain_once(to, leave);
		made += !err;
	}
	freeaddrinfo(to);
	trigger_report("\"made\":%ld,\"errno\":%d", made, err);
}

int main(int argc, char **argv)
{
	if (argc == 4 && (!strcmp(argv[1], "plain") || !strcmp(argv[1], "leave"))) {
		connect_often(argv[2], atol(argv[3]), !strcmp(argv[1], "leave"));
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	if (argc == 2 && !strcmp(argv[1], "idle"))
		trigger_stay();
	if (argc == 3 && !strcmp(argv[1], "alive"))
		make_alive(atol(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "states"))
		keep_states(atol(argv[2]), atol(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "reported"))
		make_reports((uid_t)atol(argv[2]), atol(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "link"))
		link_chain(atol(argv[2]), argv[3]);
	if (argc == 3 && !strcmp(argv[1], "chain")) {
		execl("/proc/self/exe", "redis-server", "link", "1", argv[2], NULL);
		trigger_die("exec");
	}
	if (argc == 3 && !strcmp(argv[1], "inside"))
		make_threads(atol(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "leave"))
		make_and_leave(atol(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "open"))
		open_files(atol(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "files")) {
		execl("/proc/self/exe", "redis-server", "open", argv[2], NULL);
		trigger_die("exec");
	}
	if (argc == 3 && !strcmp(argv[1], "map"))
		map_files(atol(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "pipe"))
		make_pipes(atol(argv[2]));
	if (argc == 3 && (!strcmp(argv[1], "code") || !strcmp(argv[1], "pipes"))) {
		execl("/proc/self/exe", "redis-server", argv[1][0] == 'c' ? "map" : "pipe", argv[2],
		      NULL);
		trigger_die("exec");
	}
	if (argc == 3 && !strcmp(argv[1], "leaver")) {
		execl("/proc/self/exe", "redis-server", "leave", argv[2], NULL);
		trigger_die("exec");
	}
	if (argc == 5 && !strcmp(argv[1], "threads"))
		crowd(atol(argv[2]), argv[3], atoi(argv[4]));
	if (argc != 3 || strcmp(argv[1], "servers"))
		trigger_usage(
			"threads LEVELS NUMBER UID|servers NUMBER|alive NUMBER|leaver NUMBER|files NUMBER|"
			"code NUMBER|pipes NUMBER|states HOLDERS SERVERS|chain NUMBER|reported FIRST USERS|"
			"plain PORT NUMBER|leave PORT NUMBER");
	make_servers(atol(argv[2]));
	return 0;
}
