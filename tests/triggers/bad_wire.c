/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bad_wire: a wire between two network namespaces that loses, delays, reorders and duplicates packets, for kernels
 * without netem.
 *
 *     bad_wire PID PID "[delay MSms [MSms]] [loss N%] [duplicate N%] [reorder N%]"
 *
 * The namespaces are those of two processes; in the first it makes the tun device cw0, in the second cw1. The words
 * are netem's and mean the same: delay and how much it varies, packets that are lost, sent twice, or sent
 * without the delay; correlations are not made. It says that it is ready, and stays.
 */
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "trigger.h"

#define PACKET_MAX 65536
#define WAITING_MAX 10000 /* what comes then is lost */
#define NS_PER_MS 1000000ll

struct packet {
	struct packet *next;
	long long due; /* CLOCK_MONOTONIC, ns */
	size_t len;
	int to; /* descriptor */
	char bytes[];
};

static struct packet *waiting; /* the next due first */
static size_t waiting_count;
static long long delay, varies;		/* ns */
static double loss, duplicate, reorder; /* of 1 */

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

static void spec_read(char *spec)
{
	static const struct {
		const char *word;
		double *share;
	} shares[] = {{"loss", &loss}, {"duplicate", &duplicate}, {"reorder", &reorder}};
	double *share = NULL;
	int delays = 0;
	double n;

	for (char *w = strtok(spec, " "); w; w = strtok(NULL, " ")) {
		const char *unit = w + strspn(w, "0123456789.");

		n = atof(w);
		if (!strcmp(unit, "ms") && delays == 1) {
			delay = (long long)(n * NS_PER_MS);
			delays = 2;
		} else if (!strcmp(unit, "ms") && delays == 2) {
			varies = (long long)(n * NS_PER_MS);
			delays = 0;
		} else if (!strcmp(unit, "%")) {
			if (share)
				*share = n / 100;
			share = NULL; /* a second one is a correlation */
		} else {
			delays = !strcmp(w, "delay");
			share = NULL;
			for (int i = 0; i < 3; i++)
				if (!strcmp(w, shares[i].word))
					share = shares[i].share;
			if (!delays && !share) {
				errno = EINVAL;
				trigger_die("'%s': expected delay, loss, duplicate or reorder", w);
			}
		}
	}
}

static int device_in(const char *pid, const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	char path[64];
	int ns, fd;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		trigger_die("network namespace of %s", pid);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r))
		trigger_die("device %s", name);
	return fd;
}

static void packet_send_later(int to, const char *bytes, size_t len, long long due)
{
	struct packet **at = &waiting, *p;

	if (waiting_count >= WAITING_MAX)
		return;
	p = malloc(sizeof(*p) + len);
	if (!p)
		trigger_die("memory");
	memcpy(p->bytes, bytes, len);
	p->len = len;
	p->to = to;
	p->due = due;
	while (*at && (*at)->due <= due)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
	waiting_count++;
}

static void packet_take(int from, int to)
{
	static char bytes[PACKET_MAX];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0) {
		int times = drand48() < loss ? 0 : drand48() < duplicate ? 2 : 1;

		while (times--) {
			long long due = now_ns();

			if (drand48() >= reorder)
				due += delay + (long long)((drand48() * 2 - 1) * (double)varies);
			packet_send_later(to, bytes, n, due);
		}
	}
}

/* Returns how long nothing more is due, NULL: until something comes. */
static struct timespec *packets_send(struct timespec *t)
{
	long long now = now_ns(), left;

	while (waiting && waiting->due <= now) {
		struct packet *p = waiting;

		waiting = p->next;
		waiting_count--;
		/* what the device does not take, the network has lost */
		if (write(p->to, p->bytes, p->len) < 0 && errno == EBADFD)
			exit(0);
		free(p);
	}
	if (!waiting)
		return NULL;
	left = waiting->due - now;
	t->tv_sec = left / (1000 * NS_PER_MS);
	t->tv_nsec = left % (1000 * NS_PER_MS);
	return t;
}

int main(int argc, char **argv)
{
	struct pollfd ends[2];
	struct timespec t;

	if (argc != 4)
		return 2;
	spec_read(argv[3]);
	srand48(1);
	for (int i = 0; i < 2; i++)
		ends[i] = (struct pollfd){.fd = device_in(argv[i + 1], i ? "cw1" : "cw0"),
					  .events = POLLIN};
	trigger_report("\"tid\":%d", getpid());
	while (ppoll(ends, 2, packets_send(&t), NULL) >= 0 || errno == EINTR)
		for (int i = 0; i < 2; i++)
			if (ends[i].revents & POLLIN)
				packet_take(ends[i].fd, ends[!i].fd);
	return 1;
}
