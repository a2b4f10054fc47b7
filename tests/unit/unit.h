/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h - cmocka and the headers it requires. */
#ifndef CACHEWARDEN_UNIT_H
#define CACHEWARDEN_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
