/* SPDX-License-Identifier: BSD-2-Clause */
/* witness_server.h - a witness in the scratch directory of evidence_log.h, served by a thread. */
#ifndef CACHEWARDEN_TEST_WITNESS_SERVER_H
#define CACHEWARDEN_TEST_WITNESS_SERVER_H

#include "evidence_log.h"

#include "evidence/cosign.h"
#include "evidence/witness.h"
#include "evidence/witness_client.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

static struct witness *witness;
static struct note_key witness_key;
static char witness_url[64];
static struct http_server *witness_http;
static pthread_t witness_thread;
static int witness_stop_fd;

#define WITNESS_NOW 1800000000

static uint64_t witness_now(void)
{
	return WITNESS_NOW;
}

static void *witness_serve(void *ctx)
{
	return (void *)(intptr_t)http_server_run(witness_http, witness_stop_fd);
}

static inline const char *witness_path(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/witness%s%s", scratch, name[0] ? "/" : "", name);
	return path;
}

/* A witness that knows the log in log_dir. */
static inline void witness_begin(void)
{
	char error[WITNESS_ERROR_LEN], vkey[NOTE_VKEY_LEN];

	if (witness_open(&witness, witness_path(""), "witness.example/w1", error) ||
	    witness_know(witness, log_path("vkey"), error))
		fail_msg("no witness: %s", error);
	witness_set_clock(witness, witness_now);
	witness_vkey(witness, vkey);
	assert_int_equal(note_vkey_parse_as(&witness_key, NOTE_COSIGNATURE, vkey, strlen(vkey)), 0);
	assert_int_equal(http_server_open(&witness_http, "127.0.0.1:0", witness_answer, witness),
			 0);
	snprintf(witness_url, sizeof(witness_url), "http://127.0.0.1:%u",
		 http_server_port(witness_http));
	witness_stop_fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(pthread_create(&witness_thread, NULL, witness_serve, NULL), 0);
}

static inline void witness_end(void)
{
	uint64_t one = 1;

	assert_int_equal(write(witness_stop_fd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(pthread_join(witness_thread, NULL), 0);
	close(witness_stop_fd);
	http_server_close(witness_http);
	witness_close(witness);
}

/* Submit the log in log_dir. Returns what witness_submit() returned. */
static inline int submit(struct witnessed *w, char error[WITNESS_CLIENT_ERROR_LEN])
{
	return witness_submit(log_dir, witness_url, &witness_key, w, error);
}

static inline void assert_cosigned(uint64_t size)
{
	char error[WITNESS_CLIENT_ERROR_LEN];
	struct witnessed w;

	if (submit(&w, error))
		fail_msg("not cosigned: %s", error);
	assert_int_equal(w.size, size);
	assert_int_equal(w.time_s, WITNESS_NOW);
}

static inline void assert_refused(const char *why)
{
	char error[WITNESS_CLIENT_ERROR_LEN] = "";
	struct witnessed w;

	assert_int_equal(submit(&w, error), -EBADMSG);
	if (!strstr(error, why))
		fail_msg("refused, but not for '%s': %s", why, error);
}

#endif
