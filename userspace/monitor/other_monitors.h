/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * other_monitors.h - monitors that run already when this one starts. What they read of servers is no finding, and they are
 * protected like this one. One that is started later is recognised by its exec, see bpf/process.bpf.c.
 */
#ifndef CACHEWARDEN_OTHER_MONITORS_H
#define CACHEWARDEN_OTHER_MONITORS_H

struct sensors;

/*
 * Tell the sensors which processes run the same code as this one: they map no other executable files than it does, and
 * have changed no page of them (Documentation/filesystems/proc.rst, smaps). The kernel's side then looks at their
 * credentials. Call before sensors_sweep_monitors().
 */
void other_monitors_adopt(struct sensors *sensors);

#endif
