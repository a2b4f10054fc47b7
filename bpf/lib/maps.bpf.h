/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maps.bpf.h - the maps that several sensors share. Keys, values and sizes: map.h and event.h.
 *
 * Each object defines them; the loader makes all objects use the same instances. A map that only
 * one sensor uses is defined beside the code that uses it.
 */
#ifndef CACHEWARDEN_MAPS_BPF_H
#define CACHEWARDEN_MAPS_BPF_H

#include "event.h"
#include "lib/base.bpf.h"
#include "map.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} events SEC(".maps");

/* Members of instances by tgid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct member);
} procs SEC(".maps");

/* How many members procs has in each slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMBER_SLOTS);
	__type(key, u32); /* member_slot() */
	__type(value, u32);
} member_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32); /* instance */
	__type(value, struct server);
} servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ATTEMPTS_MAX);
	__type(key, struct attempt_key);
	__type(value, struct attempt);
} attempts SEC(".maps");

/* Attempts that are in no count and no event. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct lost_key);
	__type(value, u64);
} lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_MAX);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");

/* Files that instances execute or map executable. A sweep removes those of instances that have ended. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAPPED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct mapped_key);
	__type(value, u32); /* account that it is charged to */
} mapped SEC(".maps");

/*
 * What hooks reported, so that a sweep does not report it again. Each sweep looks up what still lasts, so that what is dropped
 * here has ended.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, REPORTED_MAX);
	__type(key, struct reported_key);
	__type(value, u32);
} reported SEC(".maps");

/* Instances that have finished starting: code that becomes executable from now on is reported. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} baselined SEC(".maps");

/* Rules to prevent for each instance, as a mask of 1 << rule. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} prevent_rules SEC(".maps");

/* Files on disk that instances opened themselves. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FILES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct file_key);
	__type(value, struct file_owner);
} files SEC(".maps");

/* Block devices that hold files of instances, by the kernel's dev_t. They belong to the host: several may have files there. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DISKS_MAX);
	__type(key, u32);
	__type(value, struct file_owner); /* INSTANCE_HOST, HOST_DISK */
} disks SEC(".maps");

/* Which inode numbers files may have. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FILE_WORDS);
	__type(key, u32); /* file_word() */
	__type(value, u64);
} file_bits SEC(".maps");

/*
 * Pipes that instances made. Only /proc/PID/fd/N leads to one, through whatever links. Pipes that an
 * instance inherited are not among them. A sweep removes those that nobody holds any more.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PIPES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct file_key);
	__type(value, struct own_pipe);
} own_pipes SEC(".maps");

/* The instance for which the task's current syscall was denied or the task was killed. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u32);
} prevented SEC(".maps");

#endif
