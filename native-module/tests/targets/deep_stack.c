// SPDX-License-Identifier: Apache-2.0
/* The stack grows after resume as it does in any process, by 6 MiB. */
#include <sys/resource.h>

#include "tests/targets/target.h"

#define DEPTH 1500

static long __attribute__((noinline)) descend(long depth)
{
	volatile char frame[PAGE];

	frame[0] = depth;
	frame[sizeof(frame) - 1] = 1;
	if (depth > 1)
		return descend(depth - 1) + frame[sizeof(frame) - 1];
	return frame[sizeof(frame) - 1];
}

int main(void)
{
	struct rlimit limit;

	CHECK(!getrlimit(RLIMIT_STACK, &limit));
	if (limit.rlim_cur < 7 * MIB)
		target_skip("a stack limit of 7 MiB (ulimit -s)");
	target_prepare();

	CHECK_EQ(descend(DEPTH), DEPTH);
	CHECK_EQ(descend(DEPTH), DEPTH);
	target_child_has("growth of the stack", "kept");
	return 0;
}
