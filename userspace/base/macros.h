/* SPDX-License-Identifier: BSD-2-Clause */
/* macros.h - macros that any file may need. */
#ifndef CACHEWARDEN_MACROS_H
#define CACHEWARDEN_MACROS_H

#include <stddef.h>

/* Number of elements of an array; does not detect a pointer. */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The struct of that type whose member ptr points to. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
