/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a process's memory that would fail a child after the point of no return. */
#ifndef LIB_MEMORY_LIMITS_H
#define LIB_MEMORY_LIMITS_H

#include <stdint.h>

struct descriptor_header;
struct descriptor_limit;

/* What a child of a snapshot needs. */
struct memory_need {
	uint64_t all, data; /* bytes that RLIMIT_AS and RLIMIT_DATA count */
	uint64_t all_limit, data_limit; /* that its parent had */
	uint32_t maps;
};

void memory_need_of(const struct descriptor_header *descriptor, uint64_t size,
		    struct memory_need *need);

/*
 * Whether this process may have that much, by the limits that it has or could set itself.
 * Returns 0 or -ENOMEM with a message.
 */
int memory_limits_check(const struct memory_need *need, const char *what);

#endif /* LIB_MEMORY_LIMITS_H */
