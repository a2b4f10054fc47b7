// SPDX-License-Identifier: BSD-2-Clause
/* loss.c - see loss.h. The names are a contract: logs are kept for years. */
#include "monitor/loss.h"

#include "base/macros.h"

const struct loss loss[] = {
	{COUNTER_LOST, "lost", "attempts"},
	{COUNTER_RING_FULL, "lost", "details"},
	{COUNTER_UNREPORTED, "lost", "starts"},
	{COUNTER_PROCS_FULL, "lost", "processes_unprotected"},
	{COUNTER_FILES_FULL, "lost", "files_unprotected"},
	{COUNTER_CHECK_LOST, "lost", "outcomes"},
	{COUNTER_URING_OPENS_UNSEEN, "lost", "uring_opens"},
	{COUNTER_CHUNKS_LOST, "lost", "handshakes"},
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
