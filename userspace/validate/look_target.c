// SPDX-License-Identifier: BSD-2-Clause
/* look_target.c - finds the server that is meant, and its listening sockets. */
#include "validate/look.h"

#include "base/proc.h"
#include "model/server_name.h"
#include "validate/check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANDIDATES 256
#define SOCKETS_FIRST 64
#define TCP_LISTEN 10
#define UNIX_LISTENING 0x10000 /* __SO_ACCEPTCON, linux/net.h */

struct candidate {
	pid_t pid;
	char comm[FACTS_NAME];
	uint16_t port; /* in its title, 0: none */
	uint32_t uid;
};

struct candidates {
	struct candidate all[CANDIDATES];
	size_t count;
};

int look_status(pid_t pid, struct process_status *ret)
{
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	*ret = (struct process_status){.kernel = true};
	while (fgets(line, sizeof(line), f)) {
		uint32_t *uid = ret->uid;

		sscanf(line, "Name: %63s", ret->name);
		sscanf(line, "PPid: %d", &ret->parent);
		sscanf(line, "Uid: %u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]);
		sscanf(line, "CapPrm: %" SCNx64, &ret->permitted);
		sscanf(line, "CapEff: %" SCNx64, &ret->effective);
		sscanf(line, "NoNewPrivs: %u", &ret->no_new_privs);
		sscanf(line, "Seccomp: %u", &ret->seccomp);
		sscanf(line, "VmSwap: %" SCNu64, &ret->swapped_kb);
		if (!strncmp(line, "VmSize:", 7))
			ret->kernel = false;
	}
	fclose(f);
	return 0;
}

/* --- which server --- */

/* The port behind the last colon of "redis-server 127.0.0.1:6379 [cluster]". */
static uint16_t port_in_title(pid_t pid)
{
	char title[1024];
	const char *colon;

	if (!proc_title(pid, title, sizeof(title)))
		return 0;
	colon = strrchr(title, ':');
	return colon && isdigit((unsigned char)colon[1]) ? (uint16_t)strtoul(colon + 1, NULL, 10)
							 : 0;
}

static void consider(void *ctx, pid_t pid)
{
	struct candidates *c = ctx;
	struct candidate *one = &c->all[c->count];
	struct process_status st, parent;

	if (c->count == CANDIDATES || look_status(pid, &st) || st.kernel ||
	    !server_name_in_title(st.name))
		return;
	/* a child that saves */
	if (!look_status(st.parent, &parent) && !strcmp(parent.name, st.name))
		return;
	one->pid = pid;
	snprintf(one->comm, sizeof(one->comm), "%s", st.name);
	one->port = port_in_title(pid);
	one->uid = st.uid[1];
	c->count++;
}

/* Sockets of a process, connected ones too, by the inodes of its descriptors. */
struct sockets {
	uint64_t *inode;
	size_t count, room;
	bool readable; /* all of them */
};

static bool add_socket(struct sockets *s, uint64_t inode)
{
	size_t room = s->room ? 2 * s->room : SOCKETS_FIRST;
	uint64_t *more = s->inode;

	if (s->count == s->room) {
		more = realloc(more, room * sizeof(*more));
		if (!more)
			return false;
		s->inode = more;
		s->room = room;
	}
	s->inode[s->count++] = inode;
	return true;
}

static void read_sockets(pid_t pid, struct sockets *ret)
{
	char path[64], to[64];
	struct dirent *d;
	uint64_t inode;
	ssize_t n;
	DIR *dir;

	*ret = (struct sockets){};
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	ret->readable = dir;
	while (dir && (d = readdir(dir))) {
		n = readlinkat(dirfd(dir), d->d_name, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		if (sscanf(to, "socket:[%" SCNu64, &inode) == 1 && !add_socket(ret, inode))
			ret->readable = false;
	}
	if (dir)
		closedir(dir);
}

static void free_sockets(struct sockets *s)
{
	free(s->inode);
}

static bool has_socket(const struct sockets *s, uint64_t inode)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->inode[i] == inode)
			return true;
	}
	return false;
}

struct listener {
	uint8_t ip[16];
	uint16_t port;
	uint32_t uid;
	uint64_t inode;
};

/* Addresses in /proc/PID/net/tcp are 32-bit words of the host's byte order. */
static bool parse_listener(const char *line, struct listener *ret)
{
	unsigned int port, state;
	uint32_t word[4];
	char address[40];

	*ret = (struct listener){};
	if (sscanf(line, "%*s %39[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %u %*s %" SCNu64, address, &port,
		   &state, &ret->uid, &ret->inode) != 5 ||
	    state != TCP_LISTEN)
		return false;
	if (sscanf(address, "%8x%8x%8x%8x", &word[0], &word[1], &word[2], &word[3]) == 4) {
		memcpy(ret->ip, word, sizeof(word));
	} else {
		ret->ip[10] = ret->ip[11] = 0xff;
		memcpy(ret->ip + 12, word, sizeof(word[0]));
	}
	ret->port = (uint16_t)port;
	return true;
}

static void each_listener(pid_t pid, void (*fn)(void *ctx, const struct listener *l), void *ctx)
{
	static const char *const tables[] = {"tcp", "tcp6"};
	char path[64], line[512];
	struct listener l;

	for (size_t i = 0; i < 2; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, tables[i]);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f)) {
			if (parse_listener(line, &l))
				fn(ctx, &l);
		}
		if (f)
			fclose(f);
	}
}

struct search {
	struct sockets sockets;
	uint32_t port, uid;
	bool theirs; /* a socket of that user listens on the port */
	bool found;
};

static void search_port(void *ctx, const struct listener *l)
{
	struct search *s = ctx;

	if (l->port != s->port || l->uid != s->uid)
		return;
	s->theirs = true;
	s->found = s->found || has_socket(&s->sockets, l->inode);
}

/*
 * A title is anybody's: it is believed only where sockets cannot be seen. Descriptors are only read where they could matter,
 * since a running monitor reports that.
 */
static bool listens_on(const struct candidate *c, uint32_t port)
{
	struct search s = {.port = port, .uid = c->uid};

	each_listener(c->pid, search_port, &s);
	if (!s.theirs)
		return false;
	read_sockets(c->pid, &s.sockets);
	if (s.sockets.readable)
		each_listener(c->pid, search_port, &s);
	else
		s.found = c->port == port;
	free_sockets(&s.sockets);
	return s.found;
}

/* "redis-server:6379" or "redis-server". The port may be any that it listens on. */
static bool is_meant(const struct candidate *c, const struct look_choice *choice)
{
	const char *colon = choice->name ? strrchr(choice->name, ':') : NULL;
	size_t len = colon ? (size_t)(colon - choice->name) : strlen(choice->name ?: "");
	uint32_t port = colon ? (uint32_t)strtoul(colon + 1, NULL, 10) : choice->port;

	if (choice->name && (strlen(c->comm) != len || strncmp(c->comm, choice->name, len)))
		return false;
	if (choice->uid != LOOK_ANY_UID && c->uid != choice->uid)
		return false;
	return !port || listens_on(c, port);
}

static void describe(const struct candidates *c, char *error, size_t size)
{
	char list[512] = "";

	for (size_t i = 0; i < c->count; i++)
		check_list(list, sizeof(list), "%s:%u (pid %d)", c->all[i].comm, c->all[i].port,
			   (int)c->all[i].pid);
	snprintf(error, size, "%s", list);
}

static void choose(struct facts *f, const struct candidate *c)
{
	char path[64];
	ssize_t n;

	f->pid = c->pid;
	if (c->port)
		snprintf(f->name, sizeof(f->name), "%.50s:%u", c->comm, c->port);
	else
		snprintf(f->name, sizeof(f->name), "%.60s", c->comm);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)c->pid);
	n = readlink(path, f->exe, sizeof(f->exe) - 1);
	f->exe[n > 0 ? n : 0] = '\0';
}

enum look_found look_target(struct facts *f, const struct look_choice *choice, char *error,
			    size_t size)
{
	struct candidates *c = calloc(1, sizeof(*c));
	const struct candidate *one = NULL;
	enum look_found found;
	size_t n = 0;

	if (!c)
		return LOOK_NONE;
	proc_each(consider, c);
	for (size_t i = 0; i < c->count; i++) {
		if (!is_meant(&c->all[i], choice))
			continue;
		one = &c->all[i];
		n++;
	}
	found = n == 1 ? LOOK_FOUND : n ? LOOK_MANY : LOOK_NONE;
	if (found == LOOK_FOUND)
		choose(f, one);
	else
		describe(c, error, size);
	free(c);
	return found;
}

bool look_expects(uint32_t uid, int64_t said)
{
	/* of the packages */
	static const char *const names[] = {"redis", "valkey"};
	const struct passwd *user;

	if (said != LOOK_ANY_UID)
		return uid == said;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		user = getpwnam(names[i]);
		if (user && user->pw_uid == uid)
			return true;
	}
	return !uid || uid == getuid();
}

/* --- its addresses --- */

struct addresses {
	struct facts *f;
	struct sockets sockets;
	struct process_status st;
	uint16_t port;	/* if its descriptors cannot be read */
	uint64_t inode; /* of one of its sockets */
};

static void add_address(void *ctx, const struct listener *l)
{
	struct addresses *c = ctx;
	struct facts_wire *w = &c->f->wire;
	struct facts_address *a = &w->address[w->addresses];
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)l->ip);
	char ip[INET6_ADDRSTRLEN];

	if (c->sockets.readable ? !has_socket(&c->sockets, l->inode)
				: l->port != c->port || l->uid != c->st.uid[1])
		return;
	if (w->addresses == FACTS_ADDRESSES) {
		w->addresses_cut = true;
		return;
	}
	c->inode = l->inode;
	memcpy(a->ip, l->ip, sizeof(a->ip));
	a->port = l->port;
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? l->ip + 12 : l->ip, ip, sizeof(ip));
	snprintf(a->text, sizeof(a->text), v4 ? "%s:%u" : "[%s]:%u", ip, l->port);
	w->addresses++;
}

/* A UNIX socket of its own that listens, by the path that it was bound to. */
static void find_unix(struct addresses *c)
{
	char table[64], line[2 * PATH_LEN], path[PATH_LEN];
	unsigned int flags;
	uint64_t inode;
	FILE *in;

	snprintf(table, sizeof(table), "/proc/%d/net/unix", (int)c->f->pid);
	in = fopen(table, "re");
	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%*s %*s %*s %x %*s %*s %" SCNu64 " %1023s", &flags, &inode,
			   path) == 3 &&
		    flags == UNIX_LISTENING && path[0] == '/' && has_socket(&c->sockets, inode))
			snprintf(c->f->wire.unix_socket, sizeof(c->f->wire.unix_socket), "%s",
				 path);
	}
	if (in)
		fclose(in);
}

/* A socket has one inode on the whole host: whoever has it in his table shares the network namespace. */
static void find_own(void *ctx, const struct listener *l)
{
	struct addresses *c = ctx;

	c->f->wire.same_network = c->f->wire.same_network || l->inode == c->inode;
}

/* Is it, by its number, the port of its cluster's bus? */
static bool is_bus(const struct facts_wire *w, uint16_t port)
{
	for (size_t i = 0; i < w->addresses; i++) {
		if (port > 10000 && w->address[i].port == port - 10000)
			return true;
	}
	return false;
}

void look_addresses(struct facts *f)
{
	struct addresses c = {.f = f};

	read_sockets(f->pid, &c.sockets);
	if (look_status(f->pid, &c.st)) {
		snprintf(f->wire.why, sizeof(f->wire.why), "the server has ended");
		free_sockets(&c.sockets);
		return;
	}
	c.port = port_in_title(f->pid);
	each_listener(f->pid, add_address, &c);
	find_unix(&c);
	if (c.inode)
		each_listener(getpid(), find_own, &c);
	for (size_t i = 0; i < f->wire.addresses; i++)
		f->wire.address[i].bus = is_bus(&f->wire, f->wire.address[i].port);
	if (!c.sockets.readable && !f->wire.addresses)
		snprintf(f->wire.why, sizeof(f->wire.why),
			 "its sockets cannot be seen; run as root or as its user");
	else if (!c.sockets.readable)
		f->wire.addresses_cut = true; /* there may be more */
	free_sockets(&c.sockets);
}
