/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a pager's replica, where pages of the snapshot are that the pager has not kept:
 * those of a background fill.
 */
#ifndef DAEMON_REPLICA_MEMORY_H
#define DAEMON_REPLICA_MEMORY_H

#include <stdbool.h>
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

/* The same of one page of a file that the replica has mapped itself, or 0. */
uint64_t replica_memory_read_file(int file, const struct descriptor_vma *vma,
				  uint64_t address, uint64_t page_size, void *bytes);

/* False once the process has ended, or if `file` is none. */
bool replica_memory_is_there(int file);

#endif /* DAEMON_REPLICA_MEMORY_H */
