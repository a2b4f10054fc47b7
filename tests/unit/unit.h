/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h - cmocka with what it needs before it. */
#ifndef CACHEWARDEN_UNIT_H
#define CACHEWARDEN_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
