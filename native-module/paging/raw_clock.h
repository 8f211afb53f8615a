/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of deadlines without the C library: see raw_syscall.h. */
#ifndef PAGING_RAW_CLOCK_H
#define PAGING_RAW_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "paging/raw_syscall.h"

/* Of CLOCK_MONOTONIC. */
static inline int64_t raw_now_ms(void)
{
	struct timespec now = { 0 };

	raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

#endif /* PAGING_RAW_CLOCK_H */
