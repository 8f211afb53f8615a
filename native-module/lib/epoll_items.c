// SPDX-License-Identifier: Apache-2.0
/* Runs in clones, too: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/epoll_items.h"

#include <errno.h>
#include <sys/epoll.h>

#include "paging/raw_syscall.h"

int epoll_items_add(const struct descriptor_header *d,
		    const struct descriptor_fd *fd)
{
	const char *items = descriptor_fd_data(d, fd);
	uint32_t at;

	for (at = 0; at < fd->data_size;
	     at += sizeof(struct descriptor_epoll_item)) {
		struct descriptor_epoll_item item;
		struct epoll_event event;
		long err;

		__builtin_memcpy(&item, items + at, sizeof(item));
		event.events = item.events;
		event.data.u64 = item.data;
		err = raw_syscall(SYS_epoll_ctl, fd->number, EPOLL_CTL_ADD,
				  item.number, &event);
		/* The caller's files may be of another kind: /dev/null has no events. */
		if (err && err != -EPERM && err != -EBADF)
			return (int)err;
	}
	return 0;
}
