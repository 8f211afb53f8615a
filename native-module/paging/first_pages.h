/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages that a child with threads touches before its first own instruction: signal frames
 * and thread control blocks. Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_FIRST_PAGES_H
#define PAGING_FIRST_PAGES_H

#include "paging/pager.h"
#include "paging/recording.h"

/*
 * Copies them to a child, before they are touched. `set`, of the snapshot, begins as zeros; the first call makes a
 * prefetch set of them there, as far as it has room: empty for a snapshot with one thread, or if another machine does
 * not deliver them.
 */
void first_pages_push(struct recording *set, const struct address_space *space);

#endif /* PAGING_FIRST_PAGES_H */
