// SPDX-License-Identifier: BSD-2-Clause
/* decoy.c - see decoy.h. */
#include "validate/decoy.h"

#include "base/clock.h"
#include "base/macros.h"
#include "base/proc.h"
#include "validate/look.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <link.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define UIDS_TRIED 64
#define START_NS (10 * NS_PER_SEC)
#define SERVES_NS (200 * NS_PER_MS) /* from when it listens */

/* Redis 7 refuses MODULE without this; older ones do not know it. */
#define WITH_MODULES "enable-module-command yes\n"

/* A port that nobody uses now. */
static uint16_t free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		a.sin_port = 0;
	if (fd >= 0)
		close(fd);
	return ntohs(a.sin_port);
}

struct decoy_end decoy_end(uint16_t port)
{
	return (struct decoy_end){.ip = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1},
				  .port = port};
}

static socklen_t address_of(const struct decoy_end *to, struct sockaddr_storage *ret)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){.ss_family = AF_INET6};
	if (memcmp(to->ip, mapped, sizeof(mapped)) != 0) {
		v6->sin6_port = htons(to->port);
		memcpy(&v6->sin6_addr, to->ip, sizeof(v6->sin6_addr));
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(to->port);
	memcpy(&v4->sin_addr, to->ip + 12, sizeof(v4->sin_addr));
	return sizeof(*v4);
}

int decoy_connect(const struct decoy_end *to)
{
	struct timeval second = {.tv_sec = 1};
	struct sockaddr_storage a;
	socklen_t len = address_of(to, &a);
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	if (!connect(fd, (struct sockaddr *)&a, len))
		return fd;
	close(fd);
	errno = ECONNREFUSED; /* whatever it was: nothing was tried */
	return -1;
}

uint16_t decoy_peer_port(int fd)
{
	struct sockaddr_in6 a = {}; /* the port of either family is at the same place */
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) ? 0 : ntohs(a.sin6_port);
}

/* --- its user --- */

/*
 * Whoever has the user of a decoy could take it over: a hostile server, too, which then ran outside of its container or unit. So it
 * gets one from those that systemd gives away for a time (DynamicUser=), which no process and no name has now.
 */
#define UID_FIRST 61184
#define UID_LAST 65519

struct uid_search {
	uid_t uid;
	bool taken;
};

static void take_uid(void *ctx, pid_t pid)
{
	struct uid_search *s = ctx;
	struct process_status st;

	if (look_status(pid, &st))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(st.uid); i++)
		s->taken = s->taken || st.uid[i] == s->uid;
}

static uid_t free_uid(void)
{
	const unsigned int count = UID_LAST - UID_FIRST + 1;
	unsigned int begin = 0;

	RAND_bytes((unsigned char *)&begin, sizeof(begin));
	for (unsigned int i = 0; i < UIDS_TRIED; i++) {
		struct uid_search s = {.uid = UID_FIRST + (begin + i) % count};

		s.taken = getpwuid(s.uid);
		if (!s.taken)
			proc_each(take_uid, &s);
		if (!s.taken)
			return s.uid;
	}
	return 0;
}

/* --- its files --- */

/* Returns whether files in it may be executed; /run and /tmp often forbid that. */
static bool make_dir(struct decoy *d)
{
	static const char *const places[] = {"/run", "/var/tmp", "/tmp"};
	struct statvfs st;
	size_t i = 0;

	while (i < ARRAY_SIZE(places) &&
	       (statvfs(places[i], &st) || st.f_flag & (ST_NOEXEC | ST_RDONLY)))
		i++;
	snprintf(d->dir, sizeof(d->dir), "%s/cachewarden-decoy.XXXXXX",
		 places[i < ARRAY_SIZE(places) ? i : 0]);
	if (!mkdtemp(d->dir))
		d->dir[0] = '\0';
	return d->dir[0] && i < ARRAY_SIZE(places);
}

/*
 * Its user alone can read its files, which have its password: no group of his. He can add none to the directory, where root opens
 * some.
 */
static FILE *create(const struct decoy *d, const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && (fchown(fd, d->uid, 0) || fchmod(fd, mode))) {
		close(fd);
		return NULL;
	}
	return fd < 0 ? NULL : fdopen(fd, "w");
}

/* A key and its certificate in one file: nobody verifies it. */
static bool write_key(const struct decoy *d)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	FILE *f = create(d, d->key, 0400);
	bool ok = key && x && f && X509_set_version(x, 2) &&
		  X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
		  X509_gmtime_adj(X509_getm_notAfter(x), 86400) && X509_set_pubkey(x, key) &&
		  X509_sign(x, key, EVP_sha256()) && PEM_write_X509(f, x) &&
		  PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);

	if (f && fclose(f))
		ok = false;
	X509_free(x);
	EVP_PKEY_free(key);
	return ok;
}

/* The file of a library that this program has and a server has not. */
static int find_library(struct dl_phdr_info *info, size_t size, void *path)
{
	if (!strstr(info->dlpi_name, "/libbpf.so"))
		return 0;
	snprintf(path, PATH_MAX, "%s", info->dlpi_name);
	return 1;
}

/* A copy of it, since Redis loads only what may be executed. */
static bool copy_library(struct decoy *d)
{
	char from[PATH_MAX], buf[1 << 16];
	FILE *in = dl_iterate_phdr(find_library, from) ? fopen(from, "re") : NULL;
	FILE *out;
	size_t n;
	bool ok;

	snprintf(d->library, sizeof(d->library), "%.40s/decoy.so", d->dir);
	out = in ? create(d, d->library, 0500) : NULL;
	while (out && (n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, out);
	ok = out && !ferror(in);
	if (out && fclose(out))
		ok = false;
	if (in)
		fclose(in);
	return ok;
}

static bool write_config(const struct decoy *d, const char *more)
{
	FILE *f = create(d, d->config, 0400);

	if (!f)
		return false;
	fprintf(f,
		"bind 127.0.0.1\nport %u\ntls-port %u\ntls-cert-file %s\ntls-key-file %s\n"
		"tls-ca-cert-file %s\ntls-auth-clients no\n"
		"tls-protocols \"TLSv1.1 TLSv1.2 TLSv1.3\"\ntls-ciphers ALL:eNULL:@SECLEVEL=0\n"
		"save \"\"\nappendonly no\ndaemonize no\nlogfile \"\"\ndir %s\nrequirepass %s\n%s",
		d->port, d->tls_port, d->key, d->key, d->key, d->dir, d->password, more);
	return !fclose(f);
}

/* Whoever else is on this host must not make it load a module of his. */
static bool make_password(struct decoy *d)
{
	uint8_t random[DECOY_PASSWORD / 2];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return false;
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(d->password + 2 * i, 3, "%02x", random[i]);
	return true;
}

static bool make_files(struct decoy *d, const char *more)
{
	snprintf(d->config, sizeof(d->config), "%.40s/decoy.conf", d->dir);
	snprintf(d->key, sizeof(d->key), "%.40s/decoy.pem", d->dir);
	d->port = free_port();
	d->tls_port = free_port();
	return d->port && d->tls_port && make_password(d) && !chmod(d->dir, 0711) && write_key(d) &&
	       write_config(d, more);
}

/* --- its process --- */

/* Connected to a port of this host that takes and answers nothing (RFC 863). */
static int open_datagrams(void)
{
	const struct sockaddr_in discard = {.sin_family = AF_INET,
					    .sin_port = htons(9),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || !connect(fd, (const struct sockaddr *)&discard, sizeof(discard)))
		return fd;
	close(fd);
	return -1;
}

__attribute__((noreturn)) static void become(const struct decoy *d, const char *exe)
{
	static char *environment[] = {NULL};
	char *const argv[] = {"redis-server", (char *)d->config, NULL};
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int datagrams = open_datagrams();

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	setsid(); /* or it could type into this terminal */
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    datagrams < 0 || dup2(datagrams, DECOY_DATAGRAMS) < 0 ||
	    fcntl(DECOY_DATAGRAMS, F_SETFD, 0) || chdir(d->dir) || setgroups(0, NULL) ||
	    setresgid(d->gid, d->gid, d->gid) || setresuid(d->uid, d->uid, d->uid) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    close_range(DECOY_DATAGRAMS + 1, ~0u, 0))
		_exit(127);
	execve(exe, argv, environment);
	_exit(127);
}

static bool listens(uint16_t port)
{
	const struct decoy_end end = decoy_end(port);
	int fd = decoy_connect(&end);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * Returns false if it ended, or does not listen in time. It is asked nothing: its first answer in plaintext is that of a drill. A
 * moment later it has begun to serve, or has ended because a port was taken.
 */
static bool wait_listening(struct decoy *d)
{
	uint64_t now = clock_boot_ns(), until = now + START_NS, served = 0;

	while (!served || now < served) {
		if (waitpid(d->pid, NULL, WNOHANG) == d->pid) {
			d->pid = 0;
			return false;
		}
		if (!served && listens(d->port) && listens(d->tls_port))
			served = now + SERVES_NS;
		if (now > until)
			return false;
		usleep(20000);
		now = clock_boot_ns();
	}
	return true;
}

/* The first page it maps that is readable and neither writable nor executable: part of its executable. */
static bool find_page(struct decoy *d)
{
	char path[64], line[PATH_MAX + 128], rights[8];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)d->pid);
	f = fopen(path, "re");
	while (f && !d->page && fgets(line, sizeof(line), f)) {
		void *from;

		if (sscanf(line, "%p-%*x %7s", &from, rights) == 2 && !strcmp(rights, "r--p"))
			d->page = from;
	}
	if (f)
		fclose(f);
	return d->page;
}

static void end_process(struct decoy *d)
{
	if (d->pid > 0) {
		kill(d->pid, SIGKILL);
		waitpid(d->pid, NULL, 0);
	}
	d->pid = 0;
}

static bool run(struct decoy *d, const char *exe, const char *more)
{
	if (!make_files(d, more))
		return false;
	d->pid = fork();
	if (!d->pid)
		become(d, exe);
	if (d->pid > 0 && wait_listening(d) && find_page(d))
		return true;
	end_process(d);
	return false;
}

static bool is_same(const char *path, const struct stat *of)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == of->st_dev && st.st_ino == of->st_ino;
}

/* Nobody but root could have put it there. */
static bool is_roots(const struct stat *exe)
{
	return !exe->st_uid && !(exe->st_mode & (S_IWGRP | S_IWOTH));
}

/* What a container brings along is not run outside of it, where it could do more. */
static bool is_contained(pid_t pid, bool mounts_too)
{
	static const char *const spaces[] = {"pid", "user", "net", "mnt"};
	char own[64], its[64];
	struct stat st;

	for (size_t i = 0; i < (mounts_too ? ARRAY_SIZE(spaces) : 2); i++) {
		snprintf(own, sizeof(own), "/proc/self/ns/%s", spaces[i]);
		snprintf(its, sizeof(its), "/proc/%d/ns/%s", (int)pid, spaces[i]);
		if (stat(its, &st) || !is_same(own, &st))
			return true;
	}
	return false;
}

/*
 * Whom to run it as. An executable of somebody's who is not root is run as the server is, which he could do himself, and only
 * where the server is.
 */
static bool choose_user(struct decoy *d, pid_t like, const struct decoy_user *u,
			const struct stat *exe, char *why, size_t size)
{
	d->gid = u->gid ?: NOBODY;
	d->uid = is_roots(exe) ? free_uid() : u->uid;
	if (is_roots(exe) && !d->uid)
		snprintf(why, size, "no user for a decoy: %d to %d have processes or names",
			 UID_FIRST, UID_LAST);
	else if (!d->uid)
		snprintf(why, size,
			 "the server runs as root, but its executable is not root's alone");
	else if (is_contained(like, !is_roots(exe)))
		snprintf(
			why, size,
			"the server runs in a container: its executable is not run outside of that");
	else
		return true;
	return false;
}

/* The file that the server executes, by the name that it is called by if that is another name of it here. */
static bool find_exe(pid_t like, const char *name, char exe[PATH_MAX], struct stat *ret_st,
		     char *why, size_t size)
{
	char link[64], called[PATH_MAX];
	size_t len = strcspn(name, ":"), dir;
	struct stat st;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)like);
	n = readlink(link, exe, PATH_MAX - 1);
	if (n <= 0 || stat(link, &st)) {
		snprintf(why, size, "the server's executable is not known: %s", strerror(errno));
		return false;
	}
	exe[n] = '\0';
	if (!is_same(exe, &st)) {
		snprintf(
			why, size,
			"the server's executable is in a container, or was replaced: it is not at %.160s here",
			exe);
		return false;
	}
	*ret_st = st;
	dir = (size_t)(strrchr(exe, '/') - exe) + 1;
	if (len && !memchr(name, '/', len) && dir + len < PATH_MAX) {
		snprintf(called, sizeof(called), "%.*s%.*s", (int)dir, exe, (int)len, name);
		if (is_same(called, &st))
			snprintf(exe, PATH_MAX, "%s", called);
	}
	return true;
}

bool decoy_start(struct decoy *d, pid_t like, const char *name, struct decoy_user u, char *why,
		 size_t size)
{
	char exe[PATH_MAX];
	bool executable;
	struct stat st;

	*d = (struct decoy){};
	if (!find_exe(like, name, exe, &st, why, size) || !choose_user(d, like, &u, &st, why, size))
		return false;
	executable = make_dir(d);
	if (!d->dir[0]) {
		snprintf(why, size, "no directory for a decoy: %s", strerror(errno));
		return false;
	}
	if (!executable || !copy_library(d))
		d->library[0] = '\0';
	if (run(d, exe, WITH_MODULES) || run(d, exe, ""))
		return true;
	snprintf(why, size, "the decoy, %.160s with its own configuration, does not start here",
		 exe);
	return false;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	remove(path);
	return 0;
}

void decoy_stop(struct decoy *d)
{
	end_process(d);
	if (d->dir[0])
		nftw(d->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	d->dir[0] = '\0';
}
