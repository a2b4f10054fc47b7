// SPDX-License-Identifier: BSD-2-Clause
/* collector.c - see collector.h. A record is validated before it is used. */
#include "sensor/collector.h"

#include "model/conn.h"
#include "base/log.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct collector {
	struct ring_buffer *ring;
	int attempts_fd;
	collector_event_fn on_event;
	collector_handshake_fn on_chunk;
	void *ctx;
	uint64_t refused;
	struct attempt_key *keys; /* ATTEMPTS_MAX of each, for a batch */
	struct attempt *values;
};

static bool is_terminated(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

bool collector_valid(const void *record, size_t size, const char **why)
{
	const struct event *ev = record;

	*why = NULL;
	if (size < offsetof(struct event, key))
		*why = "shorter than a header";
	else if (ev->magic != EVENT_MAGIC)
		*why = "not an event";
	else if (ev->version != EVENT_VERSION)
		*why = "of another version";
	else if (ev->size != sizeof(*ev) || size < sizeof(*ev))
		*why = "truncated";
	else if (ev->type <= EVENT_NONE || ev->type >= EVENT_MAX)
		*why = "of an unknown type";
	else if (ev->key.rule >= RULE_MAX || ev->key.vector >= VECTOR_MAX)
		*why = "of an unknown rule or vector";
	else if (ev->actor.ancestors > ANCESTORS_MAX ||
		 ev->actor.exe.off + ev->actor.exe.len > PATH_LEN ||
		 ev->object.off + ev->object.len > PATH_LEN ||
		 !is_terminated(ev->actor.comm, COMM_LEN))
		*why = "inconsistent";
	for (uint32_t i = 0; !*why && i < ev->actor.ancestors; i++) {
		const struct ancestor_info *a = &ev->actor.ancestor[i];

		if (!is_terminated(a->comm, COMM_LEN) || a->exe.off + a->exe.len > PATH_LEN)
			*why = "inconsistent";
	}
	return !*why;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct collector *c = ctx;
	const char *why;

	if (collector_valid(data, size, &why)) {
		c->on_event(c->ctx, data);
	} else if (!c->refused++) {
		log_warn(
			"discarded a record from the ring buffer: it is %s; further ones are counted without a message",
			why);
	}
	return 0;
}

int collector_open(struct collector **ret, const struct sensors *s, collector_event_fn on_event,
		   void *ctx)
{
	struct collector *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->on_event = on_event;
	c->ctx = ctx;
	c->attempts_fd = sensors_attempts_fd(s);
	c->keys = calloc(ATTEMPTS_MAX, sizeof(*c->keys));
	c->values = calloc(ATTEMPTS_MAX, sizeof(*c->values));
	c->ring = ring_buffer__new(sensors_events_fd(s), on_record, c, NULL);
	if (!c->keys || !c->values || !c->ring) {
		collector_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

static int on_handshake(void *ctx, void *data, size_t size)
{
	struct collector *c = ctx;

	if (handshake_chunk_valid(data, size))
		c->on_chunk(c->ctx, data);
	else
		c->refused++;
	return 0;
}

int collector_handshakes(struct collector *c, int fd, collector_handshake_fn on_chunk)
{
	c->on_chunk = on_chunk;
	return ring_buffer__add(c->ring, fd, on_handshake, c);
}

void collector_free(struct collector *c)
{
	if (!c)
		return;
	ring_buffer__free(c->ring);
	free(c->keys);
	free(c->values);
	free(c);
}

int collector_poll(struct collector *c, int timeout_ms)
{
	int n = ring_buffer__poll(c->ring, timeout_ms);

	return n == -EINTR ? 0 : n;
}

int collector_fd(const struct collector *c)
{
	return ring_buffer__epoll_fd(c->ring);
}

int collector_sums(struct collector *c, collector_sum_fn fn, void *ctx)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t batch = 0, count = ATTEMPTS_MAX;
	int err = bpf_map_lookup_batch(c->attempts_fd, NULL, &batch, c->keys, c->values, &count,
				       &opts);

	if (err && err != -ENOENT)
		return err;
	for (uint32_t i = 0; i < count; i++)
		fn(ctx, &c->keys[i], &c->values[i]);
	return 0;
}

int collector_take(struct collector *c, const struct attempt_key *key, struct attempt *ret)
{
	return bpf_map_lookup_and_delete_elem(c->attempts_fd, key, ret);
}

uint64_t collector_refused(const struct collector *c)
{
	return c->refused;
}
