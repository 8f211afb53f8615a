/* SPDX-License-Identifier: Apache-2.0 */
/* The per-CPU page servers of a shadow: processes that serve a copy of its memory. */
#ifndef LIB_MEMORY_SERVER_H
#define LIB_MEMORY_SERVER_H

#include "lib/own_memory.h"

/* The `fork_cpu_server` of a struct own_memory's source. Returns a pidfd or -errno. */
int memory_server_fork(struct page_source *source, int channel);

#endif /* LIB_MEMORY_SERVER_H */
