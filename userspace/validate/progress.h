/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.h - one line on a terminal that says what is being done, and is gone when that is over. Elsewhere it is nothing. */
#ifndef CACHEWARDEN_PROGRESS_H
#define CACHEWARDEN_PROGRESS_H

/* Replace the line on standard error, if that is a terminal. */
__attribute__((format(printf, 1, 2))) void progress(const char *fmt, ...);

/* Remove it: something else will be written, or all is done. */
void progress_end(void);

#endif
