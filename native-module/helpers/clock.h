/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that every helper times itself by. */
#ifndef HELPERS_CLOCK_H
#define HELPERS_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in ns. */
static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

#endif /* HELPERS_CLOCK_H */
