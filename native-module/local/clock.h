/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of deadlines. */
#ifndef LOCAL_CLOCK_H
#define LOCAL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Of CLOCK_MONOTONIC. */
static inline int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

#endif /* LOCAL_CLOCK_H */
