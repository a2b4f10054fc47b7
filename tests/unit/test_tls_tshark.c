/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_tshark.c - compares our reading of OpenSSL handshakes, and our table of cipher suites, with
 * tshark's: as many records in each direction, the same hellos, the same names. The handshakes are
 * written to a pcap file as TCP segments. Skipped where tshark is not installed.
 */
#include <netinet/in.h>
#include <unistd.h>

#include "streams/handshake.h"

#include "model/tls_suite.h"

#define SERVER_PORT 6380
#define CLIENT_PORT 40000
#define ISN 0xffffff00u /* wraps within the handshake */
#define TCP_SYN 0x02
#define TCP_PUSH 0x08
#define TCP_ACK 0x10
#define LINKTYPE_RAW 101

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
static void put_segment(FILE *f, enum side from, uint32_t seq, uint32_t ack, uint8_t flags,
			const uint8_t *data, uint32_t len)
{
	static uint32_t microseconds;
	uint32_t total = 40 + len;
	uint8_t p[40] = {
		[0] = 0x45, [6] = 0x40, [8] = 64,      [9] = IPPROTO_TCP, [12] = 127, [15] = 1,
		[16] = 127, [19] = 1,	[32] = 5 << 4, [33] = flags,	  [34] = 0xff};

	put_big_endian(p + 2, total, 2);
	put_big_endian(p + 10, sum16(p, 20), 2);
	put_big_endian(p + 20, from == SERVER ? SERVER_PORT : CLIENT_PORT, 2);
	put_big_endian(p + 22, from == SERVER ? CLIENT_PORT : SERVER_PORT, 2);
	put_big_endian(p + 24, seq, 4);
	put_big_endian(p + 28, ack, 4);
	put32(f, 1700000000);
	put32(f, ++microseconds);
	put32(f, total);
	put32(f, total);
	fwrite(p, sizeof(p), 1, f);
	fwrite(data, len, 1, f);
}

/* Bytes [done[from], to) of a direction in segments of that size; done[] counts what was put. */
static void put_bytes(FILE *f, const struct stream *sent, enum side from, uint32_t *done,
		      uint32_t to, uint32_t piece)
{
	while (done[from] < to) {
		uint32_t n = piece < to - done[from] ? piece : to - done[from];

		put_segment(f, from, ISN + 1 + done[from], ISN + 1 + done[!from],
			    TCP_PUSH | TCP_ACK, sent[from].data + done[from], n);
		done[from] += n;
	}
}

/* The ClientHello, the server's bytes, then the client's others: an order both ends could send in. */
static void write_pcap(const struct stream *sent, uint32_t piece)
{
	FILE *f = fopen(pcap_path, "we");
	uint32_t done[SIDES] = {};

	assert_non_null(f);
	put32(f, 0xa1b2c3d4);
	put32(f, 2 | 4 << 16); /* version 2.4 */
	put32(f, 0);
	put32(f, 0);
	put32(f, 262144);
	put32(f, LINKTYPE_RAW);
	put_segment(f, CLIENT, ISN, 0, TCP_SYN, NULL, 0);
	put_segment(f, SERVER, ISN, ISN + 1, TCP_SYN | TCP_ACK, NULL, 0);
	put_segment(f, CLIENT, ISN + 1, ISN + 1, TCP_ACK, NULL, 0);
	put_bytes(f, sent, CLIENT, done, TLS_HEADER_LEN + record_length(&sent[CLIENT], 0), piece);
	put_bytes(f, sent, SERVER, done, sent[SERVER].len, piece);
	put_bytes(f, sent, CLIENT, done, sent[CLIENT].len, piece);
	fclose(f);
}

/* One field of every TLS packet of one direction, values joined by commas. */
static void tshark(const char *field, enum side from, char *buf, size_t size)
{
	char command[512];
	size_t used = 0;
	FILE *p;
	int c;

	snprintf(command, sizeof(command),
		 "tshark -r %s -d tcp.port==%d,tls -Y 'tcp.srcport==%d && tls' -T fields "
		 "-E occurrence=a -E aggregator=, -e %s 2>/dev/null",
		 pcap_path, SERVER_PORT, from == SERVER ? SERVER_PORT : CLIENT_PORT, field);
	p = popen(command, "re");
	assert_non_null(p);
	while ((c = fgetc(p)) != EOF && used + 1 < size) {
		if (c == '\n' && (!used || buf[used - 1] == ','))
			continue;
		buf[used++] = c == '\n' ? ',' : (char)c;
	}
	pclose(p);
	if (used && buf[used - 1] == ',')
		used--;
	buf[used] = '\0';
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

static void compare_number(const char *field, enum side from, unsigned int want)
{
	char values[4096];

	tshark(field, from, values, sizeof(values));
	assert_int_equal(strtoul(values, NULL, 0), want); /* the first one */
}

static void compare(struct handshake *h, uint32_t piece)
{
	char values[8192];

	write_pcap(h->s.sent, piece);
	handshake_read_both(h, IN_ONE_PIECE);
	/* not the content type: tshark has a field of its own for encrypted TLS 1.3 records */
	for (enum side side = CLIENT; side < SIDES; side++) {
		tshark("tls.record.length", side, values, sizeof(values));
		assert_int_equal(count_of(values), record_count(&h->s.sent[side], piece));
	}
	tshark("tls.handshake.extensions_server_name", CLIENT, values, sizeof(values));
	values[strcspn(values, ",")] = '\0';
	assert_string_equal(values, h->facts.sni);
	compare_number("tls.handshake.version", CLIENT, h->facts.client_version);
	if (h->facts.flags & (TLS_SERVER_HELLO | TLS_RETRY)) {
		compare_number("tls.handshake.ciphersuite", SERVER, h->facts.cipher);
		compare_number(h->facts.version == TLS_1_3
				       ? "tls.handshake.extensions.supported_version"
				       : "tls.handshake.version",
			       SERVER, h->facts.version);
	}
	if (h->facts.alert[SERVER] != TLS_ALERT_NONE)
		compare_number("tls.alert_message.desc", SERVER, h->facts.alert[SERVER]);
	if (h->facts.flags & TLS_RETRY) /* two ClientHellos */
		return;
	tshark("tls.handshake.ciphersuite", CLIENT, values, sizeof(values));
	assert_int_equal(count_of(values), h->facts.suites_offered);
	tshark("tls.handshake.extensions_alpn_str", CLIENT, values, sizeof(values));
	assert_string_equal(values, h->facts.alpn_offered);
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

	if (system("command -v tshark >/dev/null 2>&1"))
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
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
		for (size_t p = 0; p < 3; p++)
			compare(&h, pieces[p]);
		session_free(&h.s);
	}
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
