// SPDX-License-Identifier: BSD-2-Clause
/* look_host.c - settings and state of the host. */
#include "validate/look.h"

#include "base/host.h"
#include "base/proc.h"
#include "validate/kernel_packages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define KERNELS "/boot"
#define KERNEL_PREFIX "vmlinuz-"

/* The first line of a file. Returns false if it cannot be read. */
static bool read_line(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");

	buf[0] = '\0';
	if (f && !fgets(buf, (int)size, f))
		buf[0] = '\0';
	if (f)
		fclose(f);
	buf[strcspn(buf, "\n")] = '\0';
	return f;
}

static int read_number(const char *path)
{
	char text[32];

	return read_line(path, text, sizeof(text)) && text[0] ? (int)strtol(text, NULL, 10) : -1;
}

/* Without its file a kernel lacks the feature, if the directory of that file is there. */
static int read_feature(const char *dir, const char *file)
{
	char path[128];
	int n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	n = read_number(path);
	if (n >= 0)
		return n;
	return access(path, F_OK) && errno == ENOENT && !access(dir, R_OK | X_OK) ? -1
										  : FACTS_UNSEEN;
}

/* Does that file exist? */
static enum known exists(const char *path)
{
	if (!access(path, F_OK))
		return YES;
	return errno == ENOENT || errno == ENOTDIR ? NO : UNKNOWN;
}

static enum known has_swap(void)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[512];
	int lines = 0;

	while (f && fgets(line, sizeof(line), f))
		lines++;
	if (f)
		fclose(f);
	/* the first line is a heading; without swap support there is no such file */
	return lines ? (lines > 1 ? YES : NO) : exists("/proc/swaps") == NO ? NO : UNKNOWN;
}

static enum known has_ksm(void)
{
	int run = read_feature("/sys/kernel/mm", "ksm/run");

	return run == FACTS_UNSEEN ? UNKNOWN : run == 1 ? YES : NO;
}

/* "none [integrity] confidentiality": the one in brackets. */
static void read_lockdown(char *ret, size_t size)
{
	char line[128];
	const char *open;

	read_line("/sys/kernel/security/lockdown", line, sizeof(line));
	open = strchr(line, '[');
	snprintf(ret, size, "%.*s", open ? (int)strcspn(open + 1, "]") : 0, open ? open + 1 : "");
}

static void read_kernels(struct facts_host *h)
{
	size_t prefix = strlen(KERNEL_PREFIX);
	struct dirent *d;
	DIR *dir = opendir(KERNELS);

	snprintf(h->kernel, sizeof(h->kernel), "%.63s", host_get()->kernel);
	while (dir && (d = readdir(dir))) {
		const char *version = d->d_name + prefix;

		if (strncmp(d->d_name, KERNEL_PREFIX, prefix) != 0)
			continue;
		h->packaged = h->packaged || !strcmp(version, h->kernel);
		if (strverscmp(version, h->newest) > 0)
			snprintf(h->newest, sizeof(h->newest), "%.63s", version);
	}
	if (dir)
		closedir(dir);
}

#define DAY_S 86400

static int64_t days_since(int64_t then_s, int64_t now_s)
{
	return now_s > then_s ? (now_s - then_s) / DAY_S : 0;
}

/* A kernel says the version of its package if Debian built it; of others dpkg may know it by its release. */
static void read_running(struct facts_kernel *k, int64_t now_s)
{
	char version[KERNEL_VERSION] = "", built[KERNEL_BUILT] = "";
	struct kernel_package p = {};
	struct utsname u;
	struct tm tm = {};

	k->running_days = FACTS_UNSEEN;
	if (uname(&u))
		return;
	kernel_of_build(u.version, version, built);
	if (built[0] && strptime(built, "%Y-%m-%d", &tm))
		k->running_days = days_since(timegm(&tm), now_s);
	if (!version[0] && !kernel_packages_find(KERNEL_DPKG_STATUS, u.release, &p))
		snprintf(version, sizeof(version), "%s", p.version);
	snprintf(k->running, sizeof(k->running), "%s", version);
}

static void read_packages(struct facts_kernel *k, const char *release, int64_t now_s)
{
	const char *flavour = kernel_flavour(release);
	struct kernel_package installed = {};
	struct kernel_lists lists = {};
	char meta[KERNEL_VERSION];
	struct kernel_wanted w = {.release = release, .meta = meta};

	k->lists_days = FACTS_UNSEEN;
	read_running(k, now_s);
	if (kernel_packages_read(KERNEL_DPKG_STATUS, flavour, true, &installed) ||
	    kernel_meta_find(KERNEL_DPKG_STATUS, release, meta)) {
		snprintf(k->why, sizeof(k->why), "%s cannot be read: no Debian, or no dpkg",
			 KERNEL_DPKG_STATUS);
		return;
	}
	w.backports = strstr(k->running, "~bpo");
	kernel_lists_read(&lists, KERNEL_APT_LISTS, &w);
	snprintf(k->installed, sizeof(k->installed), "%s", installed.version);
	snprintf(k->offered, sizeof(k->offered), "%s", lists.newest.version);
	if (lists.lists)
		k->lists_days = days_since(lists.changed_s, now_s);
	if (!lists.lists || lists.unread)
		snprintf(k->why, sizeof(k->why), "apt's lists in %s %s", KERNEL_APT_LISTS,
			 lists.unread ? "are compressed in a way that is not read here"
				      : "are not there: apt update");
}

void look_host(struct facts *f)
{
	struct facts_host *h = &f->host;
	char taint[32];

	h->ptrace_scope = read_feature("/proc/sys/kernel", "yama/ptrace_scope");
	h->core_pattern_seen = read_line("/proc/sys/kernel/core_pattern", h->core_pattern,
					 sizeof(h->core_pattern));
	h->swap = has_swap();
	h->swap_sealed = proc_swap_sealed();
	h->ksm = has_ksm();
	read_lockdown(h->lockdown, sizeof(h->lockdown));
	h->unprivileged_bpf = read_number("/proc/sys/kernel/unprivileged_bpf_disabled");
	h->perf_paranoid = read_number("/proc/sys/kernel/perf_event_paranoid");
	h->kptr_restrict = read_number("/proc/sys/kernel/kptr_restrict");
	read_kernels(h);
	read_packages(&h->kernel_package, h->kernel, f->now_s);
	h->reboot = exists("/run/reboot-required");
	if (h->reboot != YES)
		h->reboot = exists("/var/run/reboot-required");
	h->taint_seen = read_line("/proc/sys/kernel/tainted", taint, sizeof(taint)) && taint[0];
	if (h->taint_seen)
		h->taint = strtoull(taint, NULL, 10);
}
