// SPDX-License-Identifier: BSD-2-Clause
/* decoy_files.c - see decoy_files.h. */
#include "validate/decoy_files.h"

#include "base/macros.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RSA_BITS 2048
#define DEPTH_MAX 8 /* of directories; a server makes one */

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

/*
 * Its user alone can read its files, which have its password: no group of his. He can add none to the directory, where root opens
 * some.
 */
static FILE *create(const struct decoy *d, const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && (fchown(fd, d->uid, 0) || fchmod(fd, mode))) {
		close(fd);
		return NULL;
	}
	return fd < 0 ? NULL : fdopen(fd, "w");
}

/*
 * A key and its certificate in one file, which is also all that the decoy trusts: a drill shows it to a decoy that asks clients for a
 * certificate. The key is of the kind that the server has, since its cipher suites may be for that kind only.
 */
static bool write_key(const struct decoy *d)
{
	EVP_PKEY *key = d->rsa ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
	X509 *x = X509_new();
	FILE *f = create(d, d->key, 0400);
	bool ok = key && x && f && X509_set_version(x, 2) &&
		  ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
		  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
					     (const unsigned char *)"decoy", -1, -1, 0) &&
		  X509_set_issuer_name(x, X509_get_subject_name(x)) &&
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
static bool copy_library(struct decoy *d)
{
	char from[PATH_MAX], buf[1 << 16];
	FILE *in = dl_iterate_phdr(find_library, from) ? fopen(from, "re") : NULL;
	FILE *out;
	size_t n;
	bool ok;

	snprintf(d->library, sizeof(d->library), "%.40s/decoy.so", d->dir);
	out = in ? create(d, d->library, 0500) : NULL;
	while (out && (n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, out);
	ok = out && !ferror(in);
	if (out && fclose(out))
		ok = false;
	if (in)
		fclose(in);
	return ok;
}

/* Where it writes what the server's options let it write. Again for each try: an earlier one may have left files. */
static bool make_data(struct decoy *d)
{
	snprintf(d->data, sizeof(d->data), "%.40s/data", d->dir);
	snprintf(d->socket, sizeof(d->socket), "%.48s/socket", d->data);
	if (mkdir(d->data, 0700) && errno != EEXIST)
		return false;
	return !lchown(d->data, d->uid, 0);
}

static bool write_config(const struct decoy *d, const struct options *o, const char *more)
{
	FILE *f = create(d, d->config, 0400);

	if (!f)
		return false;
	if (o)
		option_write(o, f);
	else
		fprintf(f, "tls-auth-clients no\ntls-protocols \"" DECOY_PROTOCOLS
			   "\"\ntls-ciphers " DECOY_CIPHERS "\nsave \"\"\nappendonly no\n");
	fprintf(f,
		"bind 127.0.0.1\nport %u\ntls-port %u\nunixsocket %s\nunixsocketperm 700\n"
		"tls-cert-file %s\ntls-key-file %s\ntls-ca-cert-file %s\n"
		"daemonize no\nlogfile \"\"\ndir %s\nrequirepass %s\n%s",
		d->port, d->tls_port, d->socket, d->key, d->key, d->key, d->data, d->password,
		more);
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

bool decoy_files_make(struct decoy *d)
{
	bool executable = make_dir(d);

	if (!d->dir[0])
		return false;
	snprintf(d->config, sizeof(d->config), "%.40s/decoy.conf", d->dir);
	snprintf(d->key, sizeof(d->key), "%.40s/decoy.pem", d->dir);
	if (!executable || !copy_library(d))
		d->library[0] = '\0';
	return !chmod(d->dir, 0711) && make_password(d) && write_key(d);
}

/* Monitors that come later look for it in the directory where a server is. */
static bool link_config(const struct decoy *d)
{
	char path[DECOY_PATH];

	snprintf(path, sizeof(path), "%.48s/decoy.conf", d->data);
	unlink(path);
	return !link(d->config, path);
}

bool decoy_files_write(struct decoy *d, const struct options *o, const char *more)
{
	return make_data(d) && write_config(d, o, more) && link_config(d);
}

/*
 * What is in a directory of the decoy's: its user may be the server's, who could put symbolic links where this is about to go. Entries
 * are removed relative to the directory itself, and no link is followed.
 */
static void empty(int dir, unsigned int depth)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;
	int below;

	if (!d) {
		close(dir);
		return;
	}
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    !unlinkat(dirfd(d), e->d_name, 0))
			continue;
		below = openat(dirfd(d), e->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0 && depth < DEPTH_MAX)
			empty(below, depth + 1);
		else if (below >= 0)
			close(below);
		unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

void decoy_files_remove(struct decoy *d)
{
	int dir = d->dir[0] ? open(d->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (dir >= 0) {
		empty(dir, 0);
		rmdir(d->dir);
	}
	d->dir[0] = '\0';
}
