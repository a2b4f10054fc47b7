// SPDX-License-Identifier: BSD-2-Clause
/*
 * maps.c - reads and writes the maps and variables that userspace and the programs share. What is written here after
 * sensors_seal() is named in writable_maps of seal.c.
 */
#include "sensor/sensors.h"

#include "base/macros.h"
#include "model/server_name.h"
#include "sensor/sensors_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_candidate(struct sensors *s, pid_t pid, uint32_t what)
{
	uint32_t key = (uint32_t)pid;

	bpf_map_update_elem(sensors_map_fd(s, "candidates"), &key, &what, BPF_ANY);
}

void sensors_add_candidate(struct sensors *s, pid_t pid)
{
	add_candidate(s, pid, CANDIDATE_SERVER);
}

void sensors_add_monitor(struct sensors *s, pid_t pid)
{
	add_candidate(s, pid, CANDIDATE_MONITOR);
}

int sensors_add_exe_name(struct sensors *s, const char *name)
{
	return exe_names_add(sensors_map_fd(s, "exe_names"), sensors_map_fd(s, "name_bits"), name);
}

/* Both characters of a name of one are its own: the NUL counts. */
static int name_bits_add(int fd, const char *name)
{
	uint16_t start;
	uint32_t word;
	uint64_t bits;

	memcpy(&start, name, sizeof(start));
	word = name_word(start);
	if (bpf_map_lookup_elem(fd, &word, &bits))
		return -errno;
	bits |= name_bit(start);
	return bpf_map_update_elem(fd, &word, &bits, BPF_ANY) ? -errno : 0;
}

int exe_names_add(int fd, int bits_fd, const char *name)
{
	struct exe_key key = {};
	uint32_t one = 1;
	size_t len;
	int err;

	if (!*name)
		return -EINVAL;
	if (strlen(name) >= sizeof(key.name))
		return -ENAMETOOLONG;
	for (unsigned int i = 0; (len = server_name_prefix(name, i, key.name, sizeof(key.name)));
	     i++) {
		key.bits = 8 * (uint32_t)len;
		err = name_bits_add(bits_fd, key.name);
		if (err)
			return err;
		if (bpf_map_update_elem(fd, &key, &one, BPF_ANY))
			return -errno;
	}
	return 0;
}

bool sensors_has_member(struct sensors *s, pid_t pid)
{
	uint32_t tgid = (uint32_t)pid;
	struct member m;

	return !bpf_map_lookup_elem(sensors_map_fd(s, "procs"), &tgid, &m);
}

/* The open hooks take any file that this process opens while files_of is set for one of that instance. */
int sensors_file_learn(struct sensors *s, uint32_t instance, const char *path)
{
	int fd, err = 0;

	if (!s->files_of)
		return -EOPNOTSUPP;
	__atomic_store_n(s->files_of, instance, __ATOMIC_SEQ_CST);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		err = -errno;
	else
		close(fd);
	__atomic_store_n(s->files_of, 0, __ATOMIC_SEQ_CST);
	return err;
}

int sensors_file_set(struct sensors *s, const struct file_key *key, uint32_t instance,
		     uint32_t kind)
{
	struct file_owner own = {.instance = instance, .kind = kind};

	return bpf_map_update_elem(sensors_map_fd(s, "files"), key, &own, BPF_ANY) ? -errno : 0;
}

void sensors_disk_set(struct sensors *s, uint32_t dev)
{
	struct file_owner host = {.instance = INSTANCE_HOST, .kind = HOST_DISK};

	bpf_map_update_elem(sensors_map_fd(s, "disks"), &dev, &host, BPF_ANY);
}

void sensors_disk_forget(struct sensors *s, uint32_t dev)
{
	bpf_map_delete_elem(sensors_map_fd(s, "disks"), &dev);
}

void sensors_file_forget(struct sensors *s, const struct file_key *key)
{
	bpf_map_delete_elem(sensors_map_fd(s, "files"), key);
}

void sensors_file_disown(struct sensors *s, const struct file_key *key, uint32_t instance)
{
	struct file_owner own;

	if (!bpf_map_lookup_elem(sensors_map_fd(s, "files"), key, &own) && own.instance == instance)
		sensors_file_forget(s, key);
}

bool sensors_knows_uprobes(const struct sensors *s)
{
	return s->uprobe_flag_known;
}

int sensors_set_baselined(struct sensors *s, uint32_t instance)
{
	uint32_t one = 1;

	return bpf_map_update_elem(sensors_map_fd(s, "baselined"), &instance, &one, BPF_ANY)
		       ? -errno
		       : 0;
}

int sensors_share_out(struct sensors *s)
{
	const struct share fresh = {};
	struct share_key key;
	int err = 0;

	for (key.what = 0; key.what < BUDGET_MAX; key.what++) {
		key.account = 0;
		err = err
			      ?: bpf_map_update_elem(sensors_map_fd(s, "shares"), &key, &fresh,
						     BPF_ANY);
		key.account = ACCOUNT_OTHERS;
		err = err
			      ?: bpf_map_update_elem(sensors_map_fd(s, "shares"), &key, &fresh,
						     BPF_ANY);
	}
	return err;
}

#define SHARE_IDLE_NS 60000000000ull

void sensors_shares(const struct sensors *s, uint64_t now_ns, sensors_share_fn fn, void *ctx)
{
	int fd = sensors_map_fd(s, "shares");
	struct share_key key, next, *last = NULL;
	struct share share;
	bool more = !bpf_map_get_next_key(fd, last, &next), kept;

	for (size_t i = 0; more && i < SHARES_MAX; i++) {
		key = next; /* its successor is found before it may be removed */
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (bpf_map_lookup_elem(fd, &key, &share))
			continue;
		fn(ctx, &key, &share);
		kept = key.what >= BUDGET_KEPT && share.used;
		if (!share.over && !kept && key.account && key.account != ACCOUNT_OTHERS &&
		    now_ns > share.since_ns + SHARE_IDLE_NS)
			bpf_map_delete_elem(fd, &key);
	}
}

static bool is_listed(uint32_t account, const struct hoarder *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i].account == account)
			return true;
	}
	return false;
}

void sensors_set_hoarders(struct sensors *s, const struct hoarder *all, size_t count)
{
	int fd = sensors_map_fd(s, "hoarders");
	uint32_t key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	for (size_t i = 0; more && i < HOARDERS_MAX; i++) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (!is_listed(key, all, count))
			bpf_map_delete_elem(fd, &key);
	}
	for (size_t i = 0; i < count; i++)
		bpf_map_update_elem(fd, &all[i].account, &all[i].entries, BPF_ANY);
}

bool sensors_runs(const struct sensors *s, uint32_t instance)
{
	struct server server;

	return !bpf_map_lookup_elem(sensors_map_fd(s, "servers"), &instance, &server);
}

void sensors_forget(struct sensors *s, uint32_t instance)
{
	static const char *const names[] = {"baselined", "prevent_rules", "main_tgids"};

	/* the event of a process's start may have been lost: the kernel side knows it */
	if (sensors_runs(s, instance))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = sensors_map_fd(s, names[i]);

		if (fd >= 0)
			bpf_map_delete_elem(fd, &instance);
	}
}

int sensors_events_fd(const struct sensors *s)
{
	return sensors_map_fd(s, "events");
}

int sensors_attempts_fd(const struct sensors *s)
{
	return sensors_map_fd(s, "attempts");
}

void sensors_lost(const struct sensors *s,
		  void (*fn)(void *ctx, const struct lost_key *key, uint64_t n), void *ctx)
{
	int fd = sensors_map_fd(s, "lost");
	struct lost_key key, *last = NULL;
	uint64_t n;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		if (!bpf_map_lookup_elem(fd, &key, &n))
			fn(ctx, &key, n);
		last = &key;
	}
}

int sensors_handshakes_fd(const struct sensors *s)
{
	return s->wire ? sensors_map_fd(s, "handshakes") : -ENOENT;
}

uint64_t sensors_counter(const struct sensors *s, enum counter_id id)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0, *values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*values));
	uint32_t key = id;

	if (values && cpus > 0 &&
	    !bpf_map_lookup_elem(sensors_map_fd(s, "counters"), &key, values)) {
		for (int i = 0; i < cpus; i++)
			sum += values[i];
	}
	free(values);
	return sum;
}
