// SPDX-License-Identifier: BSD-2-Clause
/* policy_key.c - see policy_key.h. docs/policy.md and policy(5) are made of the help texts: run `make docs` after a change. */
#include "policy/policy_key.h"

#include "base/macros.h"

#include <stdlib.h>

#define POLICY struct policy
#define INSTANCE struct policy_instance
#define PLAINTEXT struct policy_plaintext
#define BYPASS struct policy_bypass
#define ALLOW struct policy_allow
#define SINK struct policy_sink

static const struct policy_key keys[] = {
	{"instances", POLICY_TO_LIST(POLICY, instance, instances, INSTANCE),
	 .help = "Settings per server. For each rule, the first entry that matches the server and names the "
		 "rule applies. Rules that no matching entry names raise alerts."},
	{"instances[].name", POLICY_TO_TEXT(POLICY_NAME, INSTANCE, name), .required = true,
	 .help = "Unique name of the entry, for allow[].instance."},
	{"instances[].match", POLICY_MAP, .absent = "every server",
	 .help = "The servers this entry applies to: all conditions given here must hold."},
	{"instances[].match.exe", POLICY_TO_TEXT(POLICY_PATTERN, INSTANCE, exe),
	 .help = "Path of the executable as alerts show it, or the name it was started by. On Debian "
		 "redis-server is a link to /usr/bin/redis-check-rdb."},
	{"instances[].match.port", POLICY_TO_INT(POLICY_NUMBER, INSTANCE, port), .min = 1,
	 .max = 65535, .help = "A port the server listens on."},
	{"instances[].match.unit", POLICY_TO_TEXT(POLICY_PATTERN, INSTANCE, unit),
	 .help = "The server's systemd unit."},
	{"instances[].match.cgroup", POLICY_TO_TEXT(POLICY_PATTERN, INSTANCE, cgroup),
	 .help = "Path of the server's cgroup, relative to the cgroup2 root."},
	{"instances[].match.container", POLICY_TO_TEXT(POLICY_PATTERN, INSTANCE, container),
	 .help = "Id of the server's container, 64 hexadecimal digits, or a pattern such as 4f1c*."},
	{"instances[].rules", POLICY_RULES, .help = "Settings per rule, by rule name."},
	{"instances[].rules." POLICY_ANY_RULE, POLICY_MAP,
	 .help = "Settings for one rule, for example mem-read."},
	{"instances[].rules." POLICY_ANY_RULE ".mode",
	 POLICY_TO_INT_PER_RULE(POLICY_MODE, INSTANCE, mode),
	 .absent = "alert, for routine observe",
	 .help = "off: count only, do not record. observe: record as an event, raise no alert. alert: "
		 "raise an alert. prevent: deny the access in the kernel, or kill the actor before it has "
		 "read anything. Only mem-trace, mem-read, mem-write, mem-fd and tls-plaintext can be "
		 "prevented. Routine is what every host does all day: processes listed by the host's own ps, "
		 "top, lsof, ss and the like, reads of smaps_rollup and io, BPF objects listed by bpftool. alert "
		 "raises alerts for it as well."},
	{"instances[].rules." POLICY_ANY_RULE ".severity",
	 POLICY_TO_INT_PER_RULE(POLICY_SEVERITY, INSTANCE, severity),
	 .absent = "depends on the attempt", .help = "Severity of the rule's alerts."},
	{"instances[].ask", POLICY_MAP, .absent = "servers are not asked",
	 .help = "Ask the server which files are its own: its private key, data, ACL file and configuration "
		 "are then protected wherever they lie, also if CONFIG SET moved them before the monitor "
		 "started. It is asked once, when it is found, and again on SIGHUP: CONFIG GET of dir, "
		 "dbfilename, appenddirname, aclfile, cluster-config-file and the two TLS keys, and INFO "
		 "server, through an address that it listens on or its UNIX socket; nothing leaves the host. "
		 "The answers serve as paths and are not recorded. A server that cannot be asked is a "
		 "self-blind finding with the reason. CONFIG must not be renamed; a user for this needs "
		 "'+config|get +info' and no keys."},
	{"instances[].ask.over", POLICY_TO_INT(POLICY_TRANSPORT, INSTANCE, ask.over),
	 .absent = "any",
	 .help = "any: TLS; without a TLS port the UNIX socket, if one is known; plaintext only if the server "
		 "has neither, and the log says so. tls, unix, plain: only that. Plaintext is not sent where "
		 "tls-plaintext is prevented. The password is sent only to a socket that belongs to the user "
		 "the server runs as. 'over: any' alone asks without a password."},
	{"instances[].ask.user", POLICY_TO_TEXT(POLICY_TEXT, INSTANCE, ask.user),
	 .absent = "the default user", .help = "User to authenticate as."},
	{"instances[].ask.password-file", POLICY_TO_TEXT(POLICY_PATH, INSTANCE, ask.password_file),
	 .help = "File whose first line is the password; needs uid. Refused unless it belongs to root or the user "
		 "running cachewarden and nobody else can read or write it."},
	{"instances[].ask.uid", POLICY_TO_INT(POLICY_NUMBER, INSTANCE, ask.uid), .min = 0,
	 .max = UINT32_MAX,
	 .help = "User id that the server runs as. A server of another user is not asked: anybody can start "
		 "one that an entry matches."},
	{"instances[].ask.socket", POLICY_TO_TEXT(POLICY_PATH, INSTANCE, ask.socket),
	 .absent = "unixsocket in the server's configuration",
	 .help = "The server's UNIX socket, in its mount namespace."},
	{"instances[].ask.cert", POLICY_TO_TEXT(POLICY_PATH, INSTANCE, ask.cert),
	 .help = "PEM file of a client certificate, for servers with tls-auth-clients yes."},
	{"instances[].ask.key", POLICY_TO_TEXT(POLICY_PATH, INSTANCE, ask.key),
	 .help = "PEM file of its private key, with the permissions that password-file needs."},
	{"tls", POLICY_MAP, .help = "Requirements for the connections of all servers."},
	{"tls.minimum", POLICY_TO_INT(POLICY_VERSION, POLICY, tls.minimum), .preset = "1.2",
	 .help = "Lowest TLS version that a handshake may negotiate."},
	{"tls.ciphers", POLICY_TO_STRINGS(POLICY, tls.cipher, tls.ciphers),
	 .absent = "all but weak suites",
	 .help = "Cipher suites that a handshake may negotiate: patterns of IANA names, such as "
		 "TLS_AES_256_GCM_SHA384 or TLS_ECDHE_*_GCM_*."},
	{"tls.plaintext", POLICY_TO_LIST(POLICY, tls.plaintext, tls.plaintexts, PLAINTEXT),
	 .absent = "none",
	 .help = "Connections on which plaintext is allowed. It then breaks neither tls-plaintext nor, where "
		 "a port served plaintext to this client first, tls-listener."},
	{"tls.plaintext[].peer", POLICY_TO_CIDR(PLAINTEXT, peer), .required = true,
	 .help = "Address or network of the remote end."},
	{"tls.plaintext[].owner", POLICY_TO_TEXT(POLICY_PATH, PLAINTEXT, owner), .required = true,
	 .help = "Path of the executable that opened the connection: the client, if it runs on this host and "
		 "is known for certain, or the server itself if it made the connection. Clients on other "
		 "hosts cannot be identified, so their plaintext cannot be allowed."},
	{"tls.bypass", POLICY_TO_LIST(POLICY, tls.bypass, tls.bypasses, BYPASS), .absent = "none",
	 .help = "Peers with which servers may exchange packets other than TCP, such as the name server of "
		 "servers that connect to names, or a syslog server. Such packets then do not break "
		 "tls-bypass."},
	{"tls.bypass[].peer", POLICY_TO_CIDR(BYPASS, peer), .required = true,
	 .help = "Address or network of the peer."},
	{"tls.bypass[].port", POLICY_TO_INT(POLICY_NUMBER, BYPASS, port), .min = 1, .max = 65535,
	 .absent = "any", .help = "Its port."},
	{"allow", POLICY_TO_LIST(POLICY, allow, allows, ALLOW), .absent = "none",
	 .help = "Exceptions: attempts that break a rule but raise no alert. They are still recorded, with the "
		 "verdict allowed. Every condition given must hold; one that is not known for certain does "
		 "not hold."},
	{"allow[].rule", POLICY_TO_INT(POLICY_RULE, ALLOW, rules), .required = true,
	 .help = "The rule that may be broken. A prefix such as mem-* stands for all rules that begin with it."},
	{"allow[].exe", POLICY_TO_TEXT(POLICY_PATH, ALLOW, exe), .required = true,
	 .help = "Path of the actor's executable, in the actor's own mount namespace. An actor that can create "
		 "a mount namespace or write that file can imitate it; add sha256 to rule that out."},
	{"allow[].sha256", POLICY_TO_TEXT(POLICY_SHA256, ALLOW, sha256),
	 .help = "SHA-256 of the executable. It is unknown if the actor exits before its executable can be "
		 "read."},
	{"allow[].uid", POLICY_TO_INT(POLICY_NUMBER, ALLOW, uid), .min = 0, .max = UINT32_MAX,
	 .help = "User id the actor runs as."},
	{"allow[].unit", POLICY_TO_TEXT(POLICY_UNIT, ALLOW, unit),
	 .help = "systemd unit the actor runs in."},
	{"allow[].ancestor", POLICY_TO_TEXT(POLICY_PATH, ALLOW, ancestor),
	 .help = "Path of the executable of one of the actor's ancestors, at most eight generations up."},
	{"allow[].instance", POLICY_TO_TEXT(POLICY_TEXT, ALLOW, instance), .absent = "all",
	 .help = "The server that may be accessed: the name of an entry of instances, or NAME:PORT or "
		 "NAME:PORT@PLACE as alerts show it. NAME:PORT allows nothing while several servers have it."},
	{"allow[].until", POLICY_TO_INT(POLICY_DATE, ALLOW, until_ms), .absent = "no end",
	 .help = "Last day of the exception, or the second at which it ends; UTC."},
	{"allow[].reason", POLICY_TO_TEXT(POLICY_TEXT, ALLOW, reason), .required = true,
	 .help = "Why this is allowed. Shown with each allowed event."},
	{"evidence", POLICY_MAP, .help = "The log that shows whether it was changed."},
	{"evidence.directory", POLICY_TO_TEXT(POLICY_PATH, POLICY, evidence), .absent = "no log",
	 .help = "Directory of the log. It is created if it does not exist; nobody but root may enter it. A "
		 "change takes effect when the monitor is started again."},
	{"evidence.keep-days", POLICY_TO_INT(POLICY_NUMBER, POLICY, evidence_days), .min = 1,
	 .max = 36500, .absent = "for ever",
	 .help = "Days that entries of the log are kept at least. Soon after the start and once a day, older ones "
		 "are removed, and an entry says so. What remains can be verified as before. Nothing is removed in a run in which "
		 "the wall clock was set by an hour or more."},
	{"evidence.keep-executables", POLICY_TO_INT(POLICY_NUMBER, POLICY, evidence_executables),
	 .min = 1, .max = 65536, .absent = "none are kept",
	 .help = "MiB of executables to keep beside the log, all together. Kept is the executable of an actor if it is in no "
		 "directory any more: deleted, or in memory alone (memfd). It is the only thing of which bytes are kept: a "
		 "program can have anything in it, passwords too. What does not fit is not kept, and the log says so. Retention "
		 "removes it with the entries that name it."},
	{"evidence.witness", POLICY_TO_TEXT(POLICY_WITNESS, POLICY, witness), .absent = "nobody",
	 .help = "A witness, cachewarden witness on another host, and its key, from the file vkey in its directory. "
		 "It cosigns the log's newest checkpoint each minute, and when the monitor ends: what is cut off "
		 "afterwards, or changed, is missed. A process of its own asks it. While it is down it is asked ever more "
		 "seldom, at least every five minutes, and that is reported as self-blind; its next answer covers what it "
		 "missed. So is a witness that refuses the log, having seen another one."},
	{"sinks", POLICY_TO_LIST(POLICY, sink, sinks, SINK), .absent = "none",
	 .help = "Where incidents, blind spots and heartbeats are delivered, besides standard output. Each sink has a "
		 "process of its own, so that one that is slow or unreachable delays nothing else. What it cannot "
		 "deliver waits in memory, 8 MiB for each sink (about 2,000 incidents), and is delivered later; what "
		 "does not fit is lost, counted, and reported as self-blind. A sink does not catch up from the evidence "
		 "log, and what waits is lost when the monitor ends. A change takes effect when the monitor is "
		 "started again."},
	{"sinks[].name", POLICY_TO_TEXT(POLICY_NAME, SINK, name), .required = true,
	 .help = "Unique name of the sink, for messages."},
	{"sinks[].to", POLICY_TO_TEXT(POLICY_TARGET, SINK, to), .required = true,
	 .help = "Destination. file: JSON lines, one object each; created with mode 0600, and opened again when it was "
		 "renamed. journald: the journal, with a field for each fact (journald:SOCKET for another socket). "
		 "syslog: RFC 5424 over TLS (RFC 5425), the message in JSON; the receiver has to take long ones (rsyslog: "
		 "maxMessageSize). webhook: one POST of JSON for each message. alertmanager: the base URL of a Prometheus "
		 "Alertmanager; an alert fires until its incident closes, and CachewardenHeartbeat while heartbeats "
		 "arrive. otlp: the base URL of an OpenTelemetry collector (OTLP/HTTP, usually port 4318); a log record for each "
		 "message. A secret in an URL can be read by whoever can read the policy. Messages may arrive twice "
		 "after an interruption."},
	{"sinks[].severity", POLICY_TO_INT(POLICY_SEVERITY, SINK, severity), .preset = "info",
	 .help = "Lowest severity that is delivered. Heartbeats always are."},
	{"sinks[].ca", POLICY_TO_TEXT(POLICY_PATH, SINK, ca), .absent = "those the system trusts",
	 .help = "PEM file of the authorities that may have signed the server's certificate."},
	{"sinks[].cert", POLICY_TO_TEXT(POLICY_PATH, SINK, cert),
	 .help = "PEM file of a client certificate, with its chain, for servers that demand one."},
	{"sinks[].key", POLICY_TO_TEXT(POLICY_PATH, SINK, key),
	 .help = "PEM file of its private key. Refused unless it belongs to root or the user running cachewarden "
		 "and nobody else can read or write it."},
	{"sinks[].server-name", POLICY_TO_TEXT(POLICY_TEXT, SINK, server_name),
	 .absent = "the host in the address",
	 .help = "Name or address that the certificate of a syslog server must have."},
	{"sinks[].template", POLICY_TO_INT(POLICY_TEMPLATE, SINK, templ), .preset = "ocsf",
	 .help = "What a webhook posts. ocsf: each message as run --output json prints it. slack: a text for a channel. "
		 "pagerduty: Events API v2 (https://events.pagerduty.com/v2/enqueue), with the integration key in "
		 "secret-file. slack and pagerduty hear of an incident when it begins, gets worse and ends, and of blind "
		 "spots; not of heartbeats."},
	{"sinks[].secret-file", POLICY_TO_TEXT(POLICY_PATH, SINK, secret_file),
	 .help = "File whose first line is a secret that a webhook or OpenTelemetry collector shares, with the permissions that "
		 "key needs. otlp sends it as Authorization: Bearer. "
		 "A webhook's requests with template ocsf carry X-Cachewarden-Timestamp, and in X-Cachewarden-Signature 'sha256=' and the "
		 "HMAC-SHA256 of that timestamp, a dot and the body, in hexadecimal digits."},
	{"tier", POLICY_TO_INT(POLICY_TIER, POLICY, tier), .preset = "full",
	 .help = "For kernels that take no programs at their functions (cachewarden doctor: tier syscalls). full: each "
		 "syscall that matters is examined when it ends, which sends every syscall of the host through a slower path. "
		 "quiet: none is; accesses are seen when they lock a server's memory, or by the state that they leave. "
		 "Refused attempts and looks that lock nothing then go unseen: doctor --tier quiet lists what. Elsewhere "
		 "it changes nothing. A change takes effect when the monitor is started again."},
	{"metrics", POLICY_MAP, .help = "Figures of the monitor for Prometheus."},
	{"metrics.listen", POLICY_TO_TEXT(POLICY_LISTEN, POLICY, metrics), .absent = "not served",
	 .help = "Serve them at this address, GET /metrics, as run --metrics does. Whoever can connect can read them: they "
		 "name servers and count what happened to them. A socket may be used by the group of its directory. A change "
		 "takes effect when the monitor is started again."},
	{"incidents", POLICY_MAP, .help = "How events are grouped into incidents."},
	{"incidents.quiet", POLICY_TO_INT(POLICY_NUMBER, POLICY, quiet_s), .min = 1, .max = 86400,
	 .preset = "60", .help = "Seconds without a new event after which an incident is closed."},
};
_Static_assert(ARRAY_SIZE(keys) <= POLICY_KEYS_MAX, "a table has at most POLICY_KEYS_MAX keys");

const struct policy_table policy_table = {keys, ARRAY_SIZE(keys)};

void policy_init(struct policy *p)
{
	*p = (struct policy){};
	policy_table_init(&policy_table, p);
}

void policy_free(struct policy *p)
{
	policy_table_free(&policy_table, p);
	for (size_t i = 0; i < p->files; i++)
		free(p->file[i]);
	free(p->file);
	p->file = NULL;
	p->files = 0;
}
