/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.h - fills in facts.h. Of a server's own files only tls-ca-cert-file is opened, to verify the certificate, and for a decoy its
 * configuration if it does not answer CONFIG GET; all others are only looked at by stat(2). /proc/PID/fd, maps and environ of the chosen server are read: a running monitor reports
 * that, as it would of anybody.
 */
#ifndef CACHEWARDEN_LOOK_H
#define CACHEWARDEN_LOOK_H

#include "validate/facts.h"

#include <stddef.h>
#include <sys/types.h>

/* Why something was not seen, for whoever has to do something about it. err: positive. */
const char *look_text(int err);

/* What /proc/PID/status says of a process. */
struct process_status {
	char name[FACTS_NAME];
	pid_t parent;
	uint32_t uid[4], gid;	       /* gid: the effective one */
	uint64_t permitted, effective; /* capabilities */
	uint64_t swapped_kb;
	uint32_t no_new_privs, seccomp;
	bool kernel; /* it has no memory of its own: a kernel thread, or a zombie */
};

/* Returns 0 or a negative errno. */
int look_status(pid_t pid, struct process_status *ret);

/* --- which server --- */

#define LOOK_ANY_UID (-1)

struct look_choice {
	const char *name; /* "redis-server:6379"; NULL: any */
	uint32_t port;	  /* 0: any */
	int64_t uid;	  /* LOOK_ANY_UID: any */
};

enum look_found { LOOK_FOUND, LOOK_NONE, LOOK_MANY };

/* Find the one server that is meant: its pid, name and executable. Else error says what is there. */
enum look_found look_target(struct facts *f, const struct look_choice *c, char *error, size_t size);

/*
 * May a server with that uid be sent a password? Anybody may call his process redis-server. said: the uid that the operator
 * expects; if he does not say (LOOK_ANY_UID), the users of the packages, root, and the one who runs this are expected.
 */
bool look_expects(uint32_t uid, int64_t said);

/* The addresses it listens on. Those that belong to it for certain only if its descriptors may be read. */
void look_addresses(struct facts *f);

/* --- what it answers --- */

#define PASSWORD_VARIABLE                                                                          \
	"CACHEWARDEN_PASSWORD" /* in the environment: not for the processes that are started */

struct look_login {
	const char *user, *password_file, *cert, *key, *ca;
	int64_t server_uid; /* that a password is for; LOOK_ANY_UID: see look_expects() */
};

/* Wire and configuration. Returns false with the reason in error if the operator's files are of no use. */
bool look_server(struct facts *f, const struct look_login *a, char *error, size_t size);

/* --- the rest: no need to ask it anything --- */

void look_process(struct facts *f);
void look_people(struct facts *f);
void look_code(struct facts *f);
void look_files(struct facts *f); /* needs its configuration */

/* The options for a decoy, where CONFIG GET did not tell them: its configuration file and command line. */
void look_options(struct facts *f);

void look_host(struct facts *f);

/* Is what the directory holds encrypted? place: in words. */
enum known look_device(const char *path, char *place, size_t size);

/* The same of a block device. block: /sys/dev/block, or what looks like it. */
enum known look_block_device(const char *block, dev_t dev, char *place, size_t size);

#endif
