/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_proc.c - libFuzzer on what evidence reads of processes and packages: files below /proc/PID, whose contents a process chooses in
 * part, and dpkg's database.
 *
 * Invariants: a name of a variable is short and plain, and its value is never handed out; a tidied line has no control character that
 * was not in it, and stays what it is; what a parser took is found again by it.
 */
#include "base/dpkg.h"
#include "base/host_state.h"
#include "base/procdir.h"
#include "model/proc_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(int ok)
{
	if (!ok)
		abort();
}

struct input {
	const char *text;
	size_t len;
};

static void check_name(void *ctx, const char *name)
{
	const struct input *data = ctx;
	size_t n = strlen(name);

	check(n && n < ENVIRONMENT_NAME_LEN);
	check(!strchr(name, '=') && !strchr(name, ' '));
	check(memmem(data->text, data->len, name, n) != NULL);
}

static void lines(char *text)
{
	struct socket_line l;
	char tidy[512], again[512], small[16] = "";
	int64_t n;

	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		if (socket_line_parse(text, ipv6, &l))
			check(strlen(socket_state_name(l.state)) > 0);
	}
	if (maps_line_tidy(text, tidy, sizeof(tidy))) {
		check(strlen(tidy) < sizeof(tidy) && !strchr(tidy, '\n'));
		check(maps_line_tidy(tidy, again, sizeof(again)) && !strcmp(tidy, again));
		maps_line_tidy(text, small, sizeof(small));
	}
	socket_inode(text);
	for (int field = 3; field < 60; field++)
		procdir_stat_field(text, field, &n);
	procdir_status_field(text, "CapEff", small, sizeof(small));
	host_state_chosen(text, small, sizeof(small));
	check(strlen(small) < sizeof(small));
}

static void packages(const char *text, size_t len)
{
	struct dpkg_package p = {};
	char md5[DPKG_MD5_LEN] = "";

	dpkg_list_has(text, len, "/usr/bin/gdb");
	if (dpkg_status(text, len, "gdb", "", &p)) {
		check(!strcmp(p.name, "gdb") && p.version[0]);
		check(dpkg_status(text, len, "gdb", p.architecture, &p));
	}
	if (dpkg_md5sum(text, len, "/usr/bin/gdb", md5))
		check(strlen(md5) == DPKG_MD5_LEN - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *exact = malloc(size ?: 1);

	memcpy(text, data, size);
	text[size] = '\0';
	memcpy(exact, data, size); /* nothing behind it */
	environment_names(exact, size, check_name, &(struct input){exact, size});
	packages(exact, size);
	lines(text);
	free(exact);
	free(text);
	return 0;
}
