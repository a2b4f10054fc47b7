// SPDX-License-Identifier: BSD-2-Clause
/* probe_address.c - see probe.h. */
#include "validate/probe.h"
#include "validate/hello.h"

#include "base/clock.h"
#include "model/tls_suite.h"
#include "tls/facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define WAIT_MS 1000l		   /* for an answer */
#define SUITES_NS (3 * NS_PER_SEC) /* for all suites of an address */
#define FALLBACK_SCSV 0x5600

static const uint16_t versions[FACTS_VERSIONS] = {TLS_1_3, TLS_1_2, TLS_1_1, TLS_1_0, TLS_SSL3};

/* --- one question, one answer --- */

enum answer { ANSWERED, SILENT, CLOSED, BROKEN, UNREACHABLE };

/* A wildcard is reached by loopback. */
static int connect_to(const uint8_t ip[16], uint16_t port)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct timeval limit = {.tv_sec = WAIT_MS / 1000, .tv_usec = WAIT_MS % 1000 * 1000};
	struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)ip);
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	memcpy(&to.sin6_addr, ip, 16);
	memcpy(&to4.sin_addr, ip + 12, 4);
	if (IN6_IS_ADDR_UNSPECIFIED(&to.sin6_addr))
		to.sin6_addr = in6addr_loopback;
	if (to4.sin_addr.s_addr == htonl(INADDR_ANY))
		to4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	err = v4 ? connect(fd, (struct sockaddr *)&to4, sizeof(to4))
		 : connect(fd, (struct sockaddr *)&to, sizeof(to));
	if (!err)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Receive until enough() says so, the server closes, or time is over. */
static enum answer receive(int fd, uint8_t *buf, size_t size,
			   bool (*enough)(const uint8_t *buf, size_t len), size_t *ret_len)
{
	uint64_t until = clock_boot_ns() + WAIT_MS * NS_PER_MS;
	size_t len = 0;
	ssize_t n;

	do {
		n = recv(fd, buf + len, size - len, 0);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 && len < size && !enough(buf, len) && clock_boot_ns() < until);
	*ret_len = len;
	if (len)
		return ANSWERED;
	/* it is reset if the server closes it before it has read everything */
	if (!n || errno == ECONNRESET)
		return CLOSED;
	return errno == EAGAIN || errno == EINTR ? SILENT : BROKEN;
}

static enum answer exchange(const struct facts_address *a, const void *question, size_t len,
			    uint8_t *buf, size_t size,
			    bool (*enough)(const uint8_t *buf, size_t len), size_t *ret_len)
{
	int fd = connect_to(a->ip, a->port);
	enum answer got = BROKEN;

	*ret_len = 0;
	if (fd < 0) {
		errno = -fd;
		return UNREACHABLE;
	}
	if (send(fd, question, len, MSG_NOSIGNAL) == (ssize_t)len)
		got = receive(fd, buf, size, enough, ret_len);
	close(fd);
	return got;
}

/* --- without TLS --- */

static bool is_byte(const uint8_t *buf, size_t len)
{
	return len;
}

/*
 * A reply or an error: both show that the command was read. Asked twice, for the bus of a cluster reads 8 bytes before it
 * judges them.
 */
static enum answer greet(struct facts_address *a)
{
	static const char ping[] = "PING\r\nPING\r\n";
	enum answer got = BROKEN;
	uint8_t reply[64];
	size_t len;

	for (int tries = 0; tries < 2 && (got == BROKEN || got == UNREACHABLE); tries++)
		got = exchange(a, ping, sizeof(ping) - 1, reply, sizeof(reply), is_byte, &len);
	a->plain = got == ANSWERED && (reply[0] == '+' || reply[0] == '-');
	return got;
}

/* --- TLS --- */

static bool is_hello(const uint8_t *buf, size_t len)
{
	struct hello_choice c;

	return hello_read(buf, len, &c) != HELLO_MORE;
}

/* What comes of an offer. Only an alert, or the end of the connection instead of an answer, refuses it. */
enum offered { CHOSEN, REFUSED, UNSURE };

struct probe {
	struct facts_address *a;
	int tries;	 /* of each offer that nothing came of */
	enum answer got; /* last */
	int err;	 /* if unreachable */
};

static enum offered offer_once(struct probe *p, struct hello *h, struct hello_choice *ret)
{
	uint8_t request[HELLO_MAX], reply[HELLO_SERVER_MAX + 16];
	size_t len;

	p->got = BROKEN;
	if (getrandom(h->random, sizeof(h->random), 0) != sizeof(h->random))
		return UNSURE;
	p->got = exchange(p->a, request, hello_write(h, request), reply, sizeof(reply), is_hello,
			  &len);
	p->err = p->got == UNREACHABLE ? errno : 0;
	if (p->got == CLOSED)
		return REFUSED;
	if (p->got != ANSWERED)
		return UNSURE;
	switch (hello_read(reply, len, ret)) {
	case HELLO_CHOSEN:
		return CHOSEN;
	case HELLO_REFUSED:
		return REFUSED;
	default:
		return UNSURE;
	}
}

static void be_unsure(struct facts_address *a, const char *why)
{
	if (!a->unsure[0])
		snprintf(a->unsure, sizeof(a->unsure), "%s", why);
}

static enum offered offer(struct probe *p, struct hello *h, struct hello_choice *ret)
{
	enum offered what = UNSURE;

	for (int n = 0; n < p->tries && what == UNSURE; n++)
		what = offer_once(p, h, ret);
	if (what == UNSURE)
		be_unsure(p->a, p->got == SILENT ? "an offer was not answered within a second"
				: p->got == UNREACHABLE
					? "it could not be reached each time"
					: "an offer was neither accepted nor refused");
	return what;
}

/* All suites of that version that there are. Those of TLS 1.3 have numbers of their own. */
static size_t all_suites(uint16_t version, uint16_t ret[HELLO_SUITES])
{
	size_t n = 0;

	for (uint32_t number = 0; number <= UINT16_MAX && n < HELLO_SUITES; number++) {
		bool is_13 = number >> 8 == 0x13;

		if (is_13 == (version == TLS_1_3) && number != FALLBACK_SCSV &&
		    tls_suite_find((uint16_t)number))
			ret[n++] = (uint16_t)number;
	}
	return n;
}

static bool knows(const struct facts_address *a, uint16_t suite)
{
	for (size_t i = 0; i < a->suites; i++) {
		if (a->suite[i] == suite)
			return true;
	}
	return false;
}

/* Offer what is left, and leave out what is chosen, until nothing is. */
static void find_suites(struct probe *p, uint16_t version, uint64_t until_ns)
{
	uint16_t suite[HELLO_SUITES];
	struct hello h = {.version = version, .suite = suite, .suites = all_suites(version, suite)};
	struct facts_address *a = p->a;
	struct hello_choice c;

	while (h.suites && offer(p, &h, &c) == CHOSEN) {
		size_t at = 0;

		while (at < h.suites && suite[at] != c.suite)
			at++;
		if (at == h.suites) {
			be_unsure(a, "it chose a suite that was not offered");
			return;
		}
		suite[at] = suite[--h.suites];
		if (!knows(a, c.suite) && a->suites < FACTS_SUITES)
			a->suite[a->suites++] = c.suite;
		a->suites_cut = a->suites_cut || clock_boot_ns() > until_ns;
		if (a->suites_cut)
			return;
	}
}

static void find_extras(struct probe *p, uint16_t version)
{
	uint16_t suite[HELLO_SUITES];
	struct hello h = {.version = version,
			  .suite = suite,
			  .suites = all_suites(version, suite),
			  .deflate = true,
			  .ticket = true};
	struct facts_address *a = p->a;
	struct hello_choice c;
	enum offered what = offer(p, &h, &c);

	if (what == CHOSEN) {
		a->compression = c.compressed;
		a->tickets = c.ticket;
		a->no_safe_renegotiation = !c.safe_renegotiation;
	} else if (what == REFUSED) {
		be_unsure(a, "it refused extensions with a version that it had accepted");
	}
}

static bool accepts(const struct facts_address *a, uint16_t version)
{
	for (size_t i = 0; i < a->versions; i++) {
		if (a->version[i] == version)
			return true;
	}
	return false;
}

static void find_versions(struct probe *p)
{
	struct facts_address *a = p->a;

	for (size_t i = 0; i < FACTS_VERSIONS; i++) {
		uint16_t suite[HELLO_SUITES];
		struct hello h = {.version = versions[i],
				  .suite = suite,
				  .suites = all_suites(versions[i], suite)};
		struct hello_choice c;

		if (offer(p, &h, &c) == CHOSEN && !accepts(a, c.version))
			a->version[a->versions++] = c.version;
		if (p->got == SILENT || p->got == UNREACHABLE)
			break; /* it would be so each time */
	}
}

static void explain(struct facts_address *a, enum answer got, int err)
{
	snprintf(a->why, sizeof(a->why), "%s",
		 got == UNREACHABLE ? strerror(err)
		 : got == SILENT    ? "answers neither a command nor TLS within a second"
				    : "answers neither a command nor TLS");
}

void probe_address(struct facts_address *a)
{
	struct probe p = {.a = a, .got = greet(a)};
	uint64_t until;

	if (a->plain)
		return;
	if (p.got == UNREACHABLE || p.got == BROKEN) {
		explain(a, p.got, errno);
		be_unsure(a, "it could not be asked");
		return;
	}
	/* a TLS server ends such a connection at once: who waits here is likely to wait again */
	p.tries = p.got == SILENT ? 1 : 2;
	find_versions(&p);
	a->tls = a->versions;
	if (!a->tls) {
		explain(a, p.got, p.err);
		return;
	}
	p.tries = 2;
	until = clock_boot_ns() + SUITES_NS;
	for (size_t i = 0; i < a->versions; i++)
		find_suites(&p, a->version[i], until);
	for (size_t i = 0; i < a->versions; i++) {
		if (a->version[i] <= TLS_1_2 && a->version[i] > TLS_SSL3) {
			find_extras(&p, a->version[i]);
			break;
		}
	}
}
