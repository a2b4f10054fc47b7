// SPDX-License-Identifier: BSD-2-Clause
/* check_rest.c - judges the server's files, who may run commands, and the host. */
#include "validate/check.h"

#include "base/debian_version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Documentation/admin-guide/tainted-kernels.rst: code that is not the distribution's, and faults. */
static const struct {
	unsigned int bit;
	const char *what;
} taints[] = {
	{1, "a module was loaded by force"},   {5, "a damaged page was found"},
	{7, "the kernel had an oops"},	       {12, "a module from out of tree was loaded"},
	{13, "an unsigned module was loaded"},
};

static bool has_files(const struct facts *f, struct outcome *ret)
{
	const char *why = f->config.why[0] ? f->config.why : f->files.why;

	if (why[0])
		check_skip(ret, "%s", why);
	return !why[0];
}

/* Judge all files of that role. strict: the mode of the file alone, whether or not its directory keeps others out. */
static void judge_files(const struct facts *f, enum file_role role, bool writing, bool strict,
			const char *none, struct outcome *ret)
{
	size_t n = 0;

	if (!has_files(f, ret))
		return;
	for (size_t i = 0; i < f->files.files; i++) {
		const struct facts_file *file = &f->files.file[i];
		bool bad = file->others_read || (writing && file->others_write) ||
			   (strict && file->mode & 07);

		if (file->role != role)
			continue;
		n++;
		if (bad)
			check_list(ret->seen, sizeof(ret->seen), "%.200s (mode %04o)", file->path,
				   file->mode);
	}
	if (ret->seen[0])
		ret->verdict = CHECK_FAIL;
	else if (f->files.role_why[role][0])
		check_skip(ret, "%s", f->files.role_why[role]);
	else if (f->files.files_cut)
		check_skip(ret, "there are more files than were looked at");
	else if (n)
		check_pass(ret, "%zu file%s, not for others", n, n == 1 ? "" : "s");
	else
		check_pass(ret, "%s", none);
}

void judge_rest_data(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_files(f, ROLE_DATA, true, false, "there are none", ret);
}

void judge_rest_key(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_files(f, ROLE_KEY, true, true, "it has none", ret);
}

void judge_rest_config(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (!f->config.why[0] && f->config.info_why[0])
		check_skip(ret, "%s", f->config.info_why);
	else
		judge_files(f, ROLE_CONFIG, true, false, "it has none", ret);
}

void judge_rest_acl(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_files(f, ROLE_ACL, true, false, "it has none", ret);
}

void judge_rest_encrypted(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_files *files = &f->files;

	if (!has_files(f, ret))
		return;
	if (files->encrypted == YES)
		check_pass(ret, "%s", files->place);
	else if (!files->persists && !files->stored && files->role_why[ROLE_DATA][0])
		check_skip(ret, "%s", files->role_why[ROLE_DATA]);
	else if (!files->persists && !files->stored && files->files_cut)
		check_skip(ret, "there are more files than were looked at");
	else if (!files->persists && !files->stored)
		check_pass(ret, "nothing is written: save \"\", appendonly no");
	else if (files->encrypted == UNKNOWN)
		check_skip(ret, "%s", files->place);
	else
		check_fail(ret, "%s", files->place);
}

/* --- commands --- */

static void judge_refused(const struct facts *f, enum known open, const char *command,
			  struct outcome *ret)
{
	if (open == YES)
		check_fail(ret, "%s is answered", command);
	else if (open == NO)
		check_pass(ret, "%s is refused", command);
	else
		check_skip(ret, "%s",
			   f->wire.open_why[0] ? f->wire.open_why : "no connection to try it on");
}

void judge_rest_auth(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_refused(f, f->wire.open, "INFO", ret);
}

void judge_rest_config_command(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_refused(f, f->wire.config_open, "CONFIG GET", ret);
}

void judge_rest_commands(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct {
		const char *name;
		enum known may;
	} commands[] = {{"DEBUG", f->config.may_debug},
			{"MODULE", f->config.may_module},
			{"CONFIG", f->config.may_config}};
	bool all = true;

	for (size_t i = 0; i < 3; i++) {
		all = all && commands[i].may != UNKNOWN;
		if (commands[i].may == YES)
			check_list(ret->seen, sizeof(ret->seen), "%s", commands[i].name);
	}
	if (ret->seen[0])
		ret->verdict = CHECK_FAIL;
	else if (!all)
		check_skip(ret, "%s", f->config.why[0] ? f->config.why : f->config.acl_why);
	else
		check_pass(ret, "the default user may run none of them");
}

/* --- the host --- */

static bool is_older(const char *version, const char *than)
{
	return version[0] && than[0] && debian_version_compare(version, than) < 0;
}

void judge_host_kernel(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_host *h = &f->host;
	const struct facts_kernel *k = &h->kernel_package;

	if (!h->newest[0])
		check_skip(ret, "%s runs, and no kernel is installed in /boot", h->kernel);
	else if (!strcmp(h->newest, h->kernel) && is_older(k->running, k->installed))
		/* an update that changes no interface keeps the name */
		check_fail(ret, "%s of package version %s runs, %s is installed", h->kernel,
			   k->running, k->installed);
	else if (!strcmp(h->newest, h->kernel))
		check_pass(ret, "%s", h->kernel);
	else if (!h->packaged)
		check_skip(ret, "%s runs, which is not among those in /boot (the newest is %s)",
			   h->kernel, h->newest);
	else
		check_fail(ret, "%s runs, %s is installed", h->kernel, h->newest);
}

#define LISTS_DAYS 30 /* what older lists do not offer may be offered by now */

void judge_host_kernel_offered(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_kernel *k = &f->host.kernel_package;
	char age[64] = "";

	if (k->running_days >= 0)
		snprintf(age, sizeof(age), ", built %" PRId64 " days ago", k->running_days);
	if (!k->running[0])
		check_skip(ret, "%s is no kernel that the distribution packaged", f->host.kernel);
	else if (is_older(k->running, k->offered))
		check_fail(ret, "%s runs%s, %s is offered", k->running, age, k->offered);
	else if (k->why[0])
		check_skip(ret, "%s runs%s; %s", k->running, age, k->why);
	else if (!k->offered[0])
		check_skip(ret, "%s runs%s; apt's lists have no kernel of its flavour", k->running,
			   age);
	else if (k->lists_days < 0 || k->lists_days > LISTS_DAYS)
		check_skip(ret, "%s runs%s; apt's lists are %" PRId64 " days old: apt update",
			   k->running, age, k->lists_days);
	else
		check_pass(ret, "%s%s; apt's lists are of %" PRId64 " days ago", k->running, age,
			   k->lists_days);
}

void judge_host_reboot(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (f->host.reboot == YES)
		check_fail(ret, "it exists");
	else if (f->host.reboot == UNKNOWN)
		check_skip(ret, "/run cannot be seen");
	else
		check_pass(ret, "it does not exist");
}

void judge_host_taint(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (!f->host.taint_seen) {
		check_skip(ret, "/proc/sys/kernel/tainted cannot be read");
		return;
	}
	for (size_t i = 0; i < sizeof(taints) / sizeof(taints[0]); i++) {
		if (f->host.taint >> taints[i].bit & 1)
			check_list(ret->seen, sizeof(ret->seen), "%s", taints[i].what);
	}
	if (ret->seen[0])
		ret->verdict = CHECK_FAIL;
	else
		check_pass(ret, "%llu", (unsigned long long)f->host.taint);
}

void judge_host_libraries(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	if (f->code.why[0])
		check_skip(ret, "%s", f->code.why);
	else if (f->code.replaced[0])
		check_fail(ret, "%s", f->code.replaced);
	else
		check_pass(ret, "%u files, all as installed", f->code.modules);
}
