/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared memory without a file that others could open: anonymous, a memfd, a System V segment,
 * a deleted file, huge pages of the pool. A shadow shares it with the parent as fork(2) does, so
 * it is copied when the snapshot is taken.
 */
#ifndef MITOSIS_SHARED_MEMORY_H
#define MITOSIS_SHARED_MEMORY_H

#include <linux/types.h>

struct mm_struct;
struct shadow_pages;

/*
 * Copies the pages of the objects, and of their private mappings. Must be called before the
 * shadow's first child. Each copy is paid for. Returns 0 or -errno: -ENOSPC as
 * mitosis_pages_pay(), -ENOMEM, -EINTR, -EHWPOISON; -EFAULT memory that the kernel does not read,
 * memfd_secret(2).
 */
int mitosis_shared_memory_copy(struct shadow_pages *pages, struct mm_struct *shadow);

#endif /* MITOSIS_SHARED_MEMORY_H */
