/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sinks.c - a table of several sinks: each gets every message in the format that was asked for, and one that refuses
 * or fails takes nothing from the others.
 */
#include "unit.h"

#include "base/macros.h"
#include "report/sinks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- a format that writes the little the tests look at --- */

static bool out_of_memory;

static const char *plain_event(const struct finding *f, struct report_buf *b, size_t *ret_len)
{
	*ret_len = (size_t)snprintf(b->text, sizeof(b->text), "%sevent %llu\n",
				    b->colour ? "colour " : "", (unsigned long long)f->more);
	return out_of_memory ? NULL : b->text;
}

static const char *plain_incident(const struct incident_view *v, struct report_buf *b,
				  size_t *ret_len)
{
	*ret_len = (size_t)snprintf(b->text, sizeof(b->text), "incident %s\n", v->uid_prefix);
	return b->text;
}

static const struct format_ops plain = {"plain", "", 'p', plain_event, plain_incident};

/* --- sinks that keep what they get --- */

struct kept {
	char text[256];
	int error; /* of the next write */
	uint64_t dropped;
	unsigned int opened, closed, flushed, taken_over;
};

static struct kept kept[2];
static int open_error;

static int open_first(struct sink *s)
{
	s->data = &kept[0];
	s->colour = true;
	kept[0].opened++;
	return 0;
}

static int open_second(struct sink *s)
{
	s->data = &kept[1];
	kept[1].opened++;
	return open_error;
}

static void keep_close(struct sink *s)
{
	struct kept *k = s->data;

	k->closed++;
}

static void keep_write(struct sink *s, const struct sink_message *message)
{
	struct kept *k = s->data;

	if (k->error) {
		k->dropped++;
		return;
	}
	strncat(k->text, message->text, message->len);
}

static bool keep_flush(struct sink *s, int timeout_ms)
{
	struct kept *k = s->data;

	k->flushed++;
	return true;
}

static void keep_status(const struct sink *s, struct sink_status *ret)
{
	const struct kept *k = s->data;

	*ret = (struct sink_status){.dropped = k->dropped, .error = k->error};
}

static void keep_take_over(struct sink *s, const struct sink_status *left)
{
	struct kept *k = s->data;

	k->taken_over++;
}

#define KEEPING(open_)                                                                             \
	{                                                                                          \
		.open = (open_), .close = keep_close, .write = keep_write, .flush = keep_flush,    \
		.status = keep_status, .take_over = keep_take_over                                 \
	}

static const struct sink_ops first = KEEPING(open_first), second = KEEPING(open_second);
static struct sink_row table[] = {{"first", &first, &plain}, {"second", &second, &plain}};

static struct sinks sinks;
static struct sink_status status[SINKS_MAX];

static int setup(void **state)
{
	memset(kept, 0, sizeof(kept));
	open_error = 0;
	table[1].minimum = SEVERITY_INFO;
	out_of_memory = false;
	return 0;
}

static int open_table(void)
{
	const char *failed = NULL;

	return sinks_open_table(&sinks, table, ARRAY_SIZE(table), &failed);
}

static void report_event(uint64_t more)
{
	static struct finding f;

	f = (struct finding){.more = more, .severity = SEVERITY_HIGH};
	sinks_event(&sinks, &f);
}

static void report_incident(const char *name)
{
	struct incident in = {.severity = SEVERITY_CRITICAL};

	sinks_incident(&sinks, &(struct incident_view){.incident = &in, .uid_prefix = name});
}

/* --- tests --- */

static void every_sink_gets_every_message(void **state)
{
	assert_int_equal(open_table(), 0);
	report_event(1);
	report_incident("x");
	report_event(2);
	assert_string_equal(kept[0].text, "colour event 1\nincident x\ncolour event 2\n");
	assert_string_equal(kept[1].text, "event 1\nincident x\nevent 2\n");
	assert_true(sinks_flush(&sinks, 0));
	sinks_close(&sinks);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kept[i].flushed, 1);
		assert_int_equal(kept[i].closed, 1);
	}
}

/* The second fails with that error: it is said once, its losses are counted, and the first gets all. */
static void expect_only_second_failed(int error, uint64_t dropped)
{
	const struct sink *failed;
	int found = 0;

	failed = sinks_take_error(&sinks, &found);
	assert_non_null(failed);
	assert_string_equal(failed->name, "second");
	assert_int_equal(found, error);
	assert_null(sinks_take_error(&sinks, &found));
	report_event(3);
	assert_null(sinks_take_error(&sinks, &found));
	sinks_status(&sinks, status);
	assert_int_equal(status[0].dropped, 0);
	assert_int_equal(status[0].error, 0);
	assert_int_equal(status[1].dropped, dropped + 1);
	assert_int_equal(status[1].error, error);
	assert_string_equal(kept[0].text, "colour event 1\nincident x\ncolour event 3\n");
}

static void a_sink_that_fails_takes_nothing_from_the_other(void **state)
{
	assert_int_equal(open_table(), 0);
	report_event(1);
	kept[1].error = ENOSPC;
	report_incident("x");
	expect_only_second_failed(ENOSPC, 1);
	assert_string_equal(kept[1].text, "event 1\n");
	sinks_close(&sinks);
}

static void a_sink_that_refuses_to_open_loses_and_counts_all(void **state)
{
	open_error = -ECONNREFUSED;
	assert_int_equal(open_table(), 0);
	report_event(1);
	report_incident("x");
	expect_only_second_failed(ECONNREFUSED, 2);
	assert_true(sinks_flush(&sinks, 0));
	sinks_take_over(&sinks, status);
	sinks_close(&sinks);
	assert_string_equal(kept[1].text, "");
	assert_int_equal(kept[1].opened, 1);
	assert_int_equal(kept[1].flushed + kept[1].taken_over + kept[1].closed, 0);
	assert_int_equal(kept[0].taken_over, 1);
}

/* Two failures are two messages: that of one does not hide the other's. */
static void each_failed_sink_is_reported(void **state)
{
	const struct sink *failed;
	int error;

	assert_int_equal(open_table(), 0);
	kept[1].error = EPIPE;
	failed = sinks_take_error(&sinks, &error);
	assert_string_equal(failed->name, "second");
	kept[0].error = ENOSPC;
	failed = sinks_take_error(&sinks, &error);
	assert_string_equal(failed->name, "first");
	assert_int_equal(error, ENOSPC);
	assert_null(sinks_take_error(&sinks, &error));
	sinks_close(&sinks);
}

static void a_vital_sink_that_refuses_is_an_error(void **state)
{
	struct sink_ops vital = second;
	const struct sink_row t[] = {{"first", &first, &plain}, {"second", &vital, &plain}};
	const char *failed = NULL;

	vital.vital = true;
	open_error = -EBADF;
	assert_int_equal(sinks_open_table(&sinks, t, ARRAY_SIZE(t), &failed), -EBADF);
	assert_string_equal(failed, "second");
	sinks_close(&sinks);
	assert_int_equal(kept[0].closed, 1);
	assert_int_equal(kept[1].closed, 0);
}

static void what_is_less_severe_than_a_sink_wants_is_not_delivered(void **state)
{
	table[1].minimum = SEVERITY_CRITICAL;
	assert_int_equal(open_table(), 0);
	report_event(1);
	report_incident("x");
	assert_string_equal(kept[0].text, "colour event 1\nincident x\n");
	assert_string_equal(kept[1].text, "incident x\n");
	sinks_status(&sinks, status);
	assert_int_equal(status[1].dropped, 0);
	sinks_close(&sinks);
}

static void a_message_that_cannot_be_formatted_is_counted_for_each(void **state)
{
	assert_int_equal(open_table(), 0);
	out_of_memory = true;
	report_event(1);
	sinks_status(&sinks, status);
	assert_int_equal(status[0].dropped, 1);
	assert_int_equal(status[1].dropped, 1);
	sinks_close(&sinks);
}

static void a_table_has_an_end(void **state)
{
	struct sink_row t[SINKS_MAX + 1];
	const char *failed = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = table[0];
	assert_int_equal(sinks_open_table(&sinks, t, ARRAY_SIZE(t), &failed), -E2BIG);
	assert_non_null(failed);
	assert_int_equal(kept[0].opened, 0);
	assert_int_equal(sinks_open_table(&sinks, t, SINKS_MAX, &failed), 0);
	assert_int_equal(kept[0].opened, SINKS_MAX);
	sinks_close(&sinks);
}

/* Whatever formats there are: each is complete, and found by a letter of its own. */
static void every_format_has_all_its_writers(void **state)
{
	assert_true(format_count > 0);
	for (size_t i = 0; i < format_count; i++) {
		const struct format_ops *f = &formats[i];

		assert_true(f->event && f->incident && f->conn && f->help);
		assert_ptr_equal(format_by_letter(f->letter), f);
		assert_non_null(strstr(format_names(), f->name));
		assert_non_null(strstr(format_help(), f->help));
	}
	assert_null(format_by_letter('?'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_sink_gets_every_message, setup),
		cmocka_unit_test_setup(a_sink_that_fails_takes_nothing_from_the_other, setup),
		cmocka_unit_test_setup(a_sink_that_refuses_to_open_loses_and_counts_all, setup),
		cmocka_unit_test_setup(each_failed_sink_is_reported, setup),
		cmocka_unit_test_setup(a_vital_sink_that_refuses_is_an_error, setup),
		cmocka_unit_test_setup(what_is_less_severe_than_a_sink_wants_is_not_delivered,
				       setup),
		cmocka_unit_test_setup(a_message_that_cannot_be_formatted_is_counted_for_each,
				       setup),
		cmocka_unit_test_setup(a_table_has_an_end, setup),
		cmocka_unit_test(every_format_has_all_its_writers),
	};

	return cmocka_run_group_tests_name("sinks", tests, NULL, NULL);
}
