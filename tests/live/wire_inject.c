/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_inject.c - plaintext within a TLS connection: sent by the client, or by another process that writes to the
 * server's socket.
 */
#include "wire.h"
#include "steps.h"

void wire_injected(const void *arg)
{
	const struct injection *i = arg;
	struct trigger t = trigger("tls_inject", "127.0.0.1", port(wire_tls_only->tls_port),
				   cert_path(), "-m", i->version, "-s", i->piece);

	expect(wire_mon, {.rule = "tls-midstream",
			  .wire = true,
			  .server = wire_tls_only,
			  .opened = "inbound",
			  .direction = "ingress",
			  .family = "ipv4",
			  .local_port = wire_tls_only->tls_port,
			  .remote_port = trigger_int(&t, "port"),
			  .has_offset = true,
			  .offset = trigger_int(&t, "offset")});
}

void wire_stolen_socket(const void *arg)
{
	const char *what = arg;
	struct client *c = client_open(wire_tls_only, "127.0.0.1", true);
	int mine = client_port(c);
	struct trigger t =
		trigger("pidfd_getfd", pid_of(wire_tls_only), str("%d", client_fd(c)), "-w", what);
	json_t *alert;

	require(trigger_int(&t, "written") > 0, "the trigger wrote nothing");
	expect(wire_mon,
	       {.rule = "mem-fd", .vector = "pidfd_getfd", .server = wire_tls_only, .by = &t},
	       {.rule = "tls-writer",
		.wire = true,
		.server = wire_tls_only,
		.by = &t,
		.vector = "egress",
		.direction = "egress",
		.remote_port = mine},
	       {.rule = "tls-midstream",
		.wire = true,
		.server = wire_tls_only,
		.direction = "egress",
		.remote_port = mine,
		.optional = !strcmp(what, "record")});
	alert = alert_find(wire_mon, "tls-midstream", 0);
	require(!alert || strcmp(what, "record"), "framed as a record, yet called no TLS");
	client_close(c);
}
