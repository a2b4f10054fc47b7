// SPDX-License-Identifier: BSD-2-Clause
/*
 * server_facts.c - see server_facts.h. Paths are followed below the server's own root, so that no link in a container leads to a file of
 * the host.
 */
#include "monitor/server_facts.h"

#include "base/digest.h"
#include "base/procdir.h"
#include "model/cert.h"
#include "model/proc_text.h"
#include "model/server_config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PART_BYTES (20u << 10) /* an entry has 32 KiB */
#define CONFIG_MOST (1u << 20)
#define CERTIFICATE_MOST (1 << 20) /* of a PEM file; the server's own comes first */
#define CERTIFICATES_MAX 4

/* --- memory layout --- */

struct layout {
	const struct layout_out *out;
	struct jsonw *j; /* of the part that is open */
	size_t from;	 /* where it began */
	unsigned int part;
	uint64_t left_out;
};

static void close_part(struct layout *l)
{
	jsonw_end_array(l->j);
	l->out->end(l->out->ctx, l->part);
	l->j = NULL;
}

static void put_region(struct layout *l, const char *text)
{
	if (l->j && l->j->len - l->from > PART_BYTES)
		close_part(l);
	if (!l->j && l->part == LAYOUT_PARTS_MAX) {
		l->left_out++;
		return;
	}
	if (!l->j) {
		l->j = l->out->begin(l->out->ctx, ++l->part);
		l->from = l->j->len;
		jsonw_array(l->j, "regions");
	}
	jsonw_string(l->j, NULL, text);
}

int layout_json(int dir, const struct layout_out *out, uint64_t *ret_left_out)
{
	struct layout l = {.out = out};
	int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL, text[512];
	size_t room = 0;

	if (!f) {
		if (fd >= 0)
			close(fd);
		return fd < 0 ? -errno : -ENOMEM;
	}
	while (getline(&line, &room, f) > 0) {
		if (maps_line_tidy(line, text, sizeof(text)))
			put_region(&l, text);
	}
	free(line);
	fclose(f);
	*ret_left_out = l.left_out;
	if (l.j)
		close_part(&l);
	return l.part ? 0 : -ESRCH;
}

/* --- files of a server --- */

/* A regular file as the server sees it. Returns a descriptor or a negative errno. */
static int open_file(const struct server_source *s, int root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	char whole[8192];
	int pinned, fd;

	snprintf(whole, sizeof(whole), "%s%s%s", path[0] == '/' ? "" : s->cwd,
		 path[0] == '/' ? "" : "/", path);
	pinned = (int)syscall(SYS_openat2, root, whole, &how, sizeof(how));
	if (pinned < 0)
		return -errno;
	fd = procdir_open_pinned(pinned);
	close(pinned);
	return fd;
}

struct certificates {
	char *path[CERTIFICATES_MAX];
	size_t count;
};

static void note_certificate(void *ctx, const char *directive, const char *value)
{
	struct certificates *c = ctx;

	if (strcmp(directive, "tls-cert-file") != 0 || !value[0])
		return;
	for (size_t i = 0; i < c->count; i++) {
		if (!strcmp(c->path[i], value))
			return;
	}
	if (c->count < CERTIFICATES_MAX && (c->path[c->count] = strdup(value)))
		c->count++;
}

/* What it says of certificates. It may hold passwords: the text is wiped. */
static void read_config(int fd, struct certificates *certs)
{
	char *text = malloc(CONFIG_MOST);
	ssize_t n = text ? pread(fd, text, CONFIG_MOST, 0) : -1;

	if (n > 0) {
		server_config_each(text, (size_t)n, note_certificate, certs);
		explicit_bzero(text, (size_t)n);
	}
	free(text);
}

static void put_config(struct jsonw *j, const struct server_source *s, int root, const char *path,
		       struct certificates *certs)
{
	char sha256[DIGEST_LEN] = "";
	int fd = open_file(s, root, path), err = fd < 0 ? fd : digest_fd(fd, sha256);

	jsonw_object(j, NULL);
	jsonw_string(j, "path", path);
	jsonw_text(j, "sha256", sha256);
	if (err)
		jsonw_string(j, "unread", strerror(-err));
	jsonw_end_object(j);
	if (fd < 0)
		return;
	read_config(fd, certs);
	close(fd);
}

/* The first certificate in a PEM file is the server's own. */
static int read_certificate(int fd, struct cert *ret)
{
	char *text = malloc(CERTIFICATE_MOST);
	ssize_t n = text ? pread(fd, text, CERTIFICATE_MOST, 0) : -1;
	BIO *bio = n > 0 ? BIO_new_mem_buf(text, (int)n) : NULL;
	unsigned char *der = NULL;
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	int len = x ? i2d_X509(x, &der) : -1;
	int err = len > 0 ? cert_read(ret, der, (size_t)len) : -1;

	OPENSSL_free(der);
	X509_free(x);
	BIO_free(bio);
	free(text);
	close(fd);
	return err ? -EINVAL : 0;
}

static void put_certificate(struct jsonw *j, const struct server_source *s, int root,
			    const char *path)
{
	struct cert cert;
	int fd = open_file(s, root, path), err = fd < 0 ? fd : read_certificate(fd, &cert);

	jsonw_object(j, NULL);
	jsonw_string(j, "path", path);
	if (err) {
		jsonw_string(j, "unread",
			     err == -EINVAL ? "it is no certificate in PEM" : strerror(-err));
	} else {
		jsonw_string(j, "sha256", cert.sha256);
		jsonw_string(j, "subject", cert.subject);
		jsonw_string(j, "issuer", cert.issuer);
		jsonw_int(j, "not_before", cert.not_before * 1000);
		jsonw_int(j, "not_after", cert.not_after * 1000);
	}
	jsonw_end_object(j);
}

void server_facts_json(struct jsonw *j, const struct server_source *s)
{
	int root = s->dir < 0 ? s->dir : openat(s->dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct certificates certs = {};

	jsonw_array(j, "configuration");
	for (size_t i = 0; i < s->configs; i++)
		put_config(j, s, root, s->config[i], &certs);
	jsonw_end_array(j);
	jsonw_array(j, "certificates");
	for (size_t i = 0; i < certs.count; i++) {
		put_certificate(j, s, root, certs.path[i]);
		free(certs.path[i]);
	}
	jsonw_end_array(j);
	if (root >= 0)
		close(root);
}
