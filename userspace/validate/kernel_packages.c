// SPDX-License-Identifier: BSD-2-Clause
/* kernel_packages.c - see kernel_packages.h. The files are stanzas of "Field: value" (deb822(5)). */
#include "validate/kernel_packages.h"

#include "base/debian_version.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define IMAGE "linux-image-"
#define BACKPORT "~bpo"
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
	char needs[KERNEL_VERSION]; /* the first kernel that it depends on: it is a meta package */
	bool installed;
};

/* "linux-image-6.8.0-40-generic, linux-firmware" or "kmod, linux-image-... (= 1)" */
static void take_depends(struct stanza *s, const char *line)
{
	for (const char *at = line; (at = strstr(at, IMAGE)); at++) {
		const char *release = at + strlen(IMAGE);

		if (release[0] < '0' || release[0] > '9')
			continue;
		snprintf(s->needs, sizeof(s->needs), "%.*s", (int)strcspn(release, " ,|("),
			 release);
		return;
	}
}

static void take_field(struct stanza *s, const char *line)
{
	if (!strncmp(line, "Package: " IMAGE, strlen("Package: " IMAGE)))
		snprintf(s->p.release, sizeof(s->p.release), "%.63s",
			 line + strlen("Package: " IMAGE));
	else if (!strncmp(line, "Version: ", strlen("Version: ")))
		snprintf(s->p.version, sizeof(s->p.version), "%.63s", line + strlen("Version: "));
	else if (!strncmp(line, "Status: ", 8) && strstr(line, " ok installed")) /* or held */
		s->installed = true;
	else if (!strncmp(line, "Depends: ", strlen("Depends: ")))
		take_depends(s, line);
}

static bool is_newer(const char *version, const char *than)
{
	return !than[0] || debian_version_compare(version, than) > 0;
}

/* Give each stanza to fn. Returns 0 or a negative errno. */
static int each_stanza(const char *path, void (*fn)(void *ctx, const struct stanza *s), void *ctx)
{
	gzFile f = gzopen(path, "rbe");
	struct stanza s = {};
	char line[LINE];
	int err;

	if (!f)
		return errno ? -errno : -ENOMEM;
	while (read_line(f, line)) {
		if (line[0]) {
			take_field(&s, line);
			continue;
		}
		fn(ctx, &s);
		s = (struct stanza){};
	}
	fn(ctx, &s); /* the last one needs no empty line */
	gzerror(f, &err);
	gzclose(f);
	return err == Z_OK || err == Z_STREAM_END ? 0 : -EBADMSG;
}

static bool is_kernel(const struct stanza *s)
{
	return s->p.release[0] >= '0' && s->p.release[0] <= '9' && s->p.version[0] && !s->needs[0];
}

/* --- dpkg's --- */

/* Which kernels are looked for. */
struct search {
	const char *flavour, *release; /* NULL: any */
	bool installed;
	struct kernel_package *newest;
};

static void take_kernel(void *ctx, const struct stanza *s)
{
	struct search *w = ctx;
	const char *release = s->p.release;

	if (is_kernel(s) && (!w->flavour || !strcmp(kernel_flavour(release), w->flavour)) &&
	    (!w->release || !strcmp(release, w->release)) && (s->installed || !w->installed) &&
	    is_newer(s->p.version, w->newest->version))
		*w->newest = s->p;
}

int kernel_packages_read(const char *path, const char *flavour, bool installed,
			 struct kernel_package *ret)
{
	return each_stanza(
		path, take_kernel,
		&(struct search){.flavour = flavour, .installed = installed, .newest = ret});
}

int kernel_packages_find(const char *path, const char *release, struct kernel_package *ret)
{
	return each_stanza(path, take_kernel,
			   &(struct search){.release = release, .installed = true, .newest = ret});
}

/* The length of "6.8" in "6.8.0-40-generic". */
static size_t series_len(const char *release)
{
	size_t major = strspn(release, "0123456789"), minor;

	if (release[major] != '.')
		return major;
	minor = strspn(release + major + 1, "0123456789");
	return major + 1 + minor;
}

static bool is_of_series(const char *release, const char *of)
{
	size_t len = series_len(of);

	return series_len(release) == len && !strncmp(release, of, len) &&
	       !strcmp(kernel_flavour(release), kernel_flavour(of));
}

struct meta_search {
	const char *release;
	char *meta;
	char needs[KERNEL_VERSION]; /* of the one that was found */
	int fit;
};

static void take_meta(void *ctx, const struct stanza *s)
{
	struct meta_search *m = ctx;
	int fit;

	if (!s->needs[0] || !s->installed || !s->p.release[0])
		return;
	fit = !strcmp(s->needs, m->release)				      ? 3
	      : is_of_series(s->needs, m->release)			      ? 2
	      : !strcmp(kernel_flavour(s->needs), kernel_flavour(m->release)) ? 1
									      : 0;
	if (!fit || fit < m->fit || (fit == m->fit && !is_newer(s->needs, m->needs)))
		return;
	m->fit = fit;
	snprintf(m->needs, sizeof(m->needs), "%s", s->needs);
	snprintf(m->meta, KERNEL_VERSION, "%s", s->p.release);
}

int kernel_meta_find(const char *path, const char *release, char meta[KERNEL_VERSION])
{
	meta[0] = '\0';
	return each_stanza(path, take_meta,
			   &(struct meta_search){.release = release, .meta = meta});
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

/* Of one architecture there are some hundred, of all that an archive keeps. */
#define OFFERED_MAX 1024

struct offers {
	struct kernel_lists *l;
	const struct kernel_wanted *w;
	bool backports_alone;			/* of the list that is read */
	struct kernel_package meta;		/* release: that it brings */
	struct kernel_package all[OFFERED_MAX]; /* of its flavour */
	size_t count;
};

static void take_offer(void *ctx, const struct stanza *s)
{
	struct offers *o = ctx;

	if (o->backports_alone && !strstr(s->p.version, BACKPORT))
		return;
	if (s->needs[0] && o->w->meta[0] && !strcmp(s->p.release, o->w->meta) &&
	    is_newer(s->p.version, o->meta.version)) {
		o->meta = s->p;
		snprintf(o->meta.release, sizeof(o->meta.release), "%s", s->needs);
	}
	if (!is_kernel(s) ||
	    strcmp(kernel_flavour(s->p.release), kernel_flavour(o->w->release)) != 0)
		return;
	if (o->count == OFFERED_MAX)
		o->l->unread = true;
	else
		o->all[o->count++] = s->p;
}

/* Of the kernel that the meta package brings; without one, of the series that runs. */
static void choose_newest(const struct offers *o)
{
	struct kernel_package *newest = &o->l->newest;

	for (size_t i = 0; i < o->count; i++) {
		const struct kernel_package *p = &o->all[i];
		bool meant = o->meta.version[0] ? !strcmp(p->release, o->meta.release)
						: is_of_series(p->release, o->w->release);

		if (meant && is_newer(p->version, newest->version))
			*newest = *p;
	}
}

static void read_list(struct offers *o, const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%.255s", dir, name);
	o->backports_alone = !is_automatic(dir, name);
	if ((o->backports_alone && !o->w->backports) || stat(path, &st))
		return;
	if (each_stanza(path, take_offer, o)) {
		o->l->unread = true;
		return;
	}
	o->l->lists++;
	if (st.st_mtim.tv_sec > o->l->changed_s)
		o->l->changed_s = st.st_mtim.tv_sec;
}

void kernel_lists_read(struct kernel_lists *l, const char *dir, const struct kernel_wanted *w)
{
	struct offers *o = calloc(1, sizeof(*o));
	DIR *d = o ? opendir(dir) : NULL;
	struct dirent *e;

	*l = (struct kernel_lists){};
	while (d && (e = readdir(d))) {
		const char *kind = strstr(e->d_name, "_Packages");

		o->l = l;
		o->w = w;
		if (kind && (!strcmp(kind, "_Packages") || !strcmp(kind, "_Packages.gz")))
			read_list(o, dir, e->d_name);
		else if (kind && (w->backports || is_automatic(dir, e->d_name)))
			l->unread = true;
	}
	if (d) {
		choose_newest(o);
		closedir(d);
	}
	free(o);
}
