/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a pager's replica, where pages of the snapshot are that the pager has not kept:
 * those of a background fill.
 */
#ifndef DAEMON_REPLICA_MEMORY_H
#define DAEMON_REPLICA_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

#include "proto/descriptor.h"

/*
 * Opens the memory of a process that has become a replica. Returns a file, which reads nothing once
 * that has ended; or -errno.
 */
int replica_memory_open(pid_t pid);

/*
 * Copies pages from `address` on. Returns the bytes of those that are there, up to the first that is not:
 * it may be 0. Waits for no page: the calling process would serve it.
 */
uint64_t replica_memory_read(int file, const struct descriptor_header *descriptor,
			     uint64_t address, uint64_t length, void *bytes);

#endif /* DAEMON_REPLICA_MEMORY_H */
