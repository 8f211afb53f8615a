/* SPDX-License-Identifier: Apache-2.0 */
/* What moving a working set costs at the least: the floor under touching it after a resume. */
#ifndef PARENT_FLOOR_H
#define PARENT_FLOOR_H

#include <stdint.h>

#include "helpers/parent/working_set.h"

/*
 * Installs a copy of the working set in fresh memory by UFFDIO_COPY, 64 pages
 * at a time, without a waiting reader. Returns 0 with the ns that took, or -errno.
 */
int floor_uffd_copy(const struct working_set *set, uint64_t *ns);

/*
 * Sends the working set over a loopback TCP connection, in one stream, to a
 * forked reader. Returns 0 with the ns until all was read, or -errno.
 */
int floor_tcp_copy(const struct working_set *set, uint64_t *ns);

#endif /* PARENT_FLOOR_H */
