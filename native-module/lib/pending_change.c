// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/pending_change.h"

#include <linux/futex.h>
#include <time.h>

#include "paging/raw_syscall.h"

/* By which glibc cancels threads (SIGCANCEL, 32), and changes their user (SIGSETXID, 33). */
#define C_LIBRARY_SIGNALS (1ull << 31 | 1ull << 32)

/* Of the number and the count, as a futex: the count. */
static uint32_t *count_of(struct pending_change *p)
{
	return (uint32_t *)&p->looked;
}

void pending_change_begin(struct pending_change *p, uint32_t stop, uint32_t awaited)
{
	atomic_store(&p->awaited, awaited);
	atomic_store(&p->looked, (uint64_t)stop << 32);
}

void pending_change_look(struct pending_change *p, uint32_t stop, uint64_t blocked)
{
	uint64_t pending = 0, looked;

	raw_syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	if (pending & C_LIBRARY_SIGNALS & ~blocked)
		atomic_store(&p->found, stop);
	looked = atomic_load(&p->looked);
	do {
		if (looked >> 32 != stop)
			return;
	} while (!atomic_compare_exchange_weak(&p->looked, &looked, looked + 1));
	/* The last one wakes the thread that waits for all. */
	if ((uint32_t)looked + 1 == atomic_load(&p->awaited))
		raw_syscall(SYS_futex, count_of(p), FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

bool pending_change_await(struct pending_change *p, uint32_t wait_ms)
{
	const struct timespec time = { .tv_nsec = wait_ms * 1000000l };
	uint32_t looked = (uint32_t)atomic_load(&p->looked);

	if (looked < atomic_load(&p->awaited))
		raw_syscall(SYS_futex, count_of(p), FUTEX_WAIT_PRIVATE, looked,
			    &time, 0, 0);
	return (uint32_t)atomic_load(&p->looked) >= atomic_load(&p->awaited);
}

bool pending_change_found(const struct pending_change *p, uint32_t stop)
{
	return atomic_load(&p->found) == stop;
}
