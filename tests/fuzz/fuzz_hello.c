/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_hello.c - libFuzzer on what a server answers to the ClientHellos of `cachewarden validate`.
 *
 * Invariants: nothing behind the buffer is read; what is chosen is a version that there is; once an answer is whole, more
 * bytes do not change it.
 */
#include "validate/hello.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hello_choice whole = {}, part = {};
	uint8_t *copy = malloc(size ?: 1);
	enum hello_answer a;

	/* of its own size, so that reading behind its end is found */
	memcpy(copy, data, size);
	a = hello_read(copy, size, &whole);
	if (a == HELLO_CHOSEN && (whole.version < 0x0300 || whole.version > 0x0304))
		abort();
	for (size_t n = 0; n < size; n++) {
		enum hello_answer before = hello_read(data, n, &part);

		if (before != HELLO_MORE && before != a)
			abort();
	}
	free(copy);
	return 0;
}
