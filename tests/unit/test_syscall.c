/* SPDX-License-Identifier: BSD-2-Clause */
/* test_syscall.c - the syscall table against the kernel's headers, and the names it returns. */
#include "unit.h"

#include "model/syscall.h"
#include "model/vector.h"

#include "hooked_syscall.h"
#include "syscall_nr.h"

#include <asm/unistd_32.h>

#define __NR_newfstatat SYSCALL_MISSING	     /* fstatat64 in the 32-bit ABI */
#define __NR_kexec_file_load SYSCALL_MISSING /* 64-bit only */

/* The native numbers are compared when syscall.c is compiled. */
static void numbers_32_bit_callers_use_match_the_kernel_headers(void **state)
{
#define CHECK(name, number, number32) assert_int_equal(NR32_##name, SYSCALL_32BIT | __NR_##name);
	SYSCALL_TABLE(CHECK)
#undef CHECK
}

static void number_of_either_abi_has_its_name(void **state)
{
	assert_string_equal(syscall_name(NR_ptrace), "ptrace");
	assert_string_equal(syscall_name(SYSCALL_32BIT | 26), "ptrace");
	assert_string_equal(syscall_name(SYSCALL_32BIT | 180), "pread64");
}

static void number_outside_the_table_has_no_name(void **state)
{
	assert_null(syscall_name(SYSCALL_MISSING));
	assert_null(syscall_name(SYSCALL_32BIT | SYSCALL_MISSING));
	assert_null(syscall_name(39)); /* getpid */
}

static void every_hooked_syscall_has_a_vector(void **state)
{
	size_t n = 0;

	for (const struct vector *v; (v = vector_syscall(n)); n++)
		assert_true(v->name[0] && v->rules[0] && v->target[0]);
	assert_true(n > 0);
#define CHECK(abbr, name, ...) assert_string_equal(syscall_name(NR_##name), #name);
	HOOKED_SYSCALLS(CHECK)
#undef CHECK
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_32_bit_callers_use_match_the_kernel_headers),
		cmocka_unit_test(number_of_either_abi_has_its_name),
		cmocka_unit_test(number_outside_the_table_has_no_name),
		cmocka_unit_test(every_hooked_syscall_has_a_vector),
	};

	return cmocka_run_group_tests_name("syscall", tests, NULL, NULL);
}
