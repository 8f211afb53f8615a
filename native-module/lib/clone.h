/* SPDX-License-Identifier: Apache-2.0 */
/* Children that a shadow forks of itself, into containers. */
#ifndef LIB_CLONE_H
#define LIB_CLONE_H

#include "paging/page_source.h"

/* The `clone` of a struct own_memory's source. Returns a pidfd or -errno. */
int clone_child(struct page_source *source, const struct clone_request *request);

#endif /* LIB_CLONE_H */
