/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compat.bpf.h - every place where kernels differ, each with the change it bridges.
 */
#ifndef CACHEWARDEN_COMPAT_BPF_H
#define CACHEWARDEN_COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "syscall_nr.h"

/*
 * Syscall arguments as the kernel saved them at entry. At exit they still stand there: only the
 * return register has been written. Another architecture goes here; its syscall
 * numbers go to syscall_nr.h.
 */
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_ARG1(r) ((r)->di)
#define SYSCALL_ARG2(r) ((r)->si)
#define SYSCALL_ARG3(r) ((r)->dx)
#define SYSCALL_ARG4(r) ((r)->r10)
#define SYSCALL_ARG5(r) ((r)->r8)
#define SYSCALL32_ARG1(r) ((r)->bx)
#define SYSCALL32_ARG2(r) ((r)->cx)
#define SYSCALL32_ARG3(r) ((r)->dx)
#define SYSCALL32_ARG4(r) ((r)->si)
#define SYSCALL32_ARG5(r) ((r)->di)
#define SYSCALL_NUMBER(r) ((r)->orig_ax)
#define SYSCALL_FN "__x64_sys_"
#define SYSCALL32_FN "__ia32_sys_"
#define TS_COMPAT 0x0002
#define COMPAT_CALL(task) ((task)->thread_info.status & TS_COMPAT)
#else
#error "cachewarden knows the syscall registers of x86-64"
#endif

#endif
