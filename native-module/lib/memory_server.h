/* SPDX-License-Identifier: Apache-2.0 */
/* A process that serves its own memory: the shadow, and its per-CPU page servers. */
#ifndef LIB_MEMORY_SERVER_H
#define LIB_MEMORY_SERVER_H

#include "lib/own_memory.h"

/* Serves the memory of this process until the channel is closed. */
void __attribute__((noreturn))
memory_server_run(struct own_memory *own, int channel);

/* The `fork_cpu_server` of a struct own_memory's source. Returns a pidfd or -errno. */
int memory_server_fork(struct page_source *source, int channel);

#endif /* LIB_MEMORY_SERVER_H */
