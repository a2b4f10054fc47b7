/* SPDX-License-Identifier: BSD-2-Clause */
/* debian_version.h - which of two versions of a Debian package is newer (deb-version(7)). Pure. */
#ifndef CACHEWARDEN_DEBIAN_VERSION_H
#define CACHEWARDEN_DEBIAN_VERSION_H

/* Negative if a is older than b, 0 if they are the same version, positive if it is newer. Any text has a place. */
int debian_version_compare(const char *a, const char *b);

#endif
