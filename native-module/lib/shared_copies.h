/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shadow's private copies of the shared objects that its parent has mapped: see
 * descriptor_is_object(). No C library.
 */
#ifndef LIB_SHARED_COPIES_H
#define LIB_SHARED_COPIES_H

#include "lib/shadow_arena.h"
#include "lib/shared_object.h"

struct shared_copies {
	uint64_t at, size; /* one behind the other, in the order of the VMAs */
};

/*
 * Copies the objects as they are now, and notes their sizes in the VMAs. Returns 0 or
 * -errno, with the cause in *refusal unless memory is missing.
 */
int shared_copies_take(const struct vma_list *list, struct shared_copies *copies,
		       struct shadow_refusal *refusal);

/* Puts the copies in the place of the objects. Returns 0 or -errno. */
int shared_copies_place(const struct vma_list *list,
			const struct shared_copies *copies);

/*
 * In a clone, whose objects are its shadow's copies: makes each an object again, which
 * the clone shares with what it forks. Returns 0 or -errno.
 */
int shared_copies_share(const struct descriptor_header *d);

#endif /* LIB_SHARED_COPIES_H */
