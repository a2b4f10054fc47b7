// SPDX-License-Identifier: BSD-2-Clause
/* loss.c - see loss.h. The names are a contract: logs are kept for years. */
#include "monitor/loss.h"

#include "base/macros.h"

#include <string.h>

const struct loss loss[] = {
	{COUNTER_LOST, "lost", "attempts"},
	{COUNTER_RING_FULL, "lost", "details"},
	{COUNTER_UNREPORTED, "lost", "starts"},
	{COUNTER_PROCS_FULL, "lost", "processes_unprotected"},
	{COUNTER_FILES_FULL, "lost", "files_unprotected"},
	{COUNTER_CHECK_LOST, "lost", "outcomes"},
	{COUNTER_URING_OPENS_UNSEEN, "lost", "uring_opens"},
	{COUNTER_CHUNKS_LOST, "lost", "handshakes"},
	{COUNTER_ENDS_LOST, "lost", "connection_ends"},
	{COUNTER_MARK_FAILED, "wire", "sockets_unmarked"},
	{COUNTER_SOCKETS_LATE, "wire", "sockets_late"},
	{COUNTER_CONTENDED, "wire", "segments_skipped"},
	{COUNTER_UNREAD, "wire", "segments_unread"},
	{COUNTER_SUBFLOWS_UNSEEN, "wire", "subflows_unseen"},
	{COUNTER_STREAMS_UNSYNCED, "wire", "streams_unsynced"},
	{COUNTER_STREAMS_RESYNCED, "wire", "streams_resynced"},
	{COUNTER_BYTES_UNSYNCED, "wire", "bytes_unsynced"},
};

const size_t losses = ARRAY_SIZE(loss);

void losses_json(struct jsonw *j, const uint64_t value[])
{
	for (size_t i = 0; i < losses; i++) {
		if (!i || strcmp(loss[i].group, loss[i - 1].group))
			jsonw_object(j, loss[i].group);
		jsonw_int(j, loss[i].name, (int64_t)value[loss[i].id]);
		if (i + 1 == losses || strcmp(loss[i].group, loss[i + 1].group))
			jsonw_end_object(j);
	}
}
