// SPDX-License-Identifier: BSD-2-Clause
/* payload_kind.c - see payload_kind.h. */
#include "model/payload_kind.h"

#include "base/macros.h"
#include "event.h"

#include <stddef.h>

static const struct {
	const char *name, *text;
} kinds[] = {
	[PAYLOAD_OTHER] = {"other", "not a TLS record"},
	[PAYLOAD_RESP_COMMAND] = {"resp-command", "RESP command"},
	[PAYLOAD_RESP_REPLY] = {"resp-reply", "RESP reply"},
	[PAYLOAD_INLINE] = {"inline", "inline command"},
	[PAYLOAD_HTTP] = {"http-request", "HTTP request"},
	[PAYLOAD_PRINTABLE] = {"printable", "printable text"},
	[PAYLOAD_SSLV2_HELLO] = {"sslv2-hello", "SSLv2 hello"},
	[PAYLOAD_HTTP_RESPONSE] = {"http-response", "HTTP response"},
	[PAYLOAD_DATA_RECORD] = {"application data without a handshake",
				 "application data without a handshake"},
	[PAYLOAD_WRONG_RECORD] = {"a record out of sequence", "a record out of sequence"},
	[PAYLOAD_WRONG_HANDSHAKE] = {"a handshake record without a handshake",
				     "a handshake record without a handshake"},
};
_Static_assert(ARRAY_SIZE(kinds) == PAYLOAD_MAX, "every payload kind has a name");

const char *payload_kind_name(unsigned int kind)
{
	return kind < PAYLOAD_MAX ? kinds[kind].name : NULL;
}

const char *payload_kind_text(unsigned int kind)
{
	return kind < PAYLOAD_MAX ? kinds[kind].text : NULL;
}
