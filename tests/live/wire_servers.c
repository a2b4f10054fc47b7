/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_servers.c - traffic between servers (replication, cluster bus) and between two hosts, which here are network namespaces.
 */
#include "wire.h"
#include "steps.h"

void wire_replica_plain(const void *arg)
{
	struct server *master = server_start(
		&(struct server_opts){.plain = true, .extra = "repl-diskless-sync-delay 0"});
	struct server *replica = server_start(&(struct server_opts){
		.extra = str("replicaof 127.0.0.1 %d\ntls-replication no", master->plain_port)});

	replica_ready(replica);
	expect(wire_mon, PLAIN_REPLICATION(master, replica));
}

void wire_replica_tls(const void *arg)
{
	struct server *master =
		server_start(&(struct server_opts){.extra = "repl-diskless-sync-delay 0"});
	struct server *replica = server_start(&(struct server_opts){
		.extra = str("replicaof 127.0.0.1 %d\ntls-replication yes", master->tls_port)});

	replica_ready(replica);
	sleep_ms(1200); /* a few REPLCONF ACKs */
	expect_nothing(wire_mon);
}

static struct server *cluster_node(bool tls)
{
	return server_start(&(struct server_opts){
		.plain = !tls,
		.extra = str("cluster-enabled yes\ncluster-config-file nodes.conf\ntls-cluster %s",
			     tls ? "yes" : "no")});
}

void wire_cluster(const void *arg)
{
	bool tls = arg;
	struct server *one = cluster_node(tls), *two = cluster_node(tls);
	struct client *c = client_open(one, "127.0.0.1", true);
	int bus = (tls ? two->tls_port : two->plain_port) + 10000;
	long long end = now_ms() + 8000 * patience;

	client_do(c, str("CLUSTER MEET 127.0.0.1 %d", bus - 10000));
	while (!strstr(client_do(c, "CLUSTER INFO"), "cluster_known_nodes:2")) {
		require(now_ms() < end, "the nodes did not meet");
		sleep_ms(50);
	}
	sleep_ms(1500); /* the second node's own link, and some pings */
	client_close(c);
	if (tls)
		expect_nothing(wire_mon);
	else
		expect(wire_mon,
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = one,
			.many = true,
			.opened = "outbound",
			.remote_port = bus},
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = two,
			.many = true,
			.opened = "inbound",
			.local_port = bus},
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = two,
			.many = true,
			.opened = "outbound"},
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = one,
			.many = true,
			.opened = "inbound"});
}

void wire_two_hosts(const void *arg)
{
	pid_t here = netns_start(), there = netns_start();
	struct child_opts in_here = {.netns = here}, in_there = {.netns = there};
	struct server *s;
	struct trigger t;

	netns_join(here, there, 77);
	s = server_start(&(struct server_opts){.plain = true,
					       .bind = "10.77.0.1",
					       .child = in_here,
					       .extra = "protected-mode no"});
	t = trigger_in(&in_there, "tls_client", "10.77.0.1", port(s->tls_port), cert_path(), "-v",
		       "10000000", "-n", "3");
	require(trigger_int(&t, "bytes") == 3 * 11111111, "not all values came back");
	expect_nothing(wire_mon);
	t = trigger_in(&in_there, "plain_client", "10.77.0.1", port(s->plain_port), "-c",
		       "GET " SECRET_KEY);
	require(trigger_int(&t, "received") == 5, "no reply came");
	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .server = s,
			  .family = "ipv4",
			  .opened = "inbound",
			  .direction = "ingress",
			  .command = "GET",
			  .saw = "resp-command",
			  .local_port = s->plain_port,
			  .remote_port = trigger_int(&t, "port"),
			  .bytes = trigger_int(&t, "sent") + trigger_int(&t, "received")});
	require(!strcmp(alert_str(alert_find(wire_mon, "tls-plaintext", 0), "conn.remote.ip"),
			"10.77.0.2"),
		"remote is not 10.77.0.2");
}
