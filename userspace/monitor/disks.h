/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disks.h - the block devices that hold the files of instances: whoever reads one reads these files below the file system.
 * For a file system on a partition, the whole disk is one as well; for a device made of others (LVM, RAID), these are. What
 * is below an encrypted device is not: there is only ciphertext.
 */
#ifndef CACHEWARDEN_DISKS_H
#define CACHEWARDEN_DISKS_H

#include "map.h"
#include "sensor/sensors.h"

#include <stddef.h>
#include <stdint.h>

#define DISK_SYSTEMS_MAX 64 /* file systems with files of instances; more are counted */

struct disks {
	uint32_t systems[DISK_SYSTEMS_MAX]; /* as of the last update */
	size_t system_count;
	uint32_t all[DISKS_MAX]; /* registered with the BPF programs */
	size_t count;
	uint64_t unknown; /* most of them that could not be found, or found no room, at a time */
};

/*
 * These file systems, by their device numbers as the kernel has them, hold files of running instances. At most
 * DISK_SYSTEMS_MAX, each once; beyond: how many more there are.
 */
void disks_update(struct disks *d, struct sensors *s, const uint32_t *systems, size_t count,
		  size_t beyond);

/*
 * The number, as the kernel has it, of a block device that is mounted by that name, also where no node of that name is in
 * the monitor's /dev (PrivateDevices). 0: it cannot be found.
 */
uint32_t disks_device_named(const char *source);

#endif
