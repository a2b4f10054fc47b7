// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_sink_journald.c - the journal's native protocol, against a socket of the test, and against systemd-journald where
 * it can be run: with its files in a mount namespace of this test.
 */
#include "sink_sample.h"

#include "report/notice.h"

#include <jansson.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define JOURNALD "/lib/systemd/systemd-journald"

static int journal = -1;
static size_t received; /* length of the last entry */

static int listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void open_journald_sink(const char *socket_path)
{
	static char to[300];

	snprintf(to, sizeof(to), "journald:%s", socket_path);
	sample_open(&(struct policy_sink){.name = "sample", .to = to, .severity = SEVERITY_INFO});
}

static int teardown(void **state)
{
	if (journal >= 0)
		close(journal);
	journal = -1;
	return sample_teardown(state);
}

/* The next entry, terminated. is_file: it came as a sealed file. */
static const char *receive(bool *is_file)
{
	static char entry[1u << 20];
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = {entry, sizeof(entry) - 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.room,
			     .msg_controllen = sizeof(control.room)};
	ssize_t n = recvmsg(journal, &msg, MSG_CMSG_CLOEXEC);
	int fd;

	assert_true(n >= 0);
	*is_file = msg.msg_controllen && CMSG_FIRSTHDR(&msg);
	if (*is_file) {
		assert_int_equal(n, 0);
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
		assert_int_equal(fcntl(fd, F_GET_SEALS),
				 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
		n = pread(fd, entry, sizeof(entry) - 1, 0);
		close(fd);
	}
	entry[n] = '\0';
	received = (size_t)n;
	return entry;
}

/* The value of a field of an entry in which no value has a newline. NULL: there is none. */
static const char *field(const char *entry, const char *key)
{
	static char value[65536];
	size_t len = strlen(key);

	for (const char *line = entry; *line; line += strcspn(line, "\n") + 1) {
		if (strncmp(line, key, len) || line[len] != '=')
			continue;
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + len + 1, "\n"),
			 line + len + 1);
		return value;
	}
	return NULL;
}

static void an_incident_has_a_field_for_each_fact(void **state)
{
	const char *entry;
	bool is_file;
	json_t *j;

	journal = listen_at(sample_path("socket"));
	open_journald_sink(sample_path("socket"));
	sample_incident(1, INCIDENT_OPENED, SEVERITY_CRITICAL);
	entry = receive(&is_file);
	assert_false(is_file);
	assert_string_equal(field(entry, "MESSAGE"),
			    "A process reads the server's memory: redis-server:6379 by gdb(4711)");
	assert_string_equal(field(entry, "PRIORITY"), "2");
	assert_string_equal(field(entry, "SYSLOG_IDENTIFIER"), "cachewarden");
	assert_string_equal(field(entry, "CACHEWARDEN_KIND"), "incident");
	assert_string_equal(field(entry, "CACHEWARDEN_RULE"), "mem-read");
	assert_string_equal(field(entry, "CACHEWARDEN_SEVERITY"), "critical");
	assert_string_equal(field(entry, "CACHEWARDEN_INSTANCE"), "redis-server:6379");
	assert_string_equal(field(entry, "CACHEWARDEN_INSTANCE_UID"),
			    "redis-server:6379@redis.service/1");
	assert_string_equal(field(entry, "CACHEWARDEN_ACTOR_PID"), "4711");
	assert_string_equal(field(entry, "CACHEWARDEN_ACTOR_EXE"), "/usr/bin/gdb");
	assert_string_equal(field(entry, "CACHEWARDEN_ACTIVITY"), "Create");
	assert_non_null(field(entry, "CACHEWARDEN_HOST"));
	assert_null(field(entry, "CACHEWARDEN_ACTOR_CONTAINER"));
	j = json_loads(field(entry, "CACHEWARDEN_JSON"), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(j, "class_uid")), 2004);
	json_decref(j);
}

static void the_priority_follows_the_severity(void **state)
{
	static const char *const priorities[] = {"6", "5", "4", "3", "2"};
	const char *entry;
	bool is_file;

	journal = listen_at(sample_path("socket"));
	open_journald_sink(sample_path("socket"));
	for (unsigned int i = 0; i < ARRAY_SIZE(priorities); i++) {
		sample_incident(1 + i, INCIDENT_OPENED, SEVERITY_INFO + i);
		entry = receive(&is_file);
		assert_string_equal(field(entry, "PRIORITY"), priorities[i]);
	}
	sample_heartbeat(1);
	entry = receive(&is_file);
	assert_string_equal(field(entry, "PRIORITY"), "6");
	assert_string_equal(field(entry, "CACHEWARDEN_KIND"), "heartbeat");
	assert_string_equal(field(entry, "MESSAGE"), "The monitor is alive");
}

/* A name that an attacker chose cannot add a field. */
static void a_newline_in_a_value_begins_no_field(void **state)
{
	static const char key[] = "\nCACHEWARDEN_INSTANCE\n";
	const char *entry, *at;
	char name[sizeof(sample_instance.name)];
	uint64_t len;
	bool is_file;

	strcpy(name, sample_instance.name);
	strcpy(sample_instance.name, "a\nPRIORITY=7");
	journal = listen_at(sample_path("socket"));
	open_journald_sink(sample_path("socket"));
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	strcpy(sample_instance.name, name);
	entry = receive(&is_file);
	at = memmem(entry, received, key, strlen(key));
	assert_non_null(at);
	at += strlen(key);
	memcpy(&len, at, sizeof(len));
	assert_int_equal(len, strlen("a\nPRIORITY=7"));
	assert_memory_equal(at + sizeof(len), "a\nPRIORITY=7\n", len + 1);
}

/* More than the socket takes in one datagram. */
static void a_long_entry_is_a_sealed_file(void **state)
{
	static char json[400000], filler[380000];
	const struct sink_message message = {json, 0};
	struct sink_message m = message;
	const char *entry;
	bool is_file;

	memset(filler, 'x', sizeof(filler) - 1);
	m.len = (size_t)snprintf(
		json, sizeof(json),
		"{\"message\":\"long\",\"activity_name\":\"Create\",\"severity_id\":4,\"filler\":\"%s\","
		"\"finding_info\":{\"uid\":\"u\"},\"unmapped\":{\"cachewarden\":{\"kind\":\"event\"}}}\n",
		filler);
	journal = listen_at(sample_path("socket"));
	open_journald_sink(sample_path("socket"));
	sample.sink[0].row.ops->write(&sample.sink[0], &m);
	entry = receive(&is_file);
	assert_true(is_file);
	assert_string_equal(field(entry, "MESSAGE"), "long");
	assert_non_null(strstr(entry, filler));
	sample_until(sample_status().delivered == 1);
}

static void what_is_no_message_is_refused_and_the_next_one_delivered(void **state)
{
	const struct sink_message garbage = {"{\"a\":1}\n", 8};
	bool is_file;

	journal = listen_at(sample_path("socket"));
	open_journald_sink(sample_path("socket"));
	sample.sink[0].row.ops->write(&sample.sink[0], &garbage);
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	assert_non_null(field(receive(&is_file), "CACHEWARDEN_RULE"));
	sample_until(sample_status().delivered == 1);
	assert_int_equal(sample_status().dropped, 1);
	assert_true(sample_said("a message is lost"));
}

static void a_journal_that_restarts_gets_what_waited(void **state)
{
	const char *path = strdup(sample_path("socket"));
	char id[64];
	bool is_file;

	open_journald_sink(path);
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_said("socket: the journal does not run; trying again"));
	journal = listen_at(path);
	receive(&is_file);
	close(journal);
	sample_incident(2, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_incident(3, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_status().failing_s);
	journal = listen_at(path);
	for (unsigned int i = 2; i <= 3; i++) {
		snprintf(id, sizeof(id), "0123456789abcdef-i%u", i);
		assert_string_equal(field(receive(&is_file), "CACHEWARDEN_ID"), id);
	}
	sample_until(sample_status().delivered == 3);
	free((void *)path);
}

/* It is there but reads nothing: the sink waits, its writer does not. */
static void a_journal_that_hangs_delays_nobody_else(void **state)
{
	uint64_t before;
	bool is_file;

	journal = listen_at(sample_path("socket"));
	open_journald_sink(sample_path("socket"));
	before = clock_mono_ns();
	for (unsigned int i = 1; i <= 500; i++)
		sample_incident(i, INCIDENT_OPENED, SEVERITY_HIGH);
	assert_true(clock_mono_ns() - before < 2 * NS_PER_SEC);
	sample_until(sample_said("the journal does not read"));
	assert_int_equal(sample_status().dropped, 0);
	for (unsigned int i = 1; i <= 500; i++) {
		const char *entry = receive(&is_file);

		sinks_flush(&sample, 0);
		assert_int_equal(
			strtoul(strstr(field(entry, "CACHEWARDEN_ID"), "-i") + 2, NULL, 10), i);
	}
	sample_until(sample_status().delivered == 500);
}

/* --- the real one --- */

static bool bind_over(const char *from, const char *to)
{
	return !mount(from, to, NULL, MS_BIND, NULL);
}

/* journald with files of its own, no audit and no kernel messages: nothing of the host is touched. */
static pid_t start_journald(void)
{
	const char *run = sample_path("run"), *conf = sample_path("journald.conf");
	pid_t pid;

	mkdir(run, 0755);
	sample_write(conf, "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\n"
			   "ForwardToSyslog=no\nForwardToWall=no\n");
	if (access(JOURNALD, X_OK) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || !bind_over(run, "/run") ||
	    !bind_over(conf, "/etc/systemd/journald.conf"))
		return 0;
	mkdir("/run/systemd", 0755);
	mkdir("/run/systemd/journal", 0755);
	pid = fork();
	if (!pid) {
		execl(JOURNALD, JOURNALD, NULL);
		_exit(127);
	}
	return pid;
}

static const char *journalctl(const char *match)
{
	static char out[1u << 20];
	char command[256];
	size_t n;
	FILE *f;

	snprintf(command, sizeof(command),
		 "journalctl --directory=/run/log/journal -o json %s 2>/dev/null", match);
	f = popen(command, "re");
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	pclose(f);
	return out;
}

static void the_journal_has_the_fields(void **state)
{
	pid_t pid = start_journald();
	json_t *entry;

	if (!pid)
		skip();
	open_journald_sink("/run/systemd/journal/socket");
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_status().delivered == 1);
	sample_until(strstr(journalctl("CACHEWARDEN_RULE=mem-read"), "CACHEWARDEN_ID"));
	entry = json_loads(journalctl("CACHEWARDEN_RULE=mem-read"), JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(entry);
#define TEXT(key) json_string_value(json_object_get(entry, key))
	assert_string_equal(TEXT("MESSAGE"),
			    "A process reads the server's memory: redis-server:6379 by gdb(4711)");
	assert_string_equal(TEXT("PRIORITY"), "3");
	assert_string_equal(TEXT("_TRANSPORT"), "journal");
	assert_int_equal(atoi(TEXT("_UID")), geteuid());
	assert_int_equal(atoi(TEXT("_PID")), sample_status().pid);
	json_decref(entry);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	umount2("/etc/systemd/journald.conf", MNT_DETACH);
	umount2("/run", MNT_DETACH);
}

#define T(name) cmocka_unit_test_setup_teardown(name, sample_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_incident_has_a_field_for_each_fact),
		T(the_priority_follows_the_severity),
		T(a_newline_in_a_value_begins_no_field),
		T(a_long_entry_is_a_sealed_file),
		T(what_is_no_message_is_refused_and_the_next_one_delivered),
		T(a_journal_that_restarts_gets_what_waited),
		T(a_journal_that_hangs_delays_nobody_else),
		T(the_journal_has_the_fields),
	};

	return cmocka_run_group_tests_name("sink_journald", tests, NULL, NULL);
}
