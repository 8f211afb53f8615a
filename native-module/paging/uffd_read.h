/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads of a userfaultfd that must not wait. A child shares the file of its own one, so that
 * O_NONBLOCK is what it says; who passes one on does as well.
 */
#ifndef PAGING_UFFD_READ_H
#define PAGING_UFFD_READ_H

#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "paging/raw_syscall.h"

/*
 * Before Linux 6.10, which has no reads of it that never wait, or where a filter of system calls
 * has none. A read after poll() waits only if another has taken the event in between, and
 * has taken O_NONBLOCK away.
 */
static inline long uffd_poll_and_read(int uffd, struct uffd_msg *msg)
{
	struct pollfd p = { .fd = uffd, .events = POLLIN };
	long n = raw_syscall(SYS_poll, &p, 1, 0);

	if (n < 0)
		return n;
	return p.revents == POLLIN ? raw_syscall(SYS_read, uffd, msg, sizeof(*msg))
				   : -EAGAIN;
}

/* Returns 0, -EAGAIN if there is no event, or -errno. */
static inline int uffd_read(int uffd, struct uffd_msg *msg)
{
	const struct iovec part = { msg, sizeof(*msg) };
	long n;

	do {
		n = raw_syscall(SYS_preadv2, uffd, &part, 1, -1l, -1l, RWF_NOWAIT);
		if (n == -EOPNOTSUPP || n == -ENOSYS || n == -EPERM)
			n = uffd_poll_and_read(uffd, msg);
	} while (n == -EINTR);
	if (n == sizeof(*msg))
		return 0;
	return n < 0 ? (int)n : -EIO;
}

/*
 * Sets O_NONBLOCK, without which poll() tells of an error at all times. Returns whether it was
 * missing.
 */
static inline bool uffd_unblock(int uffd)
{
	if (raw_syscall(SYS_fcntl, uffd, F_GETFL) & O_NONBLOCK)
		return false;
	raw_syscall(SYS_fcntl, uffd, F_SETFL, O_NONBLOCK);
	return true;
}

#endif /* PAGING_UFFD_READ_H */
