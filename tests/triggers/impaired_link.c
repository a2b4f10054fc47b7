/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * impaired_link: connects two network namespaces by a link that loses, delays, reorders and duplicates
 * packets, for kernels without netem. The namespaces are those of two processes; the first gets the tun
 * device cw0, the second cw1.
 *
 *     delay MSms [MSms]   every packet waits that long, give or take the second value
 *     loss N%             so many packets are dropped
 *     duplicate N%        so many are sent twice
 *     reorder N%          so many are sent without the delay
 *
 * The words are netem's and mean the same; a correlation after a percentage is accepted and ignored.
 * Reports once both devices exist, and runs until it is killed or a device is removed.
 */
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "trigger.h"

#define PACKET_MAX 65536
#define QUEUE_MAX 10000 /* packets; more are dropped */
#define NS_PER_MS 1000000ll

struct packet {
	struct packet *next;
	long long due_ns; /* CLOCK_MONOTONIC */
	size_t len;
	int to; /* descriptor of a device */
	char bytes[];
};

static struct packet *queue; /* the next one due first */
static size_t queue_len;
static long long delay_ns, jitter_ns;
static double loss, duplicate, reorder; /* probabilities, 0 to 1 */

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

static double *probability(const char *word)
{
	static const struct {
		const char *word;
		double *value;
	} words[] = {{"loss", &loss}, {"duplicate", &duplicate}, {"reorder", &reorder}};

	for (int i = 0; i < 3; i++)
		if (!strcmp(word, words[i].word))
			return words[i].value;
	return NULL;
}

static void parse(char *spec)
{
	long long *time = NULL; /* what the next MSms sets */
	double *share = NULL;	/* what the next N% sets */

	for (char *w = strtok(spec, " "); w; w = strtok(NULL, " ")) {
		const char *unit = w + strspn(w, "0123456789.");
		double n = atof(w);

		if (!strcmp(unit, "ms") && time) {
			*time = (long long)(n * NS_PER_MS);
			time = time == &delay_ns ? &jitter_ns : NULL;
		} else if (!strcmp(unit, "%")) {
			if (share)
				*share = n / 100;
			share = NULL;
		} else {
			time = !strcmp(w, "delay") ? &delay_ns : NULL;
			share = probability(w);
			if (!time && !share) {
				errno = EINVAL;
				trigger_die("'%s': expected delay, loss, duplicate or reorder", w);
			}
		}
	}
}

static int make_device(const char *pid, const char *name)
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

static void queue_packet(int to, const char *bytes, size_t len, long long due_ns)
{
	struct packet **at = &queue, *p;

	if (queue_len >= QUEUE_MAX)
		return;
	p = malloc(sizeof(*p) + len);
	if (!p)
		trigger_die("memory");
	memcpy(p->bytes, bytes, len);
	p->len = len;
	p->to = to;
	p->due_ns = due_ns;
	while (*at && (*at)->due_ns <= due_ns)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
	queue_len++;
}

static void receive_packets(int from, int to)
{
	static char bytes[PACKET_MAX];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0) {
		int copies = drand48() < loss ? 0 : drand48() < duplicate ? 2 : 1;

		while (copies--) {
			long long due_ns = now_ns();

			if (drand48() >= reorder)
				due_ns += delay_ns + (long long)((drand48() * 2 - 1) * jitter_ns);
			queue_packet(to, bytes, n, due_ns);
		}
	}
}

/* Returns the time until the next packet is due; NULL if the queue is empty. */
static struct timespec *send_due_packets(struct timespec *t)
{
	long long now = now_ns(), left;

	while (queue && queue->due_ns <= now) {
		struct packet *p = queue;

		queue = p->next;
		queue_len--;
		/* other errors count as loss */
		if (write(p->to, p->bytes, p->len) < 0 && errno == EBADFD)
			exit(0);
		free(p);
	}
	if (!queue)
		return NULL;
	left = queue->due_ns - now;
	t->tv_sec = left / (1000 * NS_PER_MS);
	t->tv_nsec = left % (1000 * NS_PER_MS);
	return t;
}

int main(int argc, char **argv)
{
	struct pollfd ends[2];
	struct timespec t;

	if (argc != 4)
		trigger_usage(
			"PID PID '[delay MSms [MSms]] [loss N%] [duplicate N%] [reorder N%]'");
	parse(argv[3]);
	srand48(1); /* the same losses in every run */
	for (int i = 0; i < 2; i++)
		ends[i] = (struct pollfd){.fd = make_device(argv[i + 1], i ? "cw1" : "cw0"),
					  .events = POLLIN};
	trigger_report("\"ready\":true");
	while (ppoll(ends, 2, send_due_packets(&t), NULL) >= 0 || errno == EINTR)
		for (int i = 0; i < 2; i++)
			if (ends[i].revents & POLLIN)
				receive_packets(ends[i].fd, ends[!i].fd);
	return 1;
}
