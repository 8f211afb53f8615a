/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the restorer share: see restore.h. A function of it calls others of its section
 * only.
 */
#ifndef LIB_RESTORER_H
#define LIB_RESTORER_H

#include "lib/restore_plan.h"
#include "paging/raw_syscall.h"

#define RESTORER __attribute__((section("restorer")))
#define INLINE	 static inline __attribute__((always_inline))

#define RSEQ_UNREGISTER 1

enum step {
	STEP_RSEQ = 1,
	STEP_PARK_VDSO,
	STEP_UNMAP,
	STEP_MAP,
	STEP_PLACE_VDSO,
	STEP_REGISTER_PAGES,
	STEP_REQUEST_PAGES,
	STEP_LAYOUT,
	STEP_LIFELINE,
	STEP_THREAD,
};

/* Ends the process, with a message on standard error. */
INLINE void __attribute__((noreturn))
give_up(struct restore_plan *plan, enum step step)
{
	plan->failed_step = step;
	/* The two characters before the newline are the step. */
	plan->error_message[plan->error_message_size - 3] = '0' + step / 10;
	plan->error_message[plan->error_message_size - 2] = '0' + step % 10;
	raw_syscall(SYS_write, 2, plan->error_message, plan->error_message_size);
	for (;;)
		raw_syscall(SYS_exit_group, RESTORE_FAILED_STATUS);
}

/* The calling thread becomes the caller of prepare, but for its general registers. */
void restorer_become_caller(struct restore_plan *plan);

/* Unmaps the part of the restorer area that a child does not keep. */
void restorer_unmap_rest(struct restore_plan *plan);

/* Returns from prepare as its caller. */
void restorer_go_on(struct restore_plan *plan) __attribute__((noreturn));

/* Makes all other threads, and goes on as the first one of the process. */
void restorer_go_on_with_threads(struct restore_plan *plan)
	__attribute__((noreturn));

#endif /* LIB_RESTORER_H */
