/* SPDX-License-Identifier: Apache-2.0 */
/* What a program keeps from processes that it forks, so from its snapshots. */
#ifndef PRELOAD_KEPT_MEMORY_H
#define PRELOAD_KEPT_MEMORY_H

#include <stdint.h>

/* Bytes of private memory with MADV_DONTFORK; 0 also if that cannot be read. */
uint64_t kept_memory(void);

#endif /* PRELOAD_KEPT_MEMORY_H */
