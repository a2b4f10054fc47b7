/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_tshark.c - the same captures read by tshark and by us: as many records in each direction, the same
 * hellos. The captures are OpenSSL's own conversations, put into TCP segments and a pcap file. Skipped where
 * there is no tshark.
 */
#include "unit.h"

#include "streams/talk.h"

#include <stdbool.h>
#include <unistd.h>

#define SERVER_PORT 6380
#define CLIENT_PORT 40000
#define ISN 0xffffff00u /* the numbers wrap within the handshake */

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

static void put_segment(FILE *f, int from_server, uint32_t seq, uint32_t ack, uint8_t flags,
			const uint8_t *data, uint32_t len)
{
	static uint32_t tick;
	uint32_t total = 40 + len;
	uint8_t p[40] = {0x45, 0, total >> 8, total, 0, 0, 0x40, 0, 64, 6,
			 0,    0, 127,	      0,     0, 1, 127,	 0, 0,	1};
	uint16_t src = from_server ? SERVER_PORT : CLIENT_PORT,
		 dst = from_server ? CLIENT_PORT : SERVER_PORT, sum = sum16(p, 20);

	p[10] = sum >> 8;
	p[11] = sum;
	p[20] = src >> 8;
	p[21] = src;
	p[22] = dst >> 8;
	p[23] = dst;
	for (int i = 0; i < 4; i++) {
		p[24 + i] = seq >> (24 - 8 * i);
		p[28 + i] = ack >> (24 - 8 * i);
	}
	p[32] = 5 << 4;
	p[33] = flags;
	p[34] = 0xff;
	put32(f, 1700000000);
	put32(f, ++tick);
	put32(f, total);
	put32(f, total);
	fwrite(p, sizeof(p), 1, f);
	fwrite(data, len, 1, f);
}

static void put_tape(FILE *f, const struct tape *t, int from_server, uint32_t *at, uint32_t to,
		     uint32_t other, uint32_t piece)
{
	while (*at < to) {
		uint32_t n = piece < to - *at ? piece : to - *at;

		put_segment(f, from_server, ISN + 1 + *at, ISN + 1 + other, 0x18, t->bytes + *at,
			    n);
		*at += n;
	}
}

/* Client's hello, server's flight, the rest of each: enough for a reader that follows both. */
static void write_pcap(const struct talk *t, uint32_t piece)
{
	FILE *f = fopen(pcap_path, "we");
	uint32_t c = 0, s = 0,
		 hello = 5 + ((uint32_t)t->from_client.bytes[3] << 8 | t->from_client.bytes[4]);

	assert_non_null(f);
	put32(f, 0xa1b2c3d4);
	put32(f, 2 | 4 << 16);
	put32(f, 0);
	put32(f, 0);
	put32(f, 262144);
	put32(f, 101); /* LINKTYPE_RAW */
	put_segment(f, 0, ISN, 0, 0x02, NULL, 0);
	put_segment(f, 1, ISN, ISN + 1, 0x12, NULL, 0);
	put_segment(f, 0, ISN + 1, ISN + 1, 0x10, NULL, 0);
	put_tape(f, &t->from_client, 0, &c, hello, s, piece);
	put_tape(f, &t->from_server, 1, &s, t->from_server.len, c, piece);
	put_tape(f, &t->from_client, 0, &c, t->from_client.len, s, piece);
	fclose(f);
}

/* What tshark prints of one field in packets of one direction: values joined by commas. */
static void tshark(const char *field, int from_server, char *buf, size_t size)
{
	char command[512];
	size_t used = 0;
	FILE *p;
	int c;

	snprintf(command, sizeof(command),
		 "tshark -r %s -d tcp.port==%d,tls -Y 'tcp.srcport==%d && tls' -T fields "
		 "-E occurrence=a -E aggregator=, -e %s 2>/dev/null",
		 pcap_path, SERVER_PORT, from_server ? SERVER_PORT : CLIENT_PORT, field);
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

static uint32_t records_of(const struct tape *t, uint32_t piece)
{
	struct tls_stream s = {};
	uint32_t bad, unread = 0;
	__u64 bad_at;

	tls_begin(&s, ISN + 1, 1);
	for (uint32_t at = 0; at < t->len; at += piece)
		tls_feed(&s, (void *)t->bytes, ISN + 1 + at, at,
			 piece < t->len - at ? piece : t->len - at, &bad, &bad_at, &unread);
	assert_int_equal(s.sync, TLS_SYNCED);
	return s.records;
}

static void read_both(struct talk *t)
{
	static struct tls_reader r;

	tls_facts_begin(&t->facts);
	tls_reader_begin(&r, &t->facts);
	tls_reader_feed(&r, t->from_client.bytes, t->from_client.len);
	tls_reader_begin(&r, &t->facts);
	tls_reader_feed(&r, t->from_server.bytes, t->from_server.len);
}

static void same_number(const char *field, int from_server, unsigned int want)
{
	char said[4096];

	tshark(field, from_server, said, sizeof(said));
	assert_int_equal(strtoul(said, NULL, 0), want);
}

static void compare(struct talk *t, uint32_t piece)
{
	char said[8192];

	write_pcap(t, piece);
	read_both(t);
	/* in tshark, of records, either content type: TLS 1.3's encrypted ones have one of their own */
	for (int server = 0; server < 2; server++) {
		tshark("tls.record.length", server, said, sizeof(said));
		assert_int_equal(count_of(said),
				 records_of(server ? &t->from_server : &t->from_client, piece));
	}
	tshark("tls.handshake.extensions_server_name", 0, said, sizeof(said));
	said[strcspn(said, ",")] = '\0';
	assert_string_equal(said, t->facts.sni);
	same_number("tls.handshake.version", 0, t->facts.client_version);
	if (t->facts.flags & (TLS_SERVER_HELLO | TLS_RETRY)) {
		same_number("tls.handshake.ciphersuite", 1, t->facts.cipher);
		if (t->facts.version == TLS_1_3)
			same_number("tls.handshake.extensions.supported_version", 1,
				    t->facts.version);
		else
			same_number("tls.handshake.version", 1, t->facts.version);
	}
	if (t->facts.alert[1] != TLS_ALERT_NONE)
		same_number("tls.alert_message.desc", 1, t->facts.alert[1]);
	tshark("tls.handshake.ciphersuite", 0, said, sizeof(said));
	if (!(t->facts.flags & TLS_RETRY))
		assert_int_equal(count_of(said), t->facts.suites_offered);
	tshark("tls.handshake.extensions_alpn_str", 0, said, sizeof(said));
	if (!(t->facts.flags & TLS_RETRY))
		assert_string_equal(said, t->facts.alpn_offered);
}

struct row {
	const char *name;
	int min, max, server_min;
	const char *cipher, *client_groups, *server_groups;
	int alpn;
};

static void conversations_are_read_as_tshark_reads_them(void **state)
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
		static struct talk t;

		talk_init(&t);
		SSL_CTX_set_min_proto_version(t.client_ctx, rows[i].min);
		SSL_CTX_set_max_proto_version(t.client_ctx, rows[i].max);
		SSL_CTX_set_min_proto_version(t.server_ctx, rows[i].server_min);
		SSL_CTX_set_cipher_list(t.client_ctx, rows[i].cipher);
		SSL_CTX_set_cipher_list(t.server_ctx, "ALL:COMPLEMENTOFALL");
		if (rows[i].client_groups) {
			SSL_CTX_set1_groups_list(t.client_ctx, rows[i].client_groups);
			SSL_CTX_set1_groups_list(t.server_ctx, rows[i].server_groups);
		}
		if (rows[i].alpn)
			SSL_CTX_set_alpn_protos(t.client_ctx, (const uint8_t *)"\2h2\5redis", 9);
		assert_int_equal(talk_run(&t, NULL), strcmp(rows[i].name, "refused") != 0);
		for (size_t p = 0; p < 3; p++)
			compare(&t, pieces[p]);
		talk_end(&t);
	}
}

/* Not suites but signals (SCSV, GREASE), and numbers of drafts and of countries that IANA gave nobody. */
static bool number_is_nobodys(unsigned int n, const char *name)
{
	return !strncmp(name, "Reserved", 8) || n == 0x00ff || n == 0x5600 ||
	       (n >= 0xcc13 && n <= 0xcc15) || (n >= 0xe000 && n <= 0xe9ff) ||
	       (n >= 0xffe0 && n <= 0xffe1);
}

static void every_suite_that_tshark_knows_has_its_name(void **state)
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
		    number_is_nobodys(n, name) || !strcmp(name, "SSLv2"))
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
		cmocka_unit_test(conversations_are_read_as_tshark_reads_them),
		cmocka_unit_test(every_suite_that_tshark_knows_has_its_name),
	};
	int failed, fd;

	snprintf(pcap_path, sizeof(pcap_path), "/tmp/cachewarden-tshark.XXXXXX");
	fd = mkstemp(pcap_path);
	if (fd >= 0)
		close(fd);
	make_cert();
	failed = cmocka_run_group_tests_name("tls_tshark", tests, NULL, NULL);
	unlink(pcap_path);
	return failed;
}
