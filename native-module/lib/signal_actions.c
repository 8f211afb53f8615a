// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/signal_actions.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNAL_BIT(number) (1ull << ((number)-1))

/* Of this process. Not by sigaction(2): the C library hides the signals that it uses. */
static bool is_ignored(int number)
{
	struct descriptor_signal own = { 0 };

	return !syscall(SYS_rt_sigaction, number, NULL, &own, sizeof(own.mask)) &&
	       own.handler == (uintptr_t)SIG_IGN;
}

static bool is_default(const struct descriptor_signal *s)
{
	return s->handler == (uintptr_t)SIG_DFL && !s->flags && !s->mask;
}

uint64_t signal_actions_to_set(const struct descriptor_header *descriptor,
			       uint32_t known)
{
	uint64_t set = ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
	int number;

	if (known != MITOSIS_SIGNALS_CLEARED)
		return set;
	/* One more than the caller's may have been changed by lib/child_namespace.c. */
	for (number = 1; number <= DESCRIPTOR_SIGNALS; number++)
		if (is_default(&descriptor->signals[number - 1]) &&
		    !is_ignored(number) &&
		    !(number == SIGCHLD && descriptor_has_threads(descriptor)))
			set &= ~SIGNAL_BIT(number);
	return set;
}
