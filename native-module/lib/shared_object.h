/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which VMAs of a descriptor are of one shared object: see descriptor_is_object(). No C
 * library.
 */
#ifndef LIB_SHARED_OBJECT_H
#define LIB_SHARED_OBJECT_H

#include <stdbool.h>

#include "proto/descriptor.h"

/* VMAs, whose names lie in `strings`. */
struct vma_list {
	struct descriptor_vma *vmas;
	uint32_t count;
	const char *strings;
};

/* The part of an object that a child makes: `size` bytes from `offset` on. */
struct object_extent {
	uint64_t offset, size;
};

/* The VMAs of a descriptor. They may be written only in a copy of one's own. */
struct vma_list shared_object_vmas(const struct descriptor_header *d);

/* Whether one of them is of a System V segment. */
bool shared_object_has_segment(const struct vma_list *list);

/* "" without a name. */
const char *shared_object_name(const struct vma_list *list,
			       const struct descriptor_vma *vma);

/* Whether a VMA maps this object, as a private mapping of it does, too. */
bool shared_object_maps(const struct vma_list *list, uint32_t object, uint32_t vma);

/* Whether both are of one object. */
bool shared_object_same(const struct vma_list *list, uint32_t a, uint32_t b);

/* Whether no VMA before this one is of the same object. False if it is of none. */
bool shared_object_is_first(const struct vma_list *list, uint32_t index);

/* The part of the first VMA's object that is mapped, as far as the object goes. */
struct object_extent shared_object_extent(const struct vma_list *list,
					  uint32_t first);

/* How many bytes of a VMA its object has. */
uint64_t shared_object_bytes(const struct descriptor_vma *vma);

#endif /* LIB_SHARED_OBJECT_H */
