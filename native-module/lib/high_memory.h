/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory above what 4-level page tables reach, which a process has if it asks for such addresses on a
 * CPU with 5 levels. A descriptor has none of it.
 */
#ifndef LIB_HIGH_MEMORY_H
#define LIB_HIGH_MEMORY_H

#include <stdint.h>

/* Finds out whether there can be any, once. */
void high_memory_init(void);

/* Returns 0, or -EOPNOTSUPP with a message that names the address. */
int high_memory_check(void);

/* The first mapping that ends above `from`. Returns 1 with its start, 0 or -errno. */
int high_memory_find(uint64_t from, uint64_t *start);

#endif /* LIB_HIGH_MEMORY_H */
