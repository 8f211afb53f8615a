/* SPDX-License-Identifier: Apache-2.0 */
/* UFFDIO_POISON of Linux 6.6, which the headers of Debian 12 do not have. */
#ifndef PAGING_UFFD_POISON_H
#define PAGING_UFFD_POISON_H

#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "paging/raw_syscall.h"

#ifndef UFFDIO_POISON
struct uffdio_poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};

#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

/* Makes a page raise SIGBUS. Returns 0 or -errno; -EINVAL before Linux 6.6. */
static inline int uffd_poison(int uffd, uint64_t address, uint64_t length)
{
	struct uffdio_poison poison = {
		.range = { .start = address, .len = length },
	};

	return raw_syscall(SYS_ioctl, uffd, UFFDIO_POISON, &poison);
}

#endif /* PAGING_UFFD_POISON_H */
