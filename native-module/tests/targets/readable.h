/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what may raise a signal. */
#ifndef TARGETS_READABLE_H
#define TARGETS_READABLE_H

#include <setjmp.h>
#include <stdbool.h>

static sigjmp_buf back;

/* A handler of the signals that readable() stands. */
static inline void leave(int signal)
{
	siglongjmp(back, signal);
}

static inline bool readable(volatile char *p)
{
	if (sigsetjmp(back, 1))
		return false;
	(void)*p;
	return true;
}

#endif /* TARGETS_READABLE_H */
