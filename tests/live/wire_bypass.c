/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_bypass.c - bytes of a server that are in no packet of TCP: a name that a client makes it look up, and a connection
 * in a BPF sockmap.
 */
#include "wire.h"
#include "steps.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#define LOOKUP_NAME "silver-orchard.example"

/* Names are looked up at 127.0.0.1, where nobody answers. */
static void own_resolver(void)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/resolv.conf", scratch);
	if (access("/etc/resolv.conf", R_OK))
		return; /* it is the default */
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL))
		_exit(1);
}

static struct server *server_resolving(void)
{
	file_write(str("%s/resolv.conf", scratch),
		   "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
	return server_start(&(struct server_opts){.child.setup = own_resolver});
}

static void replicate(struct server *s, const char *of)
{
	struct client *c = client_open(s, "127.0.0.1", true);

	require(strstr(client_do(c, str("REPLICAOF %s", of)), "OK"), "REPLICAOF was refused");
	client_close(c);
}

void wire_name_lookup(const void *arg)
{
	struct server *s = server_resolving();

	replicate(s, LOOKUP_NAME " 6379");
	expect(wire_mon, {.rule = "tls-bypass",
			  .wire = true,
			  .server = s,
			  .direction = "egress",
			  .detail = "UDP, to a name server's port",
			  .remote_port = 53});
	require(!monitor_said(wire_mon, "silver-orchard"), "the monitor printed the name");
	server_stop(s, SIGTERM);
}

/* A master by its address; the name server is allowed. */
void wire_name_lookup_allowed(const void *arg)
{
	struct monitor *m =
		monitor_with_policy("tls:\n  bypass:\n    - peer: 127.0.0.0/8\n      port: 53\n");
	struct server *s = server_resolving();

	replicate(s, str("127.0.0.1 %d", wire_tls_only->tls_port));
	sleep_ms(1500);
	require(!alert_find(m, "tls-bypass", 0), "an address was reported");
	monitors_mark();
	replicate(s, LOOKUP_NAME " 6379");
	expect(m, {.rule = "tls-bypass",
		   .wire = true,
		   .server = s,
		   .direction = "egress",
		   .verdict = "allowed",
		   .remote_port = 53});
	server_stop(s, SIGTERM);
}

/* The finding names the program, and the process that holds it. */
static void names_program(pid_t holder)
{
	const char *detail = alert_str(alert_find(wire_mon, "tls-bypass", 0), "detail"),
		   *begins =
			   "connection in a BPF sockmap: its bytes need no packet; sk_msg program ";

	require(!strncmp(detail, begins, strlen(begins)) && strstr(detail, " redirect, tag ") &&
			strstr(detail, str(", of uid 0, held by sockmap(%d)", holder)),
		"it says \"%s\"", detail);
}

void wire_sockmap(const void *arg)
{
	struct run r = run_command(10000, trigger_path("sockmap"), port(wire_mixed->plain_port));
	json_t *said = json_loads(r.out, 0, NULL);
	int from;

	if (r.status && strstr(r.err, "sockmap: "))
		test_skip("no sockmap here: %s", r.err);
	from = (int)json_integer_value(json_object_get(said, "port"));
	require(json_integer_value(json_object_get(said, "received")) > 0, "no reply came: %s",
		r.out);
	expect(wire_mon, {.rule = "tls-bypass",
			  .wire = true,
			  .server = wire_mixed,
			  .opened = "inbound",
			  .local_port = wire_mixed->plain_port,
			  .remote_port = from});
	names_program(r.pid);
}
