/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_validate_probe.c - what is made of servers that answer, refuse, close, or do nothing, by a listener that does it; and
 * who is sent a password.
 */
#include "unit.h"

#include "tls/facts.h"
#include "validate/look.h"
#include "validate/probe.h"
#include "validate/talk.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST 4096

static const char alert[] = {21, 3, 3, 0, 2, 2, 40}; /* handshake_failure */

/* What comes first of the n-th connection: bytes of a ClientHello, or of a command. */
typedef void behaviour(int fd, const uint8_t *first, size_t len, int n);

struct server {
	pid_t pid;
	struct facts_address address;
};

static void serve(int listener, behaviour *what)
{
	uint8_t buf[LONGEST];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	for (int n = 0;; n++) {
		int fd = accept(listener, NULL, NULL);
		ssize_t len = recv(fd, buf, sizeof(buf), 0);

		what(fd, buf, len > 0 ? (size_t)len : 0, n);
		close(fd);
	}
}

static struct server start(behaviour *what)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at);
	struct server s = {};

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	s.pid = fork();
	if (!s.pid)
		serve(fd, what);
	close(fd);
	s.address.ip[10] = s.address.ip[11] = 0xff;
	memcpy(s.address.ip + 12, &at.sin_addr, 4);
	s.address.port = ntohs(at.sin_port);
	return s;
}

static struct facts_address probe(behaviour *what)
{
	struct server s = start(what);

	probe_address(&s.address);
	kill(s.pid, SIGKILL);
	waitpid(s.pid, NULL, 0);
	return s.address;
}

static bool is_hello(const uint8_t *first, size_t len)
{
	return len > 10 && first[0] == 22;
}

/* Until the client has gone. */
static void wait_for_end(int fd)
{
	uint8_t byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

/* A ServerHello of TLS 1.2 with the first suite that was offered; nothing for other versions. */
static void choose(int fd, const uint8_t *first, size_t len)
{
	uint8_t hello[] = {22, 3,  3,
			   0,  42, 2,
			   0,  0,  38,
			   3,  3,  [43] = 0, /* no session */
			   0,  0,  /* suite */ 0 /* no compression */};
	const uint8_t *session = first + 43, *suites = session + 1 + session[0];

	hello[44] = suites[2];
	hello[45] = suites[3];
	send(fd, hello, sizeof(hello), MSG_NOSIGNAL);
}

static bool is_12(const uint8_t *first, size_t len)
{
	const uint8_t *suites = first + 44 + first[43];

	return is_hello(first, len) && first[9] == 3 && first[10] == 3 && suites[2] != 0x13;
}

/* --- behaviours --- */

static void refuses_by_alert(int fd, const uint8_t *first, size_t len, int n)
{
	if (is_hello(first, len))
		send(fd, alert, sizeof(alert), MSG_NOSIGNAL);
}

static void closes(int fd, const uint8_t *first, size_t len, int n)
{
}

static void is_silent(int fd, const uint8_t *first, size_t len, int n)
{
	wait_for_end(fd);
}

/* Three suites: those that are offered first. */
static void speaks_12(int fd, const uint8_t *first, size_t len, int n)
{
	const uint8_t *suites = first + 44 + first[43];
	static int most;
	int bytes = 0;

	if (is_12(first, len))
		bytes = suites[0] << 8 | suites[1];
	most = bytes > most ? bytes : most;
	if (bytes > most - 3 * 2)
		choose(fd, first, len);
	else
		refuses_by_alert(fd, first, len, n);
}

/* The second and the fourth offer of all are not answered: each is made again. */
static void hesitates_once(int fd, const uint8_t *first, size_t len, int n)
{
	if (n == 2 || n == 5)
		send(fd, "\x16\x03", 2, MSG_NOSIGNAL);
	else
		speaks_12(fd, first, len, n);
}

/* Speaks TLS 1.2, but no offer of an older version comes to an answer. */
static void hesitates_often(int fd, const uint8_t *first, size_t len, int n)
{
	if (is_hello(first, len) && first[10] < 3)
		send(fd, "\x16\x03", 2, MSG_NOSIGNAL);
	else
		speaks_12(fd, first, len, n);
}

static void speaks_http(int fd, const uint8_t *first, size_t len, int n)
{
	send(fd, "HTTP/1.1 400\r\n", 14, MSG_NOSIGNAL);
}

/* As the bus of a cluster: waits for 8 bytes. */
static void wants_eight_bytes(int fd, const uint8_t *first, size_t len, int n)
{
	if (len < 8)
		wait_for_end(fd);
}

static void answers_commands(int fd, const uint8_t *first, size_t len, int n)
{
	if (!is_hello(first, len))
		send(fd, "-NOAUTH\r\n", 9, MSG_NOSIGNAL);
}

/* --- tests --- */

static void a_refusal_is_certain(void **state)
{
	static behaviour *const refusals[] = {refuses_by_alert, closes, wants_eight_bytes};

	for (size_t i = 0; i < 3; i++) {
		struct facts_address a = probe(refusals[i]);

		assert_false(a.tls || a.plain);
		assert_string_equal(a.unsure, "");
		assert_string_equal(a.why, "answers neither a command nor TLS");
	}
}

static void silence_is_no_refusal(void **state)
{
	struct facts_address a = probe(is_silent);

	assert_false(a.tls || a.plain);
	assert_non_null(strstr(a.unsure, "within a second"));
	assert_non_null(strstr(a.why, "within a second"));
}

static void what_is_not_tls_is_no_refusal(void **state)
{
	struct facts_address a = probe(speaks_http);

	assert_false(a.tls || a.plain);
	assert_non_null(strstr(a.unsure, "neither accepted nor refused"));
}

static void nobody_there_is_no_refusal(void **state)
{
	struct server s = start(closes);

	kill(s.pid, SIGKILL);
	waitpid(s.pid, NULL, 0);
	probe_address(&s.address);
	assert_true(s.address.unsure[0]);
	assert_non_null(strstr(s.address.why, "refused"));
}

static void commands_are_found_on_any_port(void **state)
{
	struct server s = start(answers_commands);

	s.address.bus = true;
	probe_address(&s.address);
	kill(s.pid, SIGKILL);
	waitpid(s.pid, NULL, 0);
	assert_true(s.address.plain);
}

static void a_server_of_one_version(void **state)
{
	struct facts_address a = probe(speaks_12);

	assert_true(a.tls);
	assert_int_equal(a.versions, 1);
	assert_int_equal(a.version[0], TLS_1_2);
	assert_int_equal(a.suites, 3);
	assert_string_equal(a.unsure, "");
	assert_true(a.no_safe_renegotiation);
}

static void one_hiccup_is_tried_again(void **state)
{
	struct facts_address a = probe(hesitates_once);

	assert_int_equal(a.versions, 1);
	assert_int_equal(a.version[0], TLS_1_2);
	assert_int_equal(a.suites, 3);
	assert_string_equal(a.unsure, "");
}

static void many_hiccups_are_told(void **state)
{
	struct facts_address a = probe(hesitates_often);

	assert_int_equal(a.versions, 1);
	assert_non_null(strstr(a.unsure, "neither accepted nor refused"));
}

static void a_password_is_sent_in_plaintext_only_where_there_is_no_tls(void **state)
{
	struct facts_wire w = {.addresses = 2, .address = {{.plain = true}, {.plain = true}}};

	assert_true(talk_may_send_plain(&w, &w.address[0]));
	w.address[1].plain = false; /* slow */
	strcpy(w.address[1].unsure, "silent");
	assert_false(talk_may_send_plain(&w, &w.address[0]));
	w.address[1].bus = true;
	assert_false(talk_may_send_plain(&w, &w.address[0]));
	w.address[1].unsure[0] = '\0'; /* it refused both */
	assert_true(talk_may_send_plain(&w, &w.address[0]));
	assert_false(talk_may_send_plain(&w, &w.address[1]));
	w.address[1].tls = true;
	assert_false(talk_may_send_plain(&w, &w.address[0]));
	w.address[1] = (struct facts_address){.plain = true};
	w.addresses_cut = true;
	assert_false(talk_may_send_plain(&w, &w.address[0]));
	w.addresses_cut = false;
	strcpy(w.why, "not all was asked");
	assert_false(talk_may_send_plain(&w, &w.address[0]));
}

static void a_password_is_for_expected_users(void **state)
{
	const struct passwd *redis = getpwnam("redis");
	uint32_t packaged = redis ? redis->pw_uid : 0;

	assert_true(look_expects(0, LOOK_ANY_UID));
	assert_true(look_expects(getuid(), LOOK_ANY_UID));
	assert_false(look_expects(61234, LOOK_ANY_UID));
	assert_true(look_expects(61234, 61234));
	assert_false(look_expects(0, 61234));
	assert_false(look_expects(getuid(), 61234));
	assert_true(look_expects(packaged, LOOK_ANY_UID));
}

/* A certificate for cache.example that is its own authority, valid from now by so many seconds until so many. */
static X509 *certificate(EVP_PKEY *key, long from, long until)
{
	X509 *x = X509_new();
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:cache.example");

	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), until);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"cache", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_true(X509_add_ext(x, names, -1) && X509_sign(x, key, EVP_sha256()));
	X509_EXTENSION_free(names);
	return x;
}

/* Why a server that sends that certificate is sent no secret; NULL: it is. */
static const char *distrusted(X509 *sent, X509 *trusted, const char *host)
{
	struct probe_trust t = {.ca = tmpfile(), .ca_name = "ca", .host_name = host};
	STACK_OF(X509) *chain = sk_X509_new_null();
	const char *why;
	bool ok;

	assert_non_null(t.ca);
	if (trusted)
		PEM_write_X509(t.ca, trusted);
	if (sent)
		sk_X509_push(chain, sent);
	ok = probe_trusts(chain, &t, &why);
	assert_int_equal(ok, !why);
	sk_X509_free(chain);
	fclose(t.ca);
	return why;
}

static void a_secret_is_for_a_certificate_that_passes(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *foreign = EVP_EC_gen("P-256");
	X509 *good = certificate(key, -60, 3600), *old = certificate(key, -3600, -60);
	X509 *early = certificate(key, 3600, 7200), *forged = certificate(foreign, -60, 3600);

	assert_null(distrusted(good, good, ""));
	assert_null(distrusted(good, good, "cache.example"));
	assert_string_equal(distrusted(good, good, "other.example"),
			    "it is for another name than --host");
	assert_string_equal(distrusted(old, old, ""), "certificate has expired");
	assert_string_equal(distrusted(early, early, ""), "certificate is not yet valid");
	assert_non_null(distrusted(forged, good, "")); /* the same names, another key */
	assert_string_equal(distrusted(good, NULL, ""), "no trusted certificates");
	assert_string_equal(distrusted(NULL, good, ""), "it sent none");
	X509_free(good);
	X509_free(old);
	X509_free(early);
	X509_free(forged);
	EVP_PKEY_free(key);
	EVP_PKEY_free(foreign);
}

static void with_ca_a_password_takes_tls_or_a_unix_socket(void **state)
{
	const struct probe_trust trust = {.ca_name = "ca", .host_name = ""};
	struct talk t = {};
	const char *why = "";

	assert_true(talk_may_authenticate(&t, &why));
	t.trust = &trust;
	assert_false(talk_may_authenticate(&t, &why));
	assert_string_equal(why, "it speaks no TLS");
	t.on_unix = true;
	assert_true(talk_may_authenticate(&t, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_certain),
		cmocka_unit_test(silence_is_no_refusal),
		cmocka_unit_test(what_is_not_tls_is_no_refusal),
		cmocka_unit_test(nobody_there_is_no_refusal),
		cmocka_unit_test(commands_are_found_on_any_port),
		cmocka_unit_test(a_server_of_one_version),
		cmocka_unit_test(one_hiccup_is_tried_again),
		cmocka_unit_test(many_hiccups_are_told),
		cmocka_unit_test(a_password_is_sent_in_plaintext_only_where_there_is_no_tls),
		cmocka_unit_test(a_password_is_for_expected_users),
		cmocka_unit_test(a_secret_is_for_a_certificate_that_passes),
		cmocka_unit_test(with_ca_a_password_takes_tls_or_a_unix_socket),
	};

	return cmocka_run_group_tests_name("validate_probe", tests, NULL, NULL);
}
