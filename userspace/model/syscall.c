// SPDX-License-Identifier: BSD-2-Clause
/* syscall.c - see syscall.h. */
#include "model/syscall.h"

#include "base/macros.h"
#include "syscall_nr.h"

#include <stddef.h>
#include <syscall.h>

struct entry {
	unsigned int nr, nr32;
	const char *name;
};

#define ENTRY(name, number, number32) {NR_##name, NR32_##name, #name},
static const struct entry table[] = {SYSCALL_TABLE(ENTRY)};
#undef ENTRY

#define CHECK(name, number, number32)                                                              \
	_Static_assert(NR_##name == SYS_##name, "syscall_nr.h disagrees with the C library");
SYSCALL_TABLE(CHECK)
#undef CHECK

const char *syscall_name(unsigned int nr)
{
	if ((nr & SYSCALL_NUMBER_MASK) == SYSCALL_MISSING)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].nr == nr || table[i].nr32 == nr)
			return table[i].name;
	}
	return NULL;
}
