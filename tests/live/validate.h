/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * validate.h - what the files of the suites of `cachewarden validate` share: servers that keep their promises unless they are told
 * otherwise, and what the report says of them.
 */
#ifndef LIVE_VALIDATE_H
#define LIVE_VALIDATE_H

#include "harness.h"

#define SERVER_UID 61234 /* nobody else's */
#define SERVER_UID_TEXT "61234"
#define PASSWORD "correct-horse-battery"

/* A user who may say what validate asks; the default user may do nothing. */
#define USERS                                                                                      \
	"user default off\n"                                                                       \
	"user check on >" PASSWORD " +config|get +info +acl|dryrun\n"

/* Runs a server as its own user: a step before exec. */
void as_server(void);

/* A certificate for localhost that is valid for 90 days, which is also the CA file. */
const char *good_cert(void);

/* Writes a server's files, all its own and for nobody else; more overrides what is configured. */
struct server *prepare(bool plain, const char *more);

const char *password_file(const char *password);

/* Never with the password in any output. */
struct run validate_argv(const char *const *more);
#define validate(...) validate_argv((const char *const[]){__VA_ARGS__, NULL})
#define PORT_OF(s) "--port", str("%d", (s)->tls_port)
#define SERVER_USER "--server-user", SERVER_UID_TEXT
#define AS_CHECK "--user", "check", "--password-file", password_file(PASSWORD), SERVER_USER

json_t *report_of(struct run r);
json_t *check_of(json_t *report, const char *id);
const char *of(json_t *check, const char *key);
void expect_verdict(json_t *report, const char *id, const char *want, const char *seen);

/* Exactly these checks fail, each is made once, and all others pass. */
void expect_failures(json_t *report, const char *const *broken);

/* Nothing of a decoy, or of the monitor that was run, is left. */
void expect_nothing_left(void);

#endif
