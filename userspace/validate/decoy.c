// SPDX-License-Identifier: BSD-2-Clause
/* decoy.c - see decoy.h. */
#include "validate/decoy.h"

#include "base/clock.h"
#include "base/macros.h"
#include "base/proc.h"

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

#define START_NS (10 * NS_PER_SEC)

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

int decoy_connect(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval second = {.tv_sec = 1};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	close(fd);
	return -1;
}

uint16_t decoy_peer_port(int fd)
{
	struct sockaddr_in a = {};
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) ? 0 : ntohs(a.sin_port);
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

/* The decoy can read its files by its group, and change none, nor its directory: its user is trusted with nothing. */
static FILE *create(const char *path, const struct decoy_user *u, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && (fchown(fd, 0, u->gid) || fchmod(fd, mode))) {
		close(fd);
		return NULL;
	}
	return fd < 0 ? NULL : fdopen(fd, "w");
}

/* A key and its certificate in one file: nobody verifies it. */
static bool write_key(const char *path, const struct decoy_user *u)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	FILE *f = create(path, u, 0640);
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
static bool copy_library(struct decoy *d, const struct decoy_user *u)
{
	char from[PATH_MAX], buf[1 << 16];
	FILE *in = dl_iterate_phdr(find_library, from) ? fopen(from, "re") : NULL;
	FILE *out;
	size_t n;
	bool ok;

	snprintf(d->library, sizeof(d->library), "%.40s/decoy.so", d->dir);
	out = in ? create(d->library, u, 0750) : NULL;
	while (out && (n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, out);
	ok = out && !ferror(in);
	if (out && fclose(out))
		ok = false;
	if (in)
		fclose(in);
	return ok;
}

static bool write_config(const struct decoy *d, const struct decoy_user *u, const char *more)
{
	FILE *f = create(d->config, u, 0640);

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

static bool make_files(struct decoy *d, const struct decoy_user *u, const char *more)
{
	snprintf(d->config, sizeof(d->config), "%.40s/decoy.conf", d->dir);
	snprintf(d->key, sizeof(d->key), "%.40s/decoy.pem", d->dir);
	d->port = free_port();
	d->tls_port = free_port();
	return d->port && d->tls_port && make_password(d) && !chown(d->dir, 0, u->gid) &&
	       !chmod(d->dir, 0750) && write_key(d->key, u) && write_config(d, u, more);
}

/* --- its process --- */

__attribute__((noreturn)) static void become(const struct decoy *d, const char *exe,
					     const struct decoy_user *u)
{
	static char *environment[] = {NULL};
	char *const argv[] = {"redis-server", (char *)d->config, NULL};
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	setsid(); /* or it could type into this terminal */
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    chdir(d->dir) || setgroups(0, NULL) || setresgid(u->gid, u->gid, u->gid) ||
	    setresuid(u->uid, u->uid, u->uid) || prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || close_range(3, ~0u, 0))
		_exit(127);
	execve(exe, argv, environment);
	_exit(127);
}

static bool answers(uint16_t port)
{
	int fd = decoy_connect(port);
	char answer[8] = "";
	bool ok = fd >= 0 && write(fd, "PING\r\n", 6) == 6 && read(fd, answer, 7) == 7 &&
		  !memcmp(answer, "-NOAUTH", 7);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Returns false if it ended, or does not answer in time. */
static bool wait_answer(struct decoy *d)
{
	uint64_t until = clock_boot_ns() + START_NS;

	while (!answers(d->port)) {
		if (waitpid(d->pid, NULL, WNOHANG) == d->pid) {
			d->pid = 0;
			return false;
		}
		if (clock_boot_ns() > until)
			return false;
		usleep(20000);
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

static bool run(struct decoy *d, const char *exe, const struct decoy_user *u, const char *more)
{
	if (!make_files(d, u, more))
		return false;
	d->pid = fork();
	if (!d->pid)
		become(d, exe, u);
	if (d->pid > 0 && wait_answer(d) && find_page(d))
		return true;
	end_process(d);
	return false;
}

bool decoy_start(struct decoy *d, pid_t like, struct decoy_user u, char *why, size_t size)
{
	char link[64], exe[PATH_MAX];
	bool executable;
	ssize_t n;

	*d = (struct decoy){};
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)like);
	n = readlink(link, exe, sizeof(exe) - 1);
	if (n <= 0) {
		snprintf(why, size, "the server's executable is not known: %s", strerror(errno));
		return false;
	}
	exe[n] = '\0';
	executable = make_dir(d);
	if (!d->dir[0]) {
		snprintf(why, size, "no directory for a decoy: %s", strerror(errno));
		return false;
	}
	if (!u.uid)
		u = (struct decoy_user){NOBODY, NOBODY};
	if (!executable || !copy_library(d, &u))
		d->library[0] = '\0';
	if (run(d, exe, &u, WITH_MODULES) || run(d, exe, &u, ""))
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
