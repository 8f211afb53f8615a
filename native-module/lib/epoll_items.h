/* SPDX-License-Identifier: Apache-2.0 */
/* What an epoll of the parent watches. */
#ifndef LIB_EPOLL_ITEMS_H
#define LIB_EPOLL_ITEMS_H

#include "proto/descriptor.h"

/*
 * Adds it to the epoll `fd`, by the numbers that the files have now. It belongs to the
 * process that adds it: the signals of a signalfd, too. No C library. Returns 0 or -errno.
 */
int epoll_items_add(const struct descriptor_header *d,
		    const struct descriptor_fd *fd);

#endif /* LIB_EPOLL_ITEMS_H */
