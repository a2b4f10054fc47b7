// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_journald.c - the systemd journal, by its native protocol: one datagram of KEY=value lines for each message, or,
 * where that is too long for a datagram, a sealed memory file with the same contents.
 *
 * The process keeps the monitor's user, because the journal records who wrote an entry and nobody can forge that.
 */
#include "report/transport.h"

#include "report/notice.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX "CACHEWARDEN_"

struct journald {
	struct sockaddr_un addr;
	int fd; /* -1: none yet */
};

static void journald_free(void *state)
{
	struct journald *j = state;

	if (j->fd >= 0)
		close(j->fd);
	free(j);
}

static bool journald_open(const struct policy_sink *config, const struct policy_target *target,
			  void **ret_state, char error[TRANSPORT_ERROR_LEN])
{
	struct journald *j = malloc(sizeof(*j));

	if (!j || strlen(target->rest) >= sizeof(j->addr.sun_path)) {
		snprintf(error, TRANSPORT_ERROR_LEN, "%s: %s", target->rest,
			 strerror(j ? ENAMETOOLONG : ENOMEM));
		free(j);
		return false;
	}
	*j = (struct journald){{.sun_family = AF_UNIX}, -1};
	memcpy(j->addr.sun_path, target->rest, strlen(target->rest) + 1);
	*ret_state = j;
	return true;
}

/* --- an entry --- */

/* A value with a newline has its length before it, so that it cannot begin a field of its own. */
static void put(FILE *f, const char *key, const char *value, size_t len)
{
	uint64_t size = htole64(len);

	fputs(key, f);
	if (memchr(value, '\n', len)) {
		fputc('\n', f);
		fwrite(&size, sizeof(size), 1, f);
	} else {
		fputc('=', f);
	}
	fwrite(value, 1, len, f);
	fputc('\n', f);
}

static void put_fields(FILE *f, const struct notice *n)
{
	for (unsigned int i = 0; i < NOTICE_MAX; i++) {
		char key[64];

		if (!n->text[i])
			continue;
		snprintf(key, sizeof(key), PREFIX "%s", notice_field_name(i));
		for (char *c = key; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		put(f, key, n->text[i], strlen(n->text[i]));
	}
}

/* Returns the entry, to be freed; NULL if memory ran out. */
static char *make_entry(const struct notice *n, const char *json, size_t len, size_t *ret_len)
{
	char *entry = NULL;
	FILE *f = open_memstream(&entry, ret_len);

	if (!f)
		return NULL;
	fprintf(f, "PRIORITY=%u\nSYSLOG_IDENTIFIER=cachewarden\n", notice_priority(n));
	put(f, "MESSAGE", n->title, strlen(n->title));
	put_fields(f, n);
	put(f, PREFIX "JSON", json, len - (len && json[len - 1] == '\n'));
	if (fclose(f)) {
		free(entry);
		return NULL;
	}
	return entry;
}

/* --- sending it --- */

static int open_socket(struct journald *j)
{
	const struct timeval wait = {.tv_sec = TRANSPORT_WAIT_MS / 1000};

	if (j->fd < 0)
		j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (j->fd < 0)
		return -errno;
	setsockopt(j->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	return 0;
}

/* An entry, or a file with one if fd is not -1. Returns 0 or a negative errno. */
static int send_datagram(struct journald *j, char *entry, size_t len, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = {entry, len};
	struct msghdr msg = {.msg_name = &j->addr, .msg_namelen = sizeof(j->addr)};

	if (fd < 0) {
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
	} else {
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)),
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &fd, sizeof(fd));
	}
	return sendmsg(j->fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The journal takes a file only if nobody can change it any more. */
static int send_file(struct journald *j, const char *entry, size_t len)
{
	int fd = memfd_create("cachewarden", MFD_CLOEXEC | MFD_ALLOW_SEALING), err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, entry, len);
	if (!err &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		err = -errno;
	if (!err)
		err = send_datagram(j, NULL, 0, fd);
	close(fd);
	return err;
}

static const char *reason(int err)
{
	switch (err) {
	case -EAGAIN:
		return "the journal does not read";
	case -ENOENT:
	case -ECONNREFUSED:
		return "the journal does not run";
	default:
		return strerror(-err);
	}
}

/* Returns 0 or a negative errno; -EBADMSG: it is no message of ours. */
static int deliver(struct journald *j, const char *json, size_t len)
{
	struct notice n;
	size_t size = 0;
	char *entry = NULL;
	int err = notice_parse(&n, json, len) ? open_socket(j) : -EBADMSG;

	if (!err) {
		entry = make_entry(&n, json, len, &size);
		err = entry ? send_datagram(j, entry, size, -1) : -ENOMEM;
	}
	if (err == -EMSGSIZE || err == -ENOBUFS)
		err = send_file(j, entry, size);
	free(entry);
	notice_free(&n);
	return err;
}

static enum sent journald_send(void *state, const char *json, size_t len,
			       char error[TRANSPORT_ERROR_LEN])
{
	struct journald *j = state;
	int err = deliver(j, json, len);

	if (!err)
		return SENT;
	snprintf(error, TRANSPORT_ERROR_LEN, "%s: %s", j->addr.sun_path, reason(err));
	return err == -EBADMSG ? SENT_REFUSED : SENT_LATER;
}

const struct transport transport_journald = {
	.keeps_user = true,
	.open = journald_open,
	.free = journald_free,
	.send = journald_send,
};
