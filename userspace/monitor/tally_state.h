/* SPDX-License-Identifier: BSD-2-Clause */
/* tally_state.h - what tally.h counts, since the last tally. */
#ifndef CACHEWARDEN_TALLY_STATE_H
#define CACHEWARDEN_TALLY_STATE_H

#include "model/alert.h"
#include "model/carried.h"
#include "model/rule.h"
#include "policy/policy.h"

#include "map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_ROWS_MAX 512 /* servers; those beyond are counted with the host */
#define TALLY_SUITES 16	   /* combinations of version and suite, of one server */
#define TALLY_ALLOWS 8	   /* entries of the policy */
#define TALLY_NOTES 24	   /* blind spots */
#define TALLY_ENTRY_LEN 256
#define TALLY_EVERY_S 900

struct tally_row {
	uint32_t instance; /* 0: the host */
	uint64_t access[RULE_MAX][VERDICT_MAX];
	uint64_t incidents, plaintext_bytes;
	struct carried carried;
	struct {
		uint16_t version, cipher;
		uint64_t count;
	} suite[TALLY_SUITES];
	uint64_t other_suites;
	struct {
		char entry[TALLY_ENTRY_LEN], reason[TALLY_ENTRY_LEN];
		uint64_t count;
	} allow[TALLY_ALLOWS];
	uint64_t other_allows;
};

struct tally_note {
	char text[ALERT_NOTE_LEN];
	uint64_t count;
};

struct tally {
	struct carried_conns carried;
	uint64_t carried_failed; /* open connections could not all be read */
	struct tally_row *row;	 /* the first is the host's */
	size_t rows, room;
	struct tally_note note[TALLY_NOTES];
	uint64_t other_notes;
	uint64_t counter[COUNTER_MAX]; /* as of the last tally */
	uint64_t unread, seen;	       /* handshakes, the same */
	uint64_t sweeps, sweeps_failed;
	uint64_t swept_ns;	 /* when the last sweep began that was looked at */
	uint64_t longest_gap_ns; /* between the beginnings of two */
	int64_t since_ms;	 /* 0: nothing is counted yet */
	uint64_t next_ns;
	bool sensors_lost;
};

#endif
