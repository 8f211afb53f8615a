/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that a userfaultfd of the parent's own serves. A fork takes it from that userfaultfd, unless
 * this has UFFD_FEATURE_EVENT_FORK: what is missing then reads as zeros in a shadow, and so in
 * children. Runs in shadows: no libc, no globals.
 */
#ifndef LIB_FOREIGN_UFFD_H
#define LIB_FOREIGN_UFFD_H

#include <stdbool.h>
#include <stdint.h>

/* Whether open file `number`, a userfaultfd, is not told of forks. */
bool foreign_uffd_is_deaf(uint32_t number);

/*
 * Looks for memory of the parent that such a userfaultfd serves and that is not all there.
 * Returns 0, or -EOPNOTSUPP with its address in *start; or another -errno.
 */
int foreign_uffd_find(uint64_t page_size, uint64_t *start);

#endif /* LIB_FOREIGN_UFFD_H */
