/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that the kernel maps into a process: vdso and vvar. */
#ifndef LIB_KERNEL_VMAS_H
#define LIB_KERNEL_VMAS_H

#include <stdint.h>

#include "lib/restore.h"
#include "proto/descriptor.h"

/* Kept free above the restorer area and the vdso, so that a stack there can grow. */
#define RESTORER_DISTANCE (64ull << 20)

/*
 * Finds those of this process that the parent has, too, and checks that they are the same. Returns
 * 0, -EPROTO if they differ, or -EPERM with a message if memory of this process is sealed.
 */
int kernel_vmas_plan(const struct descriptor_header *descriptor,
		     struct restore_plan *plan);

/* Bytes to move them to meanwhile; 0 if no VMA of the parent is in their way. */
uint64_t kernel_vmas_park_size(const struct descriptor_header *descriptor,
			       const struct restore_plan *plan);

#endif /* LIB_KERNEL_VMAS_H */
