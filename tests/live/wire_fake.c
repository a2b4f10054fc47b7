/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_fake.c - a server and a client that frame cleartext as TLS records, and what a real TLS stack sends at the
 * beginning of a connection, which raises nothing.
 */
#include "wire.h"

#include <unistd.h>

/* A key of its own: a second server may not open another's. */
static const char *own_key(int nr)
{
	const char *key = str("%s/own.%d.pem", scratch, nr);

	key_copy(key);
	return key;
}

/* A program under Redis' name. The running servers' code is not written to. */
static const char *as_redis(const char *program, const char *dir)
{
	const char *exe = str("%s/%s/redis-server", scratch, dir);

	if (access(exe, X_OK))
		file_copy(program, exe);
	return exe;
}

void wire_fake(const void *arg)
{
	const struct fake *f = arg;
	int nr = port_free();
	const char *const argv[] = {as_redis(trigger_path("fake_tls"), "fake_tls"),
				    "serve",
				    port(nr),
				    f->how,
				    cert_path(),
				    own_key(nr),
				    NULL};
	struct trigger t;

	child_start(argv, &(struct child_opts){});
	wait_listening(nr);
	t = trigger("fake_tls", "dial", port(nr), f->how, cert_path());
	require(trigger_int(&t, "received") > 0, "no answer came");
	expect(wire_mon,
	       {.rule = f->rule,
		.wire = true,
		.opened = "inbound",
		.direction = "ingress",
		.command = f->command,
		.saw = f->saw,
		.local_port = nr,
		.remote_port = trigger_int(&t, "port"),
		.has_offset = f->command != NULL,
		.offset = 0,
		.bytes = f->command ? trigger_int(&t, "sent") + trigger_int(&t, "received") : 0});
}

/*
 * OpenSSL's server under Redis' name, which offers what Redis does not: early data, other groups. A first client stays until it
 * has a session, the second one resumes it.
 */
void wire_tls_begins(const void *arg)
{
	const struct beginning *b = arg;
	int nr = port_free();
	const char *session = str("%s/begin.%d.session", scratch, nr);
	const char *early = str("%s/begin.early", scratch);
	const char *client = str("openssl s_client -connect 127.0.0.1:%d -CAfile %s %s", nr,
				 cert_path(), b->client);
	const char *const argv[] = {
		"sh", "-c",
		str("exec %s s_server -quiet -accept %d -cert %s -key %s -early_data -max_early_data 4096 "
		    "-no_anti_replay %s",
		    as_redis("/usr/bin/openssl", "bin"), nr, cert_path(), own_key(nr), b->server),
		NULL};
	struct run r;
	struct trigger t;

	file_write(early, "PING\r\n");
	child_start(argv, &(struct child_opts){.keep_stdin = true});
	wait_listening(nr);
	r = run_command(8000, "sh", "-c",
			str("(until [ -s %s ]; do sleep 0.05; done; echo Q) | %s -sess_out %s",
			    session, client, session));
	require(!r.status, "no session: %s %s", r.out, r.err);
	r = run_command(8000, "sh", "-c",
			str("echo Q | %s -sess_in %s %s %s", client, session,
			    b->early ? "-early_data" : "", b->early ? early : ""));
	require(strstr(r.out, b->said), "the client does not say \"%s\": %s %s", b->said, r.out,
		r.err);
	expect_nothing(wire_mon);
	/* the server is monitored, so the lack of alerts above means something */
	t = trigger("plain_client", "127.0.0.1", port(nr));
	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .direction = "ingress",
			  .remote_port = trigger_int(&t, "port"),
			  .local_port = nr});
}
