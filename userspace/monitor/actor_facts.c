// SPDX-License-Identifier: BSD-2-Clause
/* actor_facts.c - see actor_facts.h. What is gone soonest is read first. */
#include "monitor/actor_facts.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/host_state.h"
#include "base/macros.h"
#include "base/procdir.h"
#include "model/instance.h"
#include "report/ocsf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENVIRONMENT_MOST (128u << 10)
#define STATUS_MOST 8192
#define DESCRIPTORS_MOST 4096
#define SOCKETS_MOST 256     /* of a process */
#define LINES_MOST 1000000ul /* of a table of sockets */

struct reading {
	struct jsonw *j;
	const struct actor_source *s;
	struct {
		const char *what;
		int err;
	} unread[ACTOR_UNREAD_MAX];
	size_t unreads;
};

static void note_unread(struct reading *r, const char *what, int err)
{
	if (r->unreads == ACTOR_UNREAD_MAX)
		return;
	r->unread[r->unreads].what = what;
	r->unread[r->unreads++].err = err;
}

static const char *reason(int err)
{
	return err == -ESRCH || err == -ENOENT ? "the process had ended"
	       : err == -EOPNOTSUPP	       ? "it is a protected server"
					       : strerror(-err);
}

/* --- environment --- */

struct names {
	struct jsonw *j;
	size_t count, left_out;
};

static void put_name(void *ctx, const char *name)
{
	struct names *n = ctx;

	if (n->count < ACTOR_NAMES_MAX)
		jsonw_string(n->j, NULL, name);
	else
		n->left_out++;
	n->count++;
}

/* Values pass through this buffer, and are wiped. */
static void put_environment(struct reading *r)
{
	struct names names = {.j = r->j};
	char *text = malloc(ENVIRONMENT_MOST);
	ssize_t n = !text	   ? -ENOMEM
		    : r->s->server ? -EOPNOTSUPP
				   : procdir_read(r->s->dir, "environ", text, ENVIRONMENT_MOST);
	size_t others;

	if (n < 0) {
		note_unread(r, "environment", (int)n);
		free(text);
		return;
	}
	jsonw_object(r->j, "environment");
	jsonw_array(r->j, "names");
	others = environment_names(text, (size_t)n, put_name, &names);
	jsonw_end_array(r->j);
	jsonw_int(r->j, "others", (int64_t)(others + names.left_out));
	if ((size_t)n == ENVIRONMENT_MOST - 1)
		jsonw_bool(r->j, "cut", true);
	jsonw_end_object(r->j);
	explicit_bzero(text, ENVIRONMENT_MOST);
	free(text);
}

/* --- connections --- */

struct sockets {
	uint64_t inode[SOCKETS_MOST];
	size_t count;
};

static int find_sockets(int dir, struct sockets *ret)
{
	int fd = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	unsigned int seen = 0;
	char link[64];
	uint64_t ino;

	if (!d)
		return fd < 0 ? -errno : -ENOMEM;
	while ((e = readdir(d)) && seen++ < DESCRIPTORS_MOST && ret->count < SOCKETS_MOST) {
		/* a name that is cut here is not a socket's */
		if (procdir_link(dirfd(d), e->d_name, link, sizeof(link)) > 0 &&
		    (ino = socket_inode(link)))
			ret->inode[ret->count++] = ino;
	}
	closedir(d);
	return e ? -E2BIG : 0;
}

static bool has_socket(const struct sockets *s, uint64_t inode)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->inode[i] == inode)
			return true;
	}
	return false;
}

static void add_conn(struct actor_conns *ret, const struct socket_line *l)
{
	if (ret->count < ACTOR_CONNS_MAX)
		ret->conn[ret->count++] = *l;
	else
		ret->left_out++;
}

static int find_in_table(int dir, const char *name, bool ipv6, const struct sockets *s,
			 struct actor_conns *ret)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	struct socket_line l;
	unsigned long lines = 0;
	char line[512];

	if (!f) {
		if (fd >= 0)
			close(fd);
		return fd < 0 ? -errno : -ENOMEM;
	}
	while (lines++ < LINES_MOST && fgets(line, sizeof(line), f)) {
		if (socket_line_parse(line, ipv6, &l) && l.inode && has_socket(s, l.inode))
			add_conn(ret, &l);
	}
	fclose(f);
	return lines > LINES_MOST ? -E2BIG : 0;
}

/* Its network namespace's tables, as far as they are about its sockets. Addresses, never contents. */
static void find_conns(struct reading *r, struct actor_conns *ret)
{
	struct sockets s = {};
	int err;

	*ret = (struct actor_conns){};
	err = r->s->server ? -EOPNOTSUPP : find_sockets(r->s->dir, &s);
	if (s.count) {
		int in4 = find_in_table(r->s->dir, "net/tcp", false, &s, ret);
		int in6 = find_in_table(r->s->dir, "net/tcp6", true, &s, ret);

		err = err ?: in4 ?: in6 == -ENOENT ? 0 : in6;
	}
	ret->err = err;
	if (err)
		note_unread(r, "connections", err);
}

/* --- rights and namespaces --- */

static void put_set(struct jsonw *j, const char *key, const char *status, const char *field)
{
	char text[32], number[24];
	uint64_t set;

	if (!procdir_status_field(status, field, text, sizeof(text)))
		return;
	set = strtoull(text, NULL, 16);
	jsonw_array(j, key);
	for (unsigned int i = 0; i < CAPABILITIES; i++) {
		if (!(set >> i & 1))
			continue;
		snprintf(number, sizeof(number), "%u", i);
		jsonw_string(j, NULL, capability_name(i) ?: number);
	}
	jsonw_end_array(j);
}

static void put_number(struct jsonw *j, const char *key, const char *status, const char *field)
{
	char text[64];

	if (procdir_status_field(status, field, text, sizeof(text)))
		jsonw_int(j, key, strtoll(text, NULL, 10));
}

static void put_rights(struct reading *r)
{
	static char const names[][2][16] = {{"effective", "CapEff"},
					    {"permitted", "CapPrm"},
					    {"bounding", "CapBnd"},
					    {"ambient", "CapAmb"}};
	char status[STATUS_MOST];
	ssize_t n = procdir_read(r->s->dir, "status", status, sizeof(status));

	if (n < 0) {
		note_unread(r, "capabilities", (int)n);
		return;
	}
	jsonw_object(r->j, "capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put_set(r->j, names[i][0], status, names[i][1]);
	jsonw_end_object(r->j);
	put_number(r->j, "no_new_privs", status, "NoNewPrivs");
	put_number(r->j, "seccomp", status, "Seccomp");
}

static void put_label(struct reading *r)
{
	char label[128];

	if (procdir_read(r->s->dir, "attr/current", label, sizeof(label)) <= 0)
		return; /* no security module has any */
	label[strcspn(label, "\n")] = '\0';
	jsonw_text(r->j, "security_label", label);
}

/* Inode number of a namespace, 0: unknown. */
static uint64_t namespace_of(int dir, const char *name, int *ret_err)
{
	char link[64], path[32], *at;
	ssize_t n;

	snprintf(path, sizeof(path), "ns/%s", name);
	n = procdir_link(dir, path, link, sizeof(link));
	if (n < 0)
		*ret_err = (int)n;
	at = n < 0 ? NULL : strchr(link, '[');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* And which of them are not those of the host's first process. */
static void put_namespaces(struct reading *r)
{
	static const char *const names[] = {"cgroup", "ipc",  "mnt",  "net",
					    "pid",    "time", "user", "uts"};
	uint64_t ns[ARRAY_SIZE(names)], host[ARRAY_SIZE(names)];
	char path[64];
	int init, err = 0, ignored = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ns[i] = namespace_of(r->s->dir, names[i], &err);
	if (!ns[2]) {
		note_unread(r, "namespaces", err ?: -EPROTO);
		return;
	}
	snprintf(path, sizeof(path), "%.40s/1", r->s->proc);
	init = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		host[i] = init < 0 ? 0 : namespace_of(init, names[i], &ignored);
	if (init >= 0)
		close(init);
	jsonw_object(r->j, "namespaces");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (ns[i])
			jsonw_int(r->j, names[i], (int64_t)ns[i]);
	}
	jsonw_end_object(r->j);
	jsonw_array(r->j, "not_of_host");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (ns[i] && host[i] && ns[i] != host[i])
			jsonw_string(r->j, NULL, names[i]);
	}
	jsonw_end_array(r->j);
}

/* --- logins and ancestors --- */

/* 4294967295 stands for none. */
static bool read_id(int dir, const char *name, int64_t *ret)
{
	char text[32];

	if (procdir_read(dir, name, text, sizeof(text)) <= 0)
		return false;
	*ret = strtoll(text, NULL, 10);
	return *ret != UINT32_MAX;
}

/* What audit recorded of the login that a process descends from, its session's leader and its terminal. */
static void put_login(struct jsonw *j, int dir)
{
	char stat[1024];
	int64_t n;

	if (read_id(dir, "loginuid", &n))
		jsonw_int(j, "loginuid", n);
	if (read_id(dir, "sessionid", &n))
		jsonw_int(j, "audit_session", n);
	if (procdir_read(dir, "stat", stat, sizeof(stat)) <= 0)
		return;
	if (procdir_stat_field(stat, 6, &n))
		jsonw_int(j, "session_leader", n);
	if (procdir_stat_field(stat, 7, &n) && n)
		jsonw_int(j, "terminal", n);
}

static void put_own_login(struct reading *r)
{
	char stat[1024];
	ssize_t n = procdir_read(r->s->dir, "stat", stat, sizeof(stat));

	if (n < 0) {
		note_unread(r, "login", (int)n);
		return;
	}
	jsonw_object(r->j, "login");
	put_login(r->j, r->s->dir);
	jsonw_end_object(r->j);
}

static void put_ancestor(struct reading *r, const struct ancestor_info *a)
{
	const struct process_info *p = r->s->info;
	char exe[PATH_LEN], comm[COMM_LEN + 1] = "";
	int dir = procdir_open(r->s->proc, (pid_t)a->pid, a->start_ns);

	memcpy(comm, a->comm, COMM_LEN);
	instance_exe_path(p, &a->exe, exe, sizeof(exe));
	jsonw_object(r->j, NULL);
	jsonw_int(r->j, "pid", a->pid);
	jsonw_int(r->j, "start_time", clock_epoch_ms(a->start_ns));
	ocsf_process_uid(r->j, a->pid, a->start_ns);
	jsonw_string(r->j, "comm", comm);
	jsonw_text(r->j, "exe", exe);
	jsonw_int(r->j, "uid", a->uid);
	if (dir >= 0)
		put_login(r->j, dir);
	else
		jsonw_string(r->j, "unread", reason(dir));
	jsonw_end_object(r->j);
	if (dir >= 0)
		close(dir);
}

/* As the kernel had them at the deed, parent first; logins as they are now. */
static void put_ancestors(struct reading *r)
{
	const struct process_info *p = r->s->info;

	jsonw_array(r->j, "ancestors");
	for (uint32_t i = 0; i < p->ancestors && i < ANCESTORS_MAX; i++)
		put_ancestor(r, &p->ancestor[i]);
	jsonw_end_array(r->j);
}

/* --- all of it --- */

static void put_held(struct reading *r, struct actor_conns *ret)
{
	put_environment(r);
	find_conns(r, ret);
	put_rights(r);
	put_namespaces(r);
	put_label(r);
	put_own_login(r);
}

void actor_facts_json(struct jsonw *j, const struct actor_source *s, struct actor_conns *ret)
{
	struct reading r = {.j = j, .s = s};

	*ret = (struct actor_conns){.err = s->dir < 0 ? s->dir : 0};
	if (s->dir >= 0)
		put_held(&r, ret);
	else
		note_unread(&r, "all that /proc says of it", s->dir);
	put_ancestors(&r);
	jsonw_array(j, "unread");
	for (size_t i = 0; i < r.unreads; i++) {
		char text[160];

		snprintf(text, sizeof(text), "%s: %s", r.unread[i].what, reason(r.unread[i].err));
		jsonw_string(j, NULL, text);
	}
	jsonw_end_array(j);
}

static void put_ntp(struct jsonw *j, const struct host_state *h)
{
	jsonw_object(j, "ntp");
	if (h->ntp_error) {
		jsonw_string(j, "unread", strerror(h->ntp_error));
	} else {
		jsonw_bool(j, "synchronized", h->synchronized);
		jsonw_int(j, "offset_us", h->offset_us);
		jsonw_int(j, "max_error_us", h->max_error_us);
		jsonw_int(j, "estimated_error_us", h->estimated_error_us);
	}
	jsonw_end_object(j);
}

void host_facts_json(struct jsonw *j)
{
	uint64_t boot_ns = clock_boot_ns();
	struct host_state h;

	host_state_read(&h);
	jsonw_object(j, "host_state");
	jsonw_string(j, "kernel", host_get()->kernel);
	if (h.taint >= 0)
		jsonw_int(j, "taint", h.taint);
	jsonw_text(j, "lockdown", h.lockdown);
	jsonw_string(j, "boot_id", host_get()->boot_id);
	jsonw_int(j, "realtime", clock_epoch_ms(boot_ns));
	jsonw_int(j, "boottime", (int64_t)(boot_ns / NS_PER_MS));
	put_ntp(j, &h);
	jsonw_end_object(j);
}
