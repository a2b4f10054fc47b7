/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * base.bpf.h - what every BPF object includes: kernel types, libbpf's helpers, the license.
 */
#ifndef CACHEWARDEN_BASE_BPF_H
#define CACHEWARDEN_BASE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define EPERM 1
#define EIO 5
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EINVAL 22

/* A pointer as a scalar. A global function takes no kernel pointer, but any number. */
static __always_inline u64 address(const void *p)
{
	u64 addr = 0;

	bpf_probe_read_kernel(&addr, sizeof(addr), &p);
	return addr;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#endif
