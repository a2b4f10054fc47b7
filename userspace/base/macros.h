/* SPDX-License-Identifier: BSD-2-Clause */
/* macros.h - macros that any file may need. */
#ifndef CACHEWARDEN_MACROS_H
#define CACHEWARDEN_MACROS_H

/* Number of elements of an array; does not detect a pointer. */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
