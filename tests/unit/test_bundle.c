/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_bundle.c - bundles and reports: verified without the program; a flipped byte anywhere is found and located; what attackers named
 * their processes and files stays text.
 */
#include "attest_log.h"

#include "attest/html.h"
#include "base/macros.h"
#include "cmd/verbs.h"

#define INCIDENT "0123456789abcdef-i1"
#define OTHER "0123456789abcdef-i2"
#define EVIL "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&\x1b[31m\n\xe2\x80\xae"

/* --- a log with two incidents --- */

static void say_json(struct book *b, const char *kind, int64_t time, json_t *v)
{
	char *text = json_dumps(v, JSON_COMPACT);

	assert_non_null(text);
	say(b, kind, time, "%s", text);
	free(text);
	json_decref(v);
}

static json_t *process(int pid, const char *name)
{
	return json_pack("{s:i,s:s,s:s,s:i,s:I}", "pid", pid, "comm", name, "exe", name, "uid",
			 1000, "start_time", (json_int_t)AT(9, 0, 0));
}

static void say_event(struct book *b, int64_t time, const char *uid, const char *name)
{
	json_t *actor = process(4711, name);

	json_object_set_new(actor, "cmdline", json_string(name));
	json_object_set_new(actor, "ancestors",
			    json_pack("[o,o]", process(4700, "bash"), process(1, "init")));
	say_json(
		b, "event", time,
		json_pack(
			"{s:s,s:I,s:{s:{s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:{s:s},s:o,s:{s:{s:s,s:i},s:{s:s,s:i},s:s,s:n}}}}",
			"message", name, "start_time", (json_int_t)time, "unmapped", "cachewarden",
			"rule", "mem-read", "severity", "high", "verdict", "alert", "detail", name,
			"result", name, "count", 3, "incident", uid, "instance", "name",
			"redis-server:6379", "actor", actor, "conn", "local", "ip", "127.0.0.1",
			"port", 6379, "remote", "ip", "127.0.0.1", "port", 50000, "opener", name,
			"tls"));
}

static void say_incident(struct book *b, int64_t time, const char *uid, const char *name,
			 int change)
{
	say_json(
		b, "incident", time,
		json_pack(
			"{s:s,s:i,s:I,s:I,s:{s:s},s:{s:s},s:{s:{s:s,s:{s:i},s:s,s:o,s:{s:s,s:s},s:[{s:s,s:s,s:s,s:i,s:I,s:I,s:o}],s:s}}}",
			"message", name, "activity_id", change, "start_time",
			(json_int_t)AT(10, 5, 0), "end_time", (json_int_t)time, "finding_info",
			"uid", uid, "remediation", "desc", name, "unmapped", "cachewarden",
			"severity", "high", "rules", "mem-read", 3, "who", name, "actor",
			process(4711, name), "instance", "name", "redis-server:6379", "uid",
			"redis-server:6379@host/b", "events", "rule", "mem-read", "severity",
			"high", "what", name, "count", 3, "first", (json_int_t)AT(10, 5, 0), "last",
			(json_int_t)time, "actor", process(4711, name), "closed_because", name));
}

static void make_log(void)
{
	struct book b;

	book_open(&b);
	monitor_starts(&b, AT(10, 0, 0));
	monitor_lives(&b, AT(10, 0, 0), AT(10, 5, 0));
	say_event(&b, AT(10, 5, 1), INCIDENT, EVIL);
	say_incident(&b, AT(10, 5, 1), INCIDENT, EVIL, 1);
	say_event(&b, AT(10, 5, 2), OTHER, "harmless");
	say_incident(&b, AT(10, 5, 2), OTHER, "harmless", 1);
	say_incident(&b, AT(10, 5, 40), INCIDENT, EVIL, 3);
	monitor_lives(&b, AT(10, 6, 0), AT(10, 15, 0));
	monitor_tallies(&b, AT(10, 0, 0), AT(10, 15, 1),
			"{\"accesses\":{\"mem-read\":{\"alert\":6}}}");
	assert_int_equal(store_rotate(b.store, AT(10, 15, 1)), 0);
	book_state(&b);
	for (int i = 0; i < 600; i++)
		say(&b, "event", AT(10, 16, 0), "{\"number\":%d}", i);
	monitor_stops(&b, AT(10, 17, 0));
	book_close(&b);
}

/* --- bundles --- */

static void export(const char *option, const char *value)
{
	char out[160];

	snprintf(out, sizeof(out), "%s/b.tar.zst", scratch);
	unlink(out);
	if (command(cmd_evidence, "said", "err", "export", option, value, out, log_dir, NULL))
		fail_msg("cannot export: %s", scratch_read("err"));
	assert_int_equal(shell("rm -rf evidence; zstd -dqc b.tar.zst | tar xf -"), 0);
}

static int verify_bundle(void)
{
	return shell("python3 evidence/verify.py");
}

static void bundle_verifies_without_the_program(void **state)
{
	make_log();
	export("--incident", INCIDENT);
	if (verify_bundle())
		fail_msg("%s", scratch_read("out"));
	assert_int_equal(
		shell("grep -q '^verified: ' out || { python3 evidence/verify.py | grep -q ^verified; }"),
		0);
	assert_int_equal(shell("cd evidence && sha256sum -c manifest.sha256"), 0);
	/* what was printed is the digest of the manifest */
	assert_int_equal(
		shell("grep -q \"$(sha256sum <evidence/manifest.sha256 | cut -c1-64)\" said"), 0);
	assert_int_equal(
		shell("cmp evidence/vkey log/vkey && cmp evidence/checkpoint log/checkpoint"), 0);
	assert_int_equal(
		shell("grep -q '%s' evidence/entries.jsonl && ! grep -q harmless evidence/entries.jsonl",
		      INCIDENT),
		0);
	assert_int_equal(
		shell("for k in start policy sensors; do grep -q '\"kind\":\"'$k evidence/entries.jsonl || exit 1; done"),
		0);
	assert_int_equal(
		shell("python3 -c '\n"
		      "import json\n"
		      "for line in open(\"evidence/timeline.jsonl\"):\n"
		      "    item = json.loads(line)\n"
		      "    assert item[\"message\"] and item[\"datetime\"].endswith(\"+00:00\") and item[\"timestamp_desc\"]\n"
		      "for name in \"host.json\", \"coverage.json\", \"proctree.json\", \"clock.json\", \"custody.json\":\n"
		      "    json.load(open(\"evidence/\" + name))\n'"),
		0);
	export("--since", "2026-10-30T10:05:02");
	assert_int_equal(verify_bundle(), 0);
	assert_int_equal(
		shell("grep -q harmless evidence/entries.jsonl && test $(wc -l <evidence/entries.jsonl) -gt 600"),
		0);
}

/* But for who made it when. */
static void same_log_makes_the_same_bundle(void **state)
{
	make_log();
	export("--incident", INCIDENT);
	assert_int_equal(shell("mv evidence first; sleep 1.1"), 0);
	export("--incident", INCIDENT);
	assert_int_equal(
		shell("test \"$(diff -qr first evidence | cut -d ' ' -f 2 | sort | tr '\\n' ' ')\" = "
		      "'first/custody.json first/manifest.sha256 '"),
		0);
	assert_int_equal(shell("cd first && ls -l --time-style=+%%s >../a; cd ../evidence && ls -l "
			       "--time-style=+%%s >../b; cmp ../a ../b"),
			 0);
}

/* Flips bits all over each file but the script, and runs the script as if it were started anew. */
static const char flipper[] =
	"import contextlib, io, os, runpy, sys\n"
	"def run():\n"
	"    said = io.StringIO()\n"
	"    os.chdir(top)\n"
	"    sys.argv = ['verify.py', os.path.join(top, 'evidence')]\n"
	"    with contextlib.redirect_stdout(said):\n"
	"        try: runpy.run_path(os.path.join(top, 'evidence', 'verify.py'), run_name='__main__')\n"
	"        except SystemExit as end: return end.code, said.getvalue()\n"
	"top = os.getcwd()\n"
	"code, said = run()\n"
	"assert code == 0, said\n"
	"os.chdir(top)\n"
	"names = [n for n in sorted(os.listdir('evidence')) if n != 'verify.py']\n"
	"assert len(names) == 14, names\n"
	"for name in names:\n"
	"    path = os.path.join(top, 'evidence', name)\n"
	"    whole = open(path, 'rb').read()\n"
	"    for k in range(9):\n"
	"        at = k * (len(whole) - 1) // 8\n"
	"        bad = bytearray(whole); bad[at] ^= 1 << k % 8\n"
	"        open(path, 'wb').write(bad)\n"
	"        code, said = run()\n"
	"        assert code == 1, (name, at, 'not found')\n"
	"        assert name in said, (name, at, 'not located', said)\n"
	"    open(path, 'wb').write(whole)\n";

static void flipped_byte_is_found_and_located(void **state)
{
	make_log();
	export("--incident", INCIDENT);
	log_write("../flipper.py", flipper, sizeof(flipper) - 1);
	if (shell("python3 flipper.py"))
		fail_msg("%s", scratch_read("out"));
	/* the script cannot judge itself */
	assert_int_equal(shell("sed -i 's/return 1/return 0/' evidence/verify.py; cd evidence; "
			       "sha256sum -c manifest.sha256 | grep -q '^verify.py: FAILED'"),
			 0);
}

/* Whoever makes a new manifest cannot make a proof. */
static void changed_entry_is_named(void **state)
{
	make_log();
	export("--incident", INCIDENT);
	assert_int_equal(shell("cd evidence; sed -i 's/\"pid\":4711/\"pid\":4712/' entries.jsonl; "
			       "sha256sum $(ls | grep -v manifest) >manifest.sha256"),
			 0);
	assert_int_equal(verify_bundle(), 1);
	assert_int_equal(
		shell("python3 evidence/verify.py | grep -q 'entries.jsonl, line [0-9]* (entry [0-9]*)'"),
		0);
	for (size_t i = 0; i < 3; i++) { /* a place that is no number */
		static const char *const wrong[] = {"-1", "true", "0.0"};

		export("--incident", INCIDENT);
		assert_int_equal(
			shell("cd evidence; sed -i '1s/\"index\": *[0-9]*/\"index\":%s/' proofs.jsonl; "
			      "grep -q '\"index\":%s' proofs.jsonl && "
			      "sha256sum $(ls | grep -v manifest) >manifest.sha256",
			      wrong[i], wrong[i]),
			0);
		assert_int_equal(
			shell("python3 evidence/verify.py | grep -q 'proofs.jsonl, line 1: is no proof: "
			      "its index is no number of an entry'"),
			0);
	}
	/* one left out, one added */
	export("--incident", INCIDENT);
	assert_int_equal(shell("rm evidence/host.json"), 0);
	assert_int_equal(verify_bundle(), 1);
	export("--incident", INCIDENT);
	assert_int_equal(shell("touch evidence/more"), 0);
	assert_int_equal(verify_bundle(), 1);
}

static void damaged_archive_is_not_unpacked(void **state)
{
	char *bytes;
	size_t len;

	make_log();
	export("--incident", INCIDENT);
	bytes = log_read("../b.tar.zst", &len);
	for (size_t k = 0; k < 12; k++) {
		size_t at = len * k / 12;

		bytes[at] ^= 0x10;
		log_write("../bad", bytes, len);
		bytes[at] ^= 0x10;
		if (!shell("zstd -dqc bad >bad.tar && zstd -dqc b.tar.zst | cmp - bad.tar"))
			continue;
		assert_int_not_equal(shell("zstd -dqc bad >/dev/null"), 0);
	}
	free(bytes);
}

static void export_says_what_is_wrong(void **state)
{
	char out[160];

	make_log();
	snprintf(out, sizeof(out), "%s/b.tar.zst", scratch);
	assert_int_equal(command(cmd_evidence, "said", "err", "export", "--incident", "nothing",
				 out, log_dir, NULL),
			 3);
	assert_int_equal(
		shell("grep -q 'no incident .nothing.; the last one is %s' err && ! test -e b.tar.zst",
		      INCIDENT),
		0);
	assert_int_equal(command(cmd_evidence, "said", "err", "export", out, log_dir, NULL), 0);
	assert_int_equal(command(cmd_evidence, "said", "err", "export", out, log_dir, NULL), 3);
	assert_int_equal(shell("grep -q 'File exists' err"), 0);
	assert_int_equal(
		command(cmd_evidence, "said", "err", "report", "--since", "x", out, log_dir, NULL),
		2);
	assert_int_equal(shell("sed -i 's/4711/4712/g' log/tile/entries/000"), 0);
	assert_int_equal(command(cmd_evidence, "said", "err", "export", "new", log_dir, NULL), 1);
}

/* --- a log that was pruned --- */

static void pruned_log_has_statements_and_bundles(void **state)
{
	char error[READER_ERROR_LEN];
	struct verified v;
	struct book b;

	book_open(&b);
	monitor_starts(&b, AT(10, 0, 0));
	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 600; k++)
			say(&b, "event", AT(10, i, 30), "{\"number\":%d}", k);
		monitor_tallies(&b, AT(10, i, 0), AT(10, i + 1, 0), "{\"accesses\":{}}");
		assert_int_equal(store_rotate(b.store, AT(10, i + 1, 0)), 0);
		book_state(&b);
	}
	monitor_stops(&b, AT(10, 5, 0));
	book_close(&b);
	assert_int_equal(
		command(cmd_evidence, "said", "err", "prune", "--before", "1500", log_dir, NULL),
		0);
	/* the next writer goes on with the chain */
	book_open(&b);
	monitor_starts(&b, AT(10, 6, 0));
	monitor_tallies(&b, AT(10, 6, 0), AT(10, 7, 0), "{\"accesses\":{}}");
	book_state(&b);
	monitor_stops(&b, AT(10, 7, 0));
	book_close(&b);
	if (log_verify(&v, error))
		fail_msg("%s", error);
	assert_true(v.pruned > 1000);
	assert_int_equal(v.statements.number, 6);
	assert_true(v.statements.count < 6);
	assert_int_equal(v.statements.from, AT(10, 5, 0));
	export("--since", "2026-10-30T10:04:00");
	if (verify_bundle())
		fail_msg("%s", scratch_read("out"));
	assert_int_equal(command(cmd_evidence, "said", "err", "statement", "--from",
				 "2026-10-30T10:04:00", "--to", "2026-10-30T10:05:00", "--unsigned",
				 log_dir, NULL),
			 0);
	assert_int_equal(shell("grep -q '\"not_watched_ms\":0,' said"), 0);
}

/* --- reports --- */

/* Elements that the page may have; an attribute that runs something; anything from elsewhere. */
static const char checker[] =
	"import html.parser, re, sys\n"
	"allowed = set('html head meta title style body h1 h2 p b i br span code pre div table thead tbody tr th td ul li "
	"svg rect line circle text'.split())\n"
	"void = {'meta', 'br'}\n"
	"class Page(html.parser.HTMLParser):\n"
	"    open = []\n"
	"    def handle_starttag(self, tag, attrs):\n"
	"        assert tag in allowed, tag\n"
	"        for name, value in attrs:\n"
	"            assert not name.startswith('on') and name not in ('src', 'href', 'srcset', 'action'), name\n"
	"        if tag not in void: self.open.append(tag)\n"
	"    def handle_startendtag(self, tag, attrs):\n"
	"        assert tag in allowed, tag\n"
	"    def handle_endtag(self, tag):\n"
	"        assert self.open.pop() == tag, tag\n"
	"raw = open(sys.argv[1], 'rb').read()\n"
	"text = raw.decode()\n"
	"assert not re.search(r'[\\x00-\\x08\\x0b-\\x1f\\x7f\\u202a-\\u202e]', text), 'control characters'\n"
	"assert 'url(' not in text and '@import' not in text\n"
	"page = Page(); page.feed(text); assert not page.open, page.open\n"
	"assert '&lt;script&gt;alert(1)&lt;/script&gt;' in text\n";

static void check_page(const char *name)
{
	log_write("../checker.py", checker, sizeof(checker) - 1);
	if (shell("python3 checker.py %s", name))
		fail_msg("%s: %s", name, scratch_read("out"));
}

static void names_of_attackers_stay_text(void **state)
{
	char out[160];

	make_log();
	snprintf(out, sizeof(out), "%s/one.html", scratch);
	assert_int_equal(command(cmd_evidence, "said", "err", "report", "--incident", INCIDENT, out,
				 log_dir, NULL),
			 0);
	check_page("one.html");
	assert_int_equal(
		shell("grep -q 'U+202E' one.html && grep -q 'U+001B' one.html && ! grep -q harmless one.html"),
		0);
	assert_int_equal(shell("grep -q '<svg' one.html && grep -q 'class=.tree' one.html"), 0);
	snprintf(out, sizeof(out), "%s/all.html", scratch);
	assert_int_equal(command(cmd_evidence, "said", "err", "report", out, log_dir, NULL), 0);
	check_page("all.html");
	assert_int_equal(shell("grep -q harmless all.html"), 0);
	assert_int_equal(command(cmd_evidence, "month.html", "err", "statement", "--month",
				 "2026-10", "--format", "html", log_dir, NULL),
			 0);
	check_page("month.html");
}

/* All that is wrong with a page. */
static const char bad_page[] =
	"<!DOCTYPE html><meta name=viewport content='width=device-width'>"
	"<div style='height:2000px'></div><div class=verdict></div>"
	"<svg viewBox='0 0 5000 100' style='width:100%'><text y=20>small</text></svg>"
	"<div style='overflow:hidden;width:50px'><div style='width:90px'>cut</div></div>"
	"<table style='width:3000px'><tr><td>wide</table><table style='width:20px'><tr><th style='overflow-wrap:anywhere'>"
	"Prevented<th>x</table><img src='file:///nowhere.png'>"
	"<script>console.log(1)</script>";
static const char *const complaints[] = {
	"bad.html, phone: has to be scrolled to the side",
	"bad.html, print: is cut off at the side: <table>",
	"bad.html, desktop: what is in it is cut off: <div>",
	"bad.html, desktop: the verdict is not visible",
	"bad.html, desktop: the verdict is not seen without scrolling",
	"bad.html, desktop: a drawing is empty",
	"bad.html, desktop: letters of a drawing are too small",
	"bad.html, desktop: a word is broken: Prevented",
	"bad.html, desktop: has a script",
	"bad.html, desktop: loads file:///nowhere.png",
	"bad.html, desktop: a script ran",
};

/* In Chromium, as desktop, phone and paper; PAGES=DIR keeps the pages and their pictures there. */
static void pages_are_readable_in_a_browser(void **state)
{
	const char *kept = getenv("PAGES");
	char script[512], out[160];
	int status;

	make_log();
	snprintf(out, sizeof(out), "%s/one.html", scratch);
	assert_int_equal(command(cmd_evidence, "said", "err", "report", "--incident", INCIDENT, out,
				 log_dir, NULL),
			 0);
	snprintf(out, sizeof(out), "%s/all.html", scratch);
	assert_int_equal(command(cmd_evidence, "said", "err", "report", out, log_dir, NULL), 0);
	assert_int_equal(command(cmd_evidence, "month.html", "err", "statement", "--month",
				 "2026-10", "--format", "html", log_dir, NULL),
			 0);
	assert_non_null(getcwd(script, sizeof(script)));
	strcat(script, "/tests/scripts/render.py");
	if (kept)
		assert_int_equal(shell("mkdir -p %s && cp *.html %s", kept, kept), 0);
	status = shell("%s %s%s one.html all.html month.html", script, kept ? "-o " : "",
		       kept ?: "");
	if (status == 3)
		skip(); /* no Chromium */
	if (status)
		fail_msg("%s", scratch_read("out"));
	/* it can say so */
	log_write("../bad.html", bad_page, sizeof(bad_page) - 1);
	assert_int_equal(shell("%s bad.html", script), 1);
	for (size_t i = 0; i < ARRAY_SIZE(complaints); i++) {
		if (!strstr(scratch_read("out"), complaints[i]))
			fail_msg("not said: %s: %s", complaints[i], scratch_read("out"));
	}
}

static void assert_html(const char *text, const char *want)
{
	char *got = NULL;
	size_t len;
	FILE *f = open_memstream(&got, &len);

	html_text(f, text);
	fclose(f);
	assert_string_equal(got, want);
	free(got);
}

static void text_is_escaped(void **state)
{
	assert_html("a<b>\"c\"'&", "a&lt;b&gt;&quot;c&quot;&#39;&amp;");
	assert_html("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x92",
		    "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x92");
	assert_html("\x1b[0m\n\t\x7f", "[U+001B][0m[U+000A][U+0009][U+007F]");
	assert_html("\xff<\xc0\xbc>\xed\xa0\x80", "[0xFF]&lt;[0xC0][0xBC]&gt;[0xED][0xA0][0x80]");
	assert_html("\xe2\x82", "[0xE2][0x82]");
	assert_html("\xf5\x80\x80\x80", "[0xF5][0x80][0x80][0x80]");
	assert_html("a\xe2\x80\xae"
		    "b\xe2\x81\xa6\xef\xbb\xbf",
		    "a[U+202E]b[U+2066][U+FEFF]");
	assert_html(NULL, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bundle_verifies_without_the_program),   TEST(same_log_makes_the_same_bundle),
		TEST(flipped_byte_is_found_and_located),     TEST(changed_entry_is_named),
		TEST(damaged_archive_is_not_unpacked),	     TEST(export_says_what_is_wrong),
		TEST(pruned_log_has_statements_and_bundles), TEST(names_of_attackers_stay_text),
		TEST(pages_are_readable_in_a_browser),	     TEST(text_is_escaped),
	};

	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
