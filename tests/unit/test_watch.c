/* SPDX-License-Identifier: BSD-2-Clause */
/* test_watch.c - `cachewarden watch`: what it shows of a monitor's answers, in terminals of every size, and what its keys do. */
#include "unit.h"

#include "base/clock.h"
#include "base/macros.h"
#include "cmd/watch_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS 1764527000000

static const char status_text[] =
	"{\"well\":false,\"wrong\":[\"memory/ac_open not attached\",\"b\",\"c\",\"d\"],\"wrong_not_listed\":2,"
	"\"version\":\"0.1.0\",\"host\":\"cache-17\",\"pid\":4242,\"started\":1000,\"uptime_s\":93784,"
	"\"sensors\":[{\"attached\":3,\"programs\":3},{\"attached\":12,\"programs\":13}],"
	"\"events\":{\"all\":12,\"alert\":3,\"prevented\":0,\"allowed\":4,\"observed\":5},"
	"\"incidents\":{\"all\":2,\"open\":1,\"worst\":\"critical\"},\"lost\":{\"attempts\":0,\"details\":7},"
	"\"blind_spots\":[{\"what\":\"old\",\"count\":1,\"last\":1},{\"what\":\"ring buffer full\",\"count\":7,\"last\":2}],"
	"\"lag\":{\"most_ms\":3},\"sweeps\":{\"last\":1764526998000},"
	"\"output\":[{\"waiting\":1,\"lost\":0},{\"waiting\":2,\"lost\":5}],"
	"\"evidence\":{\"entries\":99,\"last_checkpoint\":1764526997000,\"waiting\":1,\"lost\":0},"
	"\"instances\":[{\"name\":\"redis-server:6379\",\"pid\":1099,\"plaintext_bytes\":12345678,"
	"\"ports\":[{\"port\":6379,\"tls\":true},{\"port\":6380,\"plaintext\":true}],"
	"\"connections\":{\"TLSv1.3\":31,\"TLSv1.2\":12,\"TLSv1.1\":1,\"TLSv1\":1,\"unknown\":5}},"
	"{\"name\":\"valkey-server:7000\",\"pid\":1100,\"connections\":{}}]}";

static const char incidents_text[] =
	"{\"seq\":7,\"gone\":3,\"incidents\":["
	"{\"uid\":\"x-i1\",\"open\":true,\"severity\":\"critical\",\"last\":5000,\"count\":2,\"rules\":[\"mem-read\",\"mem-trace\"],"
	"\"title\":\"A process reads the server's memory\",\"instance\":{\"name\":\"redis-server:6379\"},"
	"\"actor\":{\"pid\":7,\"comm\":\"g\\u001b[31mdb\\n\"}},"
	"{\"uid\":\"x-i2\",\"open\":false,\"severity\":\"medium\",\"last\":6000,\"count\":1,\"rules\":[\"tls-listener\"],"
	"\"title\":\"Plaintext is served\",\"instance\":null,\"actor\":null}]}";

static json_t *parsed(const char *text)
{
	json_t *v = json_loads(text, 0, NULL);

	assert_non_null(v);
	return v;
}

static void learn(struct watch *w, const char *status, const char *incidents, uint64_t now_ns)
{
	json_t *reply = parsed(incidents);

	watch_status(w, parsed(status), now_ns);
	watch_incidents(w, reply);
	json_decref(reply);
}

static void begin(struct watch *w)
{
	assert_true(watch_init(w, &(struct filter)FILTER_ANY));
	learn(w, status_text, incidents_text, NS_PER_SEC);
}

/* The rows, each with a newline. To be freed. */
static char *shown_in(struct watch *w, int rows, int columns)
{
	size_t size = (size_t)rows * ((size_t)columns + 1) + 1, len = 0;
	char *text = malloc(size);
	struct picture p;

	assert_true(picture_init(&p, rows, columns));
	watch_layout(w, NOW_MS, false, &p);
	for (int row = 0; row < rows; row++) {
		const char *from;
		int n = picture_text(&p, row, &from);

		len += (size_t)snprintf(text + len, size - len, "%.*s\n", n, from);
	}
	for (int i = 0; i < rows * columns; i++)
		assert_true(p.cell[i] >= 0x20 && p.cell[i] < 0x7f && p.look[i] < LOOK_MAX);
	picture_free(&p);
	return text;
}

static void must_show(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strstr(text, words[i]))
			fail_msg("it does not show: %s\nbut:\n%s", words[i], text);
	}
}

/* How many rows have that word. */
static size_t rows_with(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

static void all_of_it_is_on_80x24(void **state)
{
	static const char *const words[] = {
		"cachewarden 0.1.0 on cache-17: not well; pid 4242, up 1 d 02:03:04 ",
		"\n! memory/ac_open not attached\n! b\n! c\n! and 3 more: cachewarden status\n",
		"\nevents 12: 3 alert, 0 prevented, 4 allowed, 5 observed\n",
		"\nlost details 7\nnot seen: 2 kinds, the last: ring buffer full (7)\n",
		"\nsensors: 15 of 16 programs; late by at most 3 ms; swept 2 s ago\n",
		"\nevidence: 99 entries, signed 3 s ago, 1 waiting; 2 outputs, 3 waiting, 5 lost\n",
		"\n  SERVERS",
		"\n  redis-server:6379  ",
		" 1099      31      12     2     5    12M\n",
		"\n  valkey-server:7000 ",
		"\n> INCIDENTS 2, 1 open, worst critical; 3 no longer kept\n",
		" medium   closed this host: tls-listener x1: Plaintext is served\n",
		" critical open   redis-server:6379 by g\\x1b[31mdb\\x0a(7): mem-read, m~\n",
		"\nq quit  arrows scroll  Tab other list  ? help\n",
	};
	struct watch w;
	char *text;

	begin(&w);
	text = shown_in(&w, 24, 80);
	must_show(text, words, ARRAY_SIZE(words));
	assert_true(strstr(text, "tls-listener") < strstr(text, "mem-read")); /* reported last */
	free(text);
	watch_free(&w);
}

static void a_wide_terminal_shows_what_80_columns_cut(void **state)
{
	static const char *const words[] = {
		"6379 TLS 6380 plain\n",
		": mem-read, mem-trace x2: A process reads the server's memory\n"};
	struct watch w;
	char *text;

	begin(&w);
	text = shown_in(&w, 50, 160);
	must_show(text, words, ARRAY_SIZE(words));
	free(text);
	watch_free(&w);
}

/* What is drawn stays within the picture: every size, down to nothing to see. */
static void every_size_is_borne(void **state)
{
	for (int rows = 1; rows < 40; rows++) {
		for (int columns = 1; columns < 130; columns += 3) {
			struct watch w;
			char *text;

			begin(&w);
			watch_silent(&w, "gone", NOW_MS);
			text = shown_in(&w, rows, columns);
			if (rows < WATCH_ROWS_MIN || columns < WATCH_COLUMNS_MIN)
				assert_int_equal(
					strncmp(text, "needs 40x17",
						(size_t)columns < 11 ? (size_t)columns - 1 : 11),
					0);
			else
				must_show(text,
					  (const char *const[]){"SERVERS", "INCIDENTS", "q quit"},
					  3);
			free(text);
			watch_free(&w);
		}
	}
}

static void nothing_to_show_is_said(void **state)
{
	struct watch w;
	char *text;

	assert_true(watch_init(&w, &(struct filter)FILTER_ANY));
	watch_silent(&w, "no monitor is running", NOW_MS);
	text = shown_in(&w, 24, 80);
	must_show(text,
		  (const char *const[]){"! no answer since ",
					": no monitor is running; asking again",
					"no server is running"},
		  3);
	free(text);
	learn(&w, "{\"well\":true,\"instances\":[]}", "{\"seq\":0,\"incidents\":[]}", 1);
	text = shown_in(&w, 24, 80);
	must_show(text,
		  (const char *const[]){": well; ", "lost nothing\n", "no server is running",
					"none\n"},
		  4);
	assert_null(strstr(text, "no answer"));
	free(text);
	watch_free(&w);
}

/* An answer with that many servers, to be freed. */
static char *status_of(int servers)
{
	size_t size = 100 + (size_t)servers * 64;
	char *text = malloc(size);
	size_t len = (size_t)snprintf(text, size, "{\"well\":true,\"instances\":[");

	for (int i = 0; i < servers; i++)
		len += (size_t)snprintf(text + len, size - len, "%s{\"name\":\"redis-server:%d\"}",
					i ? "," : "", 7000 + i);
	snprintf(text + len, size - len, "]}");
	return text;
}

static void fifty_servers_share_the_rows_with_incidents(void **state)
{
	char *status = status_of(50), *text;
	struct watch w;
	size_t servers;

	assert_true(watch_init(&w, &(struct filter)FILTER_ANY));
	learn(&w, status, incidents_text, 1);
	text = shown_in(&w, 24, 80);
	servers = rows_with(text, "redis-server:7");
	assert_true(servers > 3 && servers < 50);
	must_show(text,
		  (const char *const[]){"redis-server:7000", "mem-read", "tls-listener", "1-"}, 4);
	free(text);
	watch_key(&w, KEY_OF_PANE);
	watch_key(&w, KEY_OF_END);
	text = shown_in(&w, 24, 80);
	must_show(text, (const char *const[]){"redis-server:7049", "-50 of 50"}, 2);
	assert_null(strstr(text, "redis-server:7000"));
	assert_int_equal(rows_with(text, "redis-server:7"), servers);
	free(text);
	watch_key(&w, KEY_OF_UP);
	text = shown_in(&w, 24, 80);
	assert_null(strstr(text, "redis-server:7049"));
	free(text);
	watch_key(&w, KEY_OF_TOP);
	watch_key(&w, KEY_OF_UP); /* there is nothing above */
	text = shown_in(&w, 24, 80);
	assert_non_null(strstr(text, "redis-server:7000"));
	free(text);
	/* all of them, where there is nobody to scroll */
	assert_true(watch_layout_rows(&w) >= 52);
	free(status);
	watch_free(&w);
}

static void an_incident_that_is_reported_again_moves_to_the_top(void **state)
{
	static const char again[] =
		"{\"seq\":8,\"incidents\":[{\"uid\":\"x-i1\",\"open\":false,\"rules\":[\"mem-read\"],\"count\":9}]}";
	json_t *reply = parsed(again);
	struct watch w;

	begin(&w);
	assert_int_equal(w.seq, 7);
	watch_incidents(&w, reply);
	assert_int_equal(w.seq, 8);
	assert_int_equal(json_array_size(w.incidents), 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(w.incidents, 0), "count")), 9);
	json_decref(reply);
	watch_free(&w);
}

/* What ended with a monitor is not open, and the next one is asked from its first incident on. */
static void another_monitor_begins_anew(void **state)
{
	struct watch w;
	char *text;

	begin(&w);
	watch_status(&w, parsed("{\"well\":true,\"pid\":5,\"started\":2,\"events\":{\"all\":100}}"),
		     2 * NS_PER_SEC);
	assert_int_equal(w.seq, 0);
	assert_true(watch_event_rate(&w) < 0);
	text = shown_in(&w, 24, 80);
	assert_non_null(strstr(text, "critical closed"));
	assert_null(strstr(text, "critical open"));
	free(text);
	watch_free(&w);
}

static void rates_are_over_the_last_ten_seconds(void **state)
{
	struct watch w;
	char *text;

	assert_true(watch_init(&w, &(struct filter)FILTER_ANY));
	for (int s = 0; s <= 20; s++) {
		char status[128];

		/* ten a second in the second half; three lost in the last second */
		snprintf(status, sizeof(status),
			 "{\"well\":true,\"events\":{\"all\":%d},\"lost\":{\"attempts\":%d}}",
			 s > 10 ? (s - 10) * 10 : 0, s == 20 ? 8 : 5);
		watch_status(&w, parsed(status), (uint64_t)(s + 1) * NS_PER_SEC);
	}
	assert_true(watch_event_rate(&w) > 9.99 && watch_event_rate(&w) < 10.01);
	assert_int_equal(watch_lost_lately(&w), 3);
	text = shown_in(&w, 24, 80);
	must_show(
		text,
		(const char *const[]){"events 100, 10.0/s:", "lost attempts 8; 3 in the last 10 s"},
		2);
	free(text);
	watch_free(&w);
}

static void filters_choose_servers_and_incidents(void **state)
{
	struct filter f = FILTER_ANY;
	struct watch w;
	char *text;

	f.instance = "redis-server:6379";
	assert_true(watch_init(&w, &f));
	learn(&w, status_text, incidents_text, 1);
	text = shown_in(&w, 24, 100);
	assert_non_null(strstr(text, "mem-read"));
	assert_null(strstr(text, "tls-listener"));
	assert_null(strstr(text, "valkey"));
	free(text);
	watch_free(&w);
}

static void keys_quit_and_help(void **state)
{
	struct watch w;
	char *text;

	begin(&w);
	watch_key(&w, KEY_OF_HELP);
	text = shown_in(&w, 24, 80);
	assert_non_null(strstr(text, "this help; any key leaves it"));
	assert_null(strstr(text, "INCIDENTS 2"));
	assert_null(strstr(text, "~\n")); /* all of it has room */
	free(text);
	watch_key(&w, KEY_OF_NONE); /* no key was pressed */
	assert_true(w.help);
	watch_key(&w, KEY_OF_QUIT);
	assert_true(!w.help && !w.quit);
	watch_key(&w, KEY_OF_HELP);
	watch_key(&w, KEY_OF_OTHER);
	assert_false(w.help);
	watch_key(&w, KEY_OF_QUIT);
	assert_true(w.quit);
	watch_free(&w);
}

/* An answer of a later version may lack what is shown: nothing crashes. */
static void what_is_missing_or_of_another_type_is_borne(void **state)
{
	static const char *const odd[] = {
		"{}",
		"{\"well\":1,\"wrong\":{},\"sensors\":\"x\",\"events\":[],\"lost\":{\"a\":\"b\"},\"evidence\":7,"
		"\"instances\":[null,{\"ports\":{},\"connections\":[]},3],\"blind_spots\":[1],\"output\":{}}"};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct watch w;

		assert_true(watch_init(&w, &(struct filter)FILTER_ANY));
		learn(&w, odd[i],
		      "{\"incidents\":[{},{\"actor\":{},\"instance\":{},\"rules\":[1]},3]}", 1);
		free(shown_in(&w, 24, 80));
		watch_free(&w);
	}
}

static void text_that_finds_no_room_is_cut_and_marked(void **state)
{
	struct picture p;
	const char *text;

	assert_true(picture_init(&p, 2, 10));
	assert_int_equal(picture_put(&p, 0, 2, 4, LOOK_BAD, "abcdefgh"), 6);
	assert_int_equal(picture_text(&p, 0, &text), 6);
	assert_memory_equal(text, "  abc~", 6);
	assert_int_equal(p.look[1], LOOK_PLAIN);
	assert_int_equal(p.look[5], LOOK_BAD);
	/* outside of it: dropped */
	assert_int_equal(picture_put(&p, 2, 0, 4, LOOK_BAD, "x"), 0);
	assert_int_equal(picture_put(&p, 0, 10, 4, LOOK_BAD, "x"), 10);
	/* what would begin behind the edge is marked as well */
	assert_int_equal(picture_put(&p, 0, 8, 4, LOOK_PLAIN, "yz"), 10);
	assert_int_equal(picture_put(&p, 0, 10, 4, LOOK_PLAIN, "x"), 10);
	assert_int_equal(picture_text(&p, 0, &text), 10);
	assert_memory_equal(text, "  abc~  y~", 10);
	assert_int_equal(picture_put(&p, 1, 0, 10, LOOK_PLAIN, "\x1b]0;\\\xc3"), 10);
	assert_int_equal(picture_text(&p, 1, &text), 10);
	assert_memory_equal(text, "\\x1b]0;\\x~", 10);
	picture_free(&p);
	assert_false(picture_init(&p, 0, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_is_on_80x24),
		cmocka_unit_test(a_wide_terminal_shows_what_80_columns_cut),
		cmocka_unit_test(every_size_is_borne),
		cmocka_unit_test(nothing_to_show_is_said),
		cmocka_unit_test(fifty_servers_share_the_rows_with_incidents),
		cmocka_unit_test(an_incident_that_is_reported_again_moves_to_the_top),
		cmocka_unit_test(another_monitor_begins_anew),
		cmocka_unit_test(rates_are_over_the_last_ten_seconds),
		cmocka_unit_test(filters_choose_servers_and_incidents),
		cmocka_unit_test(keys_quit_and_help),
		cmocka_unit_test(what_is_missing_or_of_another_type_is_borne),
		cmocka_unit_test(text_that_finds_no_room_is_cut_and_marked),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
