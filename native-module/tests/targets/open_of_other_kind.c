// SPDX-License-Identifier: Apache-2.0
/*
 * An open file of a kind that cannot be made again, here a pidfd: its parent has no
 * children by mode lazy, eager and cached, and the message names it.
 */
#include <fcntl.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"

#define THING "open pidfd, io_uring, perf"

int main(void)
{
	int fd = syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		target_skip("pidfd_open(2), Linux 5.3");
	target_may_be_refused(THING, "a child cannot have a file of this kind");
	target_prepare();

	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	target_child_has(THING, "none");
	return 0;
}
