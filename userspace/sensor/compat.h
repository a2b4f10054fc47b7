/* SPDX-License-Identifier: BSD-2-Clause */
/* compat.h - where kernels differ for the loader: names and types that moved. */
#ifndef CACHEWARDEN_SENSOR_COMPAT_H
#define CACHEWARDEN_SENSOR_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_program;
struct btf;

/* Name of the io_uring completion program that fits this kernel, NULL if none does. */
const char *compat_uring_program(const struct btf *btf);

/* Function behind every open of a file. */
const char *compat_open_function(const struct btf *btf);

/* Does the kernel tell when memory of another process is about to be read or written? */
bool compat_has_mmap_lock_event(const struct btf *btf);

/* Is there anything to look at? A syscall that a kernel does not have needs no hook. */
bool compat_has_target(const struct btf *btf, const struct bpf_program *prog);

/* The bit that marks a trace event as a uprobe, 0 if unknown. */
uint32_t compat_uprobe_flag(const struct btf *btf);

#define COMPAT_USER_HELPERS 7

/* Distances of the helpers that read or write user memory. Returns how many were found. */
size_t compat_user_helpers(int32_t ret[COMPAT_USER_HELPERS]);

#endif
