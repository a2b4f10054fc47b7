/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_tshark.c - compares our reading of OpenSSL handshakes, and our table of cipher suites, with
 * tshark's: as many records in each direction, the same hellos, the same names. All handshakes are
 * written to one pcap file as TCP segments, and read by one tshark. Skipped where it is not installed.
 */
#include <netinet/in.h>
#include <unistd.h>

#include "streams/handshake.h"

#include "base/macros.h"
#include "model/tls_suite.h"

#define SERVER_PORT 6380
#define CLIENT_PORT 40000 /* of the first connection */
#define ISN 0xffffff00u	  /* wraps within the handshake */
#define TCP_SYN 0x02
#define TCP_PUSH 0x08
#define TCP_ACK 0x10
#define LINKTYPE_RAW 101

/* What tshark is asked for. */
enum field { RECORDS, SNI, VERSION, SUITES, SELECTED_VERSION, ALERTS, ALPN, FIELDS };

static const char *const field_names[FIELDS] = {
	[RECORDS] =
		"tls.record.length", /* tshark has a type of its own for encrypted TLS 1.3 records */
	[SNI] = "tls.handshake.extensions_server_name",
	[VERSION] = "tls.handshake.version",
	[SUITES] = "tls.handshake.ciphersuite",
	[SELECTED_VERSION] = "tls.handshake.extensions.supported_version",
	[ALERTS] = "tls.alert_message.desc",
	[ALPN] = "tls.handshake.extensions_alpn_str",
};

/* One handshake in the pcap file, read by us and by tshark. */
struct connection {
	struct tls_facts ours;
	uint32_t records[SIDES];
	char tshark[SIDES][FIELDS][4096]; /* values joined by commas */
};

struct pcap {
	FILE *f;
	uint16_t client_port;
};

static char pcap_path[64];

static void put32(FILE *f, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, f);
}

static uint16_t sum16(const uint8_t *p, size_t n)
{
	uint32_t s = 0;

	for (size_t i = 0; i < n; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void put_big_endian(uint8_t *to, uint32_t v, int bytes)
{
	while (bytes--) {
		to[bytes] = v;
		v >>= 8;
	}
}

/* A pcap packet: IPv4 and TCP headers without options, then data. */
static void put_segment(struct pcap *to, enum side from, uint32_t seq, uint32_t ack, uint8_t flags,
			const uint8_t *data, uint32_t len)
{
	static uint32_t microseconds;
	uint32_t total = 40 + len;
	uint8_t p[40] = {
		[0] = 0x45, [6] = 0x40, [8] = 64,      [9] = IPPROTO_TCP, [12] = 127, [15] = 1,
		[16] = 127, [19] = 1,	[32] = 5 << 4, [33] = flags,	  [34] = 0xff};

	put_big_endian(p + 2, total, 2);
	put_big_endian(p + 10, sum16(p, 20), 2);
	put_big_endian(p + 20, from == SERVER ? SERVER_PORT : to->client_port, 2);
	put_big_endian(p + 22, from == SERVER ? to->client_port : SERVER_PORT, 2);
	put_big_endian(p + 24, seq, 4);
	put_big_endian(p + 28, ack, 4);
	put32(to->f, 1700000000);
	put32(to->f, ++microseconds);
	put32(to->f, total);
	put32(to->f, total);
	fwrite(p, sizeof(p), 1, to->f);
	fwrite(data, len, 1, to->f);
}

/* Bytes [done[from], end) of a direction in segments of that size; done[] counts what was put. */
static void put_bytes(struct pcap *to, const struct stream *sent, enum side from, uint32_t *done,
		      uint32_t end, uint32_t piece)
{
	while (done[from] < end) {
		uint32_t n = piece < end - done[from] ? piece : end - done[from];

		put_segment(to, from, ISN + 1 + done[from], ISN + 1 + done[!from],
			    TCP_PUSH | TCP_ACK, sent[from].data + done[from], n);
		done[from] += n;
	}
}

/* The ClientHello, the server's bytes, then the client's others: an order both ends could send in. */
static void put_connection(struct pcap *to, const struct stream *sent, uint32_t piece)
{
	uint32_t done[SIDES] = {};

	put_segment(to, CLIENT, ISN, 0, TCP_SYN, NULL, 0);
	put_segment(to, SERVER, ISN, ISN + 1, TCP_SYN | TCP_ACK, NULL, 0);
	put_segment(to, CLIENT, ISN + 1, ISN + 1, TCP_ACK, NULL, 0);
	put_bytes(to, sent, CLIENT, done, TLS_HEADER_LEN + record_length(&sent[CLIENT], 0), piece);
	put_bytes(to, sent, SERVER, done, sent[SERVER].len, piece);
	put_bytes(to, sent, CLIENT, done, sent[CLIENT].len, piece);
}

static FILE *pcap_create(void)
{
	FILE *f = fopen(pcap_path, "we");

	assert_non_null(f);
	put32(f, 0xa1b2c3d4);
	put32(f, 2 | 4 << 16); /* version 2.4 */
	put32(f, 0);
	put32(f, 0);
	put32(f, 262144);
	put32(f, LINKTYPE_RAW);
	return f;
}

static void add_values(char *list, size_t size, const char *more)
{
	size_t used = strlen(list);

	if (*more)
		snprintf(list + used, size - used, "%s%s", used ? "," : "", more);
}

/* Read the pcap file with tshark, which prints a line for each packet with TLS in it. */
static void tshark(struct connection *conns)
{
	char command[1024], *line = NULL;
	size_t size = 0, at;
	FILE *p;

	at = snprintf(command, sizeof(command),
		      "tshark -r %s -d tcp.port==%d,tls -Y tls -T fields -E occurrence=a "
		      "-E aggregator=, -e tcp.srcport -e tcp.dstport",
		      pcap_path, SERVER_PORT);
	for (int i = 0; i < FIELDS; i++)
		at += snprintf(command + at, sizeof(command) - at, " -e %s", field_names[i]);
	snprintf(command + at, sizeof(command) - at, " 2>/dev/null");
	p = popen(command, "re");
	assert_non_null(p);
	while (getline(&line, &size, p) > 0) {
		char *rest = line;
		int from = atoi(strsep(&rest, "\t\n")), to = atoi(strsep(&rest, "\t\n"));
		enum side side = from == SERVER_PORT ? SERVER : CLIENT;
		struct connection *c = &conns[(side == SERVER ? to : from) - CLIENT_PORT];

		for (int i = 0; i < FIELDS; i++)
			add_values(c->tshark[side][i], sizeof(c->tshark[side][i]),
				   strsep(&rest, "\t\n"));
	}
	free(line);
	assert_int_equal(pclose(p), 0);
}

static uint32_t count_of(const char *list)
{
	uint32_t n = list[0] != '\0';

	for (; *list; list++)
		n += *list == ',';
	return n;
}

static uint32_t record_count(const struct stream *st, uint32_t piece)
{
	struct tls_stream s = {};
	uint32_t bad, unread = 0;
	__u64 bad_at;

	tls_begin(&s, ISN + 1, 1);
	for (uint32_t at = 0; at < st->len; at += piece)
		tls_feed(&s, st->data, ISN + 1 + at, at,
			 piece < st->len - at ? piece : st->len - at, &bad, &bad_at, &unread);
	assert_int_equal(s.sync, TLS_SYNCED);
	return s.records;
}

static void compare_number(const char *values, unsigned int want)
{
	assert_int_equal(strtoul(values, NULL, 0), want); /* the first one */
}

static void compare(struct connection *c)
{
	char(*client)[sizeof(c->tshark[0][0])] = c->tshark[CLIENT];
	char(*server)[sizeof(c->tshark[0][0])] = c->tshark[SERVER];
	const struct tls_facts *ours = &c->ours;

	for (enum side side = CLIENT; side < SIDES; side++)
		assert_int_equal(count_of(c->tshark[side][RECORDS]), c->records[side]);
	client[SNI][strcspn(client[SNI], ",")] = '\0';
	assert_string_equal(client[SNI], ours->sni);
	compare_number(client[VERSION], ours->client_version);
	if (ours->flags & (TLS_SERVER_HELLO | TLS_RETRY)) {
		compare_number(server[SUITES], ours->cipher);
		compare_number(server[ours->version == TLS_1_3 ? SELECTED_VERSION : VERSION],
			       ours->version);
	}
	if (ours->alert[SERVER] != TLS_ALERT_NONE)
		compare_number(server[ALERTS], ours->alert[SERVER]);
	if (ours->flags & TLS_RETRY) /* two ClientHellos */
		return;
	assert_int_equal(count_of(client[SUITES]), ours->suites_offered);
	assert_string_equal(client[ALPN], ours->alpn_offered);
}

struct row {
	const char *name;
	int min, max, server_min;
	const char *cipher, *client_groups, *server_groups;
	int alpn;
};

static void handshakes_are_read_as_tshark_reads_them(void **state)
{
	static const struct row rows[] = {
		{"1.0", TLS1_VERSION, TLS1_VERSION, TLS1_VERSION, "ALL", NULL, NULL, 0},
		{"1.1", TLS1_1_VERSION, TLS1_1_VERSION, TLS1_VERSION, "AES128-SHA", NULL, NULL, 1},
		{"1.2", TLS1_2_VERSION, TLS1_2_VERSION, TLS1_VERSION, "ECDHE", NULL, NULL, 1},
		{"1.2 CBC", TLS1_2_VERSION, TLS1_2_VERSION, TLS1_VERSION, "AES256-SHA256", NULL,
		 NULL, 0},
		{"1.2 anonymous", TLS1_2_VERSION, TLS1_2_VERSION, TLS1_VERSION, "ADH", NULL, NULL,
		 0},
		{"1.2 NULL", TLS1_2_VERSION, TLS1_2_VERSION, TLS1_VERSION, "NULL-SHA256", NULL,
		 NULL, 0},
		{"1.3", TLS1_3_VERSION, TLS1_3_VERSION, TLS1_VERSION, "ALL", NULL, NULL, 1},
		{"1.3 retry", TLS1_3_VERSION, TLS1_3_VERSION, TLS1_VERSION, "ALL", "X25519:P-384",
		 "P-384", 0},
		{"refused", TLS1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION, "ALL", NULL, NULL, 0},
	};
	static const uint32_t pieces[] = {1448, 536, 37};
	static struct connection conns[ARRAY_SIZE(rows) * ARRAY_SIZE(pieces)];
	struct connection *c = conns;
	struct pcap to = {.client_port = CLIENT_PORT};

	if (system("command -v tshark >/dev/null 2>&1"))
		skip();
	to.f = pcap_create();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		struct handshake h;

		session_init(&h.s);
		SSL_CTX_set_min_proto_version(h.s.ctx[CLIENT], r->min);
		SSL_CTX_set_max_proto_version(h.s.ctx[CLIENT], r->max);
		SSL_CTX_set_min_proto_version(h.s.ctx[SERVER], r->server_min);
		SSL_CTX_set_cipher_list(h.s.ctx[CLIENT], r->cipher);
		SSL_CTX_set_cipher_list(h.s.ctx[SERVER], "ALL:COMPLEMENTOFALL");
		if (r->client_groups) {
			SSL_CTX_set1_groups_list(h.s.ctx[CLIENT], r->client_groups);
			SSL_CTX_set1_groups_list(h.s.ctx[SERVER], r->server_groups);
		}
		if (r->alpn)
			SSL_CTX_set_alpn_protos(h.s.ctx[CLIENT], (const uint8_t *)"\2h2\5redis", 9);
		assert_int_equal(handshake_run(&h, NULL), strcmp(r->name, "refused") != 0);
		handshake_read_both(&h, IN_ONE_PIECE);
		for (size_t p = 0; p < ARRAY_SIZE(pieces); p++, c++, to.client_port++) {
			put_connection(&to, h.s.sent, pieces[p]);
			c->ours = h.facts;
			for (enum side side = CLIENT; side < SIDES; side++)
				c->records[side] = record_count(&h.s.sent[side], pieces[p]);
		}
		session_free(&h.s);
	}
	assert_int_equal(fclose(to.f), 0);
	tshark(conns);
	for (size_t i = 0; i < ARRAY_SIZE(conns); i++)
		compare(&conns[i]);
}

/* Signalling values (SCSV, GREASE), and numbers of drafts and national suites IANA never assigned. */
static bool number_is_unassigned(unsigned int n, const char *name)
{
	return !strncmp(name, "Reserved", 8) || n == 0x00ff || n == 0x5600 ||
	       (n >= 0xcc13 && n <= 0xcc15) || (n >= 0xe000 && n <= 0xe9ff) ||
	       (n >= 0xffe0 && n <= 0xffe1);
}

static void every_suite_tshark_knows_has_the_same_name(void **state)
{
	char line[300], name[100];
	unsigned int n;
	int compared = 0;
	FILE *f;

	if (system("command -v tshark >/dev/null 2>&1"))
		skip();
	f = popen("tshark -G values 2>/dev/null", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const struct tls_suite *s;

		if (sscanf(line, "V\ttls.handshake.ciphersuite\t%u\t%99[^\n]", &n, name) != 2 ||
		    number_is_unassigned(n, name) || !strcmp(name, "SSLv2"))
			continue;
		s = tls_suite_find((uint16_t)n);
		if (!s || strcmp(s->name, name))
			fail_msg("0x%04x is %s, not %s", n, name, s ? s->name : "in the table");
		compared++;
	}
	pclose(f);
	assert_true(compared > 350);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshakes_are_read_as_tshark_reads_them),
		cmocka_unit_test(every_suite_tshark_knows_has_the_same_name),
	};
	int failed, fd;

	snprintf(pcap_path, sizeof(pcap_path), "/tmp/cachewarden-tshark.XXXXXX");
	fd = mkstemp(pcap_path);
	if (fd >= 0)
		close(fd);
	failed = cmocka_run_group_tests_name("tls_tshark", tests, NULL, NULL);
	unlink(pcap_path);
	return failed;
}
