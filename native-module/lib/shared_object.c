// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows and clones, too: no libc, no globals. */
#include "lib/shared_object.h"

#include "lib/cursor.h"

struct vma_list shared_object_vmas(const struct descriptor_header *d)
{
	return (struct vma_list){
		.vmas = (struct descriptor_vma *)descriptor_vmas(d),
		.count = d->vma_count,
		.strings = descriptor_string(d, 0),
	};
}

const char *shared_object_name(const struct vma_list *list,
			       const struct descriptor_vma *vma)
{
	return vma->name == DESCRIPTOR_NO_STRING ? "" : list->strings + vma->name;
}

bool shared_object_has_segment(const struct vma_list *list)
{
	uint32_t i;

	for (i = 0; i < list->count; i++)
		if (descriptor_is_object(&list->vmas[i]) &&
		    starts_with(shared_object_name(list, &list->vmas[i]), "/SYSV"))
			return true;
	return false;
}

static bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

bool shared_object_maps(const struct vma_list *list, uint32_t object, uint32_t vma)
{
	const struct descriptor_vma *x = &list->vmas[object], *y = &list->vmas[vma];

	if (!descriptor_is_object(x))
		return false;
	if (object == vma)
		return true;
	/* A parent of the kernel module has not said which object it is. */
	if (!x->device_major && !x->device_minor)
		return false;
	/* The inode of a System V segment is its number, so the name counts, too. */
	return x->inode == y->inode && x->device_major == y->device_major &&
	       x->device_minor == y->device_minor &&
	       same_text(shared_object_name(list, x), shared_object_name(list, y));
}

bool shared_object_same(const struct vma_list *list, uint32_t a, uint32_t b)
{
	return descriptor_is_object(&list->vmas[b]) &&
	       shared_object_maps(list, a, b);
}

bool shared_object_is_first(const struct vma_list *list, uint32_t index)
{
	uint32_t i;

	if (!descriptor_is_object(&list->vmas[index]))
		return false;
	for (i = 0; i < index; i++)
		if (shared_object_same(list, i, index))
			return false;
	return true;
}

struct object_extent shared_object_extent(const struct vma_list *list,
					  uint32_t first)
{
	uint64_t start = list->vmas[first].offset, end = 0, known = 0;
	uint32_t i;

	for (i = first; i < list->count; i++) {
		const struct descriptor_vma *vma = &list->vmas[i];

		if (!shared_object_same(list, first, i))
			continue;
		if (vma->offset < start)
			start = vma->offset;
		if (vma->offset + (vma->end - vma->start) > end)
			end = vma->offset + (vma->end - vma->start);
		if (vma->file_version > known)
			known = vma->file_version;
	}
	if (known)
		end = known > start ? known : start;
	return (struct object_extent){ start, end - start };
}

uint64_t shared_object_bytes(const struct descriptor_vma *vma)
{
	const uint64_t length = vma->end - vma->start;

	if (!vma->file_version || vma->file_version >= vma->offset + length)
		return length;
	return vma->file_version > vma->offset ? vma->file_version - vma->offset : 0;
}
