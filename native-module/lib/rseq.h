/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The restartable-sequence area that the C library registered. The kernel writes to it whenever the thread comes
 * to another CPU, and a fork inherits the registration: what holds the memory of a snapshot must not have it.
 */
#ifndef LIB_RSEQ_H
#define LIB_RSEQ_H

#include <stdint.h>

#include "paging/raw_syscall.h"
#include "proto/descriptor.h"

#define RSEQ_UNREGISTER 1

/* What the area must hold when it is registered: linux/rseq.h. */
struct rseq_area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t rseq_cs;
	uint32_t flags;
};

/* Address, size and signature as registered for this thread; 0 if none is. */
void rseq_of_caller(uint64_t *address, uint32_t *size, uint32_t *signature);

/* Both without libc, and of a thread that has registered its area: they return 0 or -errno. */
static inline __attribute__((always_inline)) long
rseq_register(const struct descriptor_thread *t)
{
	volatile struct rseq_area *area = (void *)t->rseq_address;

	area->cpu_id = (uint32_t)-1; /* not registered yet */
	area->rseq_cs = 0;
	area->flags = 0;
	return raw_syscall(SYS_rseq, t->rseq_address, t->rseq_size, 0,
			   t->rseq_signature);
}

static inline __attribute__((always_inline)) long
rseq_unregister(const struct descriptor_thread *t)
{
	return raw_syscall(SYS_rseq, t->rseq_address, t->rseq_size, RSEQ_UNREGISTER,
			   t->rseq_signature);
}

#endif /* LIB_RSEQ_H */
