// SPDX-License-Identifier: BSD-2-Clause
/* payload_kind.c - see payload_kind.h. */
#include "model/payload_kind.h"

#include "base/macros.h"
#include "event.h"

#include <stddef.h>

static const char *const names[] = {
	[PAYLOAD_OTHER] = "other",
	[PAYLOAD_RESP_COMMAND] = "resp-command",
	[PAYLOAD_RESP_REPLY] = "resp-reply",
	[PAYLOAD_INLINE] = "inline",
	[PAYLOAD_HTTP] = "http",
	[PAYLOAD_PRINTABLE] = "printable",
	[PAYLOAD_SSLV2_HELLO] = "sslv2-hello",
	[PAYLOAD_DATA_RECORD] = "application data without a handshake",
	[PAYLOAD_WRONG_RECORD] = "a record out of sequence",
	[PAYLOAD_WRONG_HANDSHAKE] = "a handshake record without a handshake",
};
_Static_assert(ARRAY_SIZE(names) == PAYLOAD_MAX, "every payload kind has a name");

const char *payload_kind_name(unsigned int kind)
{
	return kind < PAYLOAD_MAX ? names[kind] : NULL;
}
