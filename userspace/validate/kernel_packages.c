// SPDX-License-Identifier: BSD-2-Clause
/* kernel_packages.c - see kernel_packages.h. The files are stanzas of "Field: value" (deb822(5)). */
#include "validate/kernel_packages.h"

#include "base/debian_version.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define IMAGE "linux-image-"
#define LINE 512 /* of a longer one the rest is passed over */

const char *kernel_flavour(const char *release)
{
	const char *dash = strchr(release, '-');
	size_t digits = dash ? strspn(dash + 1, "0123456789") : 0;

	if (dash && digits && (dash[1 + digits] == '-' || !dash[1 + digits])) /* the ABI's number */
		dash = strchr(dash + 1, '-');
	return dash ? dash + 1 : "";
}

void kernel_of_build(const char *uname_v, char version[KERNEL_VERSION], char built[KERNEL_BUILT])
{
	const char *debian = strstr(uname_v, "Debian ");
	unsigned int year, month, day;

	version[0] = built[0] = '\0';
	if (!debian ||
	    sscanf(debian, "Debian %63s (%4u-%2u-%2u)", version, &year, &month, &day) != 4)
		return;
	snprintf(built, KERNEL_BUILT, "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
}

/* --- a file --- */

/* A line without its end. Returns false at the end of the file. */
static bool read_line(gzFile f, char line[LINE])
{
	char rest[LINE];
	size_t len;

	if (!gzgets(f, line, LINE))
		return false;
	len = strlen(line);
	if (len && line[len - 1] == '\n') {
		line[len - 1] = '\0';
		return true;
	}
	while (gzgets(f, rest, sizeof(rest)) && !strchr(rest, '\n'))
		;
	return true;
}

struct stanza {
	struct kernel_package p;
	bool installed;
};

static void take_field(struct stanza *s, const char *line)
{
	if (!strncmp(line, "Package: " IMAGE, strlen("Package: " IMAGE)))
		snprintf(s->p.release, sizeof(s->p.release), "%.63s",
			 line + strlen("Package: " IMAGE));
	else if (!strncmp(line, "Version: ", strlen("Version: ")))
		snprintf(s->p.version, sizeof(s->p.version), "%.63s", line + strlen("Version: "));
	else if (!strncmp(line, "Status: ", 8) && strstr(line, " ok installed")) /* or held */
		s->installed = true;
}

/* Which kernels are looked for. */
struct wanted {
	const char *flavour, *release; /* NULL: any */
	bool installed;
};

static bool is_wanted(const struct stanza *s, const struct wanted *w)
{
	const char *release = s->p.release;

	return release[0] >= '0' && release[0] <= '9' && s->p.version[0] &&
	       (!w->flavour || !strcmp(kernel_flavour(release), w->flavour)) &&
	       (!w->release || !strcmp(release, w->release)) && (s->installed || !w->installed);
}

static void end_stanza(struct stanza *s, const struct wanted *w, struct kernel_package *newest)
{
	if (is_wanted(s, w) &&
	    (!newest->version[0] || debian_version_compare(s->p.version, newest->version) > 0))
		*newest = s->p;
	*s = (struct stanza){};
}

static int search(const char *path, const struct wanted *w, struct kernel_package *ret)
{
	gzFile f = gzopen(path, "rbe");
	struct stanza s = {};
	char line[LINE];
	int err;

	if (!f)
		return errno ? -errno : -ENOMEM;
	while (read_line(f, line)) {
		if (line[0])
			take_field(&s, line);
		else
			end_stanza(&s, w, ret);
	}
	end_stanza(&s, w, ret);
	gzerror(f, &err);
	gzclose(f);
	return err == Z_OK || err == Z_STREAM_END ? 0 : -EBADMSG;
}

int kernel_packages_read(const char *path, const char *flavour, bool installed,
			 struct kernel_package *ret)
{
	return search(path, &(struct wanted){.flavour = flavour, .installed = installed}, ret);
}

int kernel_packages_find(const char *path, const char *release, struct kernel_package *ret)
{
	return search(path, &(struct wanted){.release = release, .installed = true}, ret);
}

/* --- apt's lists --- */

/* Does a release file say that nothing is installed from there unasked? */
static bool is_not_automatic(const char *path)
{
	gzFile f = gzopen(path, "rbe");
	bool found = false;
	char line[LINE];

	while (f && !found && read_line(f, line))
		found = !strcmp(line, "NotAutomatic: yes");
	if (f)
		gzclose(f);
	return found;
}

/* "HOST_dists_SUITE_main_binary-amd64_Packages": its release file is "HOST_dists_SUITE_InRelease", whatever SUITE has in it. */
static bool is_automatic(const char *dir, const char *name)
{
	static const char *const releases[] = {"InRelease", "Release"};
	char path[PATH_MAX];

	for (const char *end = strchr(name, '_'); end; end = strchr(end + 1, '_')) {
		for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
			snprintf(path, sizeof(path), "%s/%.*s_%s", dir, (int)(end - name), name,
				 releases[i]);
			if (is_not_automatic(path))
				return false;
		}
	}
	return true;
}

static void read_list(struct kernel_lists *l, const char *dir, const char *name,
		      const char *flavour)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%.255s", dir, name);
	if (!is_automatic(dir, name) || stat(path, &st))
		return;
	if (kernel_packages_read(path, flavour, false, &l->newest)) {
		l->unread = true;
		return;
	}
	l->lists++;
}

/* apt keeps the server's time in its lists; the directory changes when they are fetched. */
static void note_time(struct kernel_lists *l, const char *dir)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/partial", dir);
	if (!stat(path, &st) || !stat(dir, &st))
		l->changed_s = st.st_mtim.tv_sec;
}

void kernel_lists_read(struct kernel_lists *l, const char *dir, const char *flavour)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	*l = (struct kernel_lists){};
	if (!d)
		return;
	note_time(l, dir);
	while ((e = readdir(d))) {
		const char *kind = strstr(e->d_name, "_Packages");

		if (kind && (!strcmp(kind, "_Packages") || !strcmp(kind, "_Packages.gz")))
			read_list(l, dir, e->d_name, flavour);
		else if (kind && is_automatic(dir, e->d_name))
			l->unread = true;
	}
	closedir(d);
}
