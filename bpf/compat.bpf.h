/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compat.bpf.h - every place where kernels differ, each with the change it bridges.
 */
#ifndef CACHEWARDEN_COMPAT_BPF_H
#define CACHEWARDEN_COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Syscall arguments as the kernel saved them at entry. At exit they still stand there: only the
 * return register has been written. arm64 returns in x0, so the first argument is orig_x0.
 */
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_ARG1(r) ((r)->di)
#define SYSCALL_ARG2(r) ((r)->si)
#define SYSCALL_ARG3(r) ((r)->dx)
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_ARG1(r) ((r)->orig_x0)
#define SYSCALL_ARG2(r) ((r)->user_regs.regs[1])
#define SYSCALL_ARG3(r) ((r)->user_regs.regs[2])
#else
#error "cachewarden knows the syscall registers of x86-64 and arm64"
#endif

#endif
