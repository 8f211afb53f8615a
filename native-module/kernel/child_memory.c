// SPDX-License-Identifier: GPL-2.0
#include "child_memory.h"

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "child.h"
#include "proto/descriptor.h"
#include "symbols.h"

struct memory {
	const struct descriptor_header *descriptor;
	struct file **files; /* per VMA, or NULL */
	struct file *map;
};

static int map_at(struct file *file, unsigned long start, unsigned long end, u32 protection,
		  unsigned long flags, u64 offset)
{
	unsigned long at =
		vm_mmap(file, start, end - start, protection, flags | MAP_FIXED_NOREPLACE, offset);

	return at == start ? 0 : IS_ERR_VALUE(at) ? (long)at : -EEXIST;
}

/* A page of anonymous memory below a stack, into which the stack grows. */
static int map_room_below(const struct memory *m, u32 i)
{
	const struct descriptor_vma *vmas = descriptor_vmas(m->descriptor);
	unsigned long start = vmas[i].start - PAGE_SIZE;

	if (start < PAGE_SIZE || (i && vmas[i - 1].end > start))
		return 0;
	return map_at(NULL, start, vmas[i].start, vmas[i].protection,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_GROWSDOWN | MAP_STACK, 0);
}

/* Sets what madvise(2) had set for the parent's VMA. */
static int advise(const struct descriptor_vma *vma)
{
	unsigned long length = vma->end - vma->start;
	int err = 0;

	if (vma->flags & DESCRIPTOR_VMA_WIPE)
		err = mitosis_madvise(vma->start, length, MADV_WIPEONFORK);
	if (!err && vma->flags & DESCRIPTOR_VMA_NO_DUMP)
		err = mitosis_madvise(vma->start, length, MADV_DONTDUMP);
	if (err)
		return err;
	/* Hints: this kernel, or what the pages are behind, may not take them. */
	if (vma->flags & DESCRIPTOR_VMA_HUGE)
		mitosis_madvise(vma->start, length, MADV_HUGEPAGE);
	if (vma->flags & DESCRIPTOR_VMA_NO_HUGE)
		mitosis_madvise(vma->start, length, MADV_NOHUGEPAGE);
	if (vma->flags & DESCRIPTOR_VMA_MERGEABLE)
		mitosis_madvise(vma->start, length, MADV_MERGEABLE);
	return 0;
}

/* Without PROT_EXEC where the map file may not be executed: its mmap adds that. */
static u32 snapshot_protection(const struct memory *m, u32 protection)
{
	return file_inode(m->map)->i_sb->s_iflags & SB_I_NOEXEC ? protection & ~PROT_EXEC
								: protection;
}

static unsigned long flags_of_empty(const struct descriptor_vma *vma)
{
#ifdef VM_DROPPABLE
	if (vma->flags & DESCRIPTOR_VMA_DROPPABLE)
		return MAP_DROPPABLE | MAP_ANONYMOUS | MAP_NORESERVE;
#endif
	return MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
	       (vma->map_flags & (MAP_GROWSDOWN | MAP_STACK));
}

static int map_vma(const struct memory *m, u32 i)
{
	const struct descriptor_vma *vma = &descriptor_vmas(m->descriptor)[i];
	struct file *file = m->files[i];
	int err;

	if (vma->kind == VMA_KERNEL)
		return 0;
	if (vma->kind == VMA_EMPTY)
		return map_at(NULL, vma->start, vma->end, vma->protection, flags_of_empty(vma), 0);
	if (vma->kind == VMA_FILE && file)
		return map_at(file, vma->start, vma->end, vma->protection,
			      vma->map_flags & (MAP_PRIVATE | MAP_SHARED), vma->offset);
	err = map_at(m->map, vma->start, vma->end, snapshot_protection(m, vma->protection),
		     MAP_PRIVATE | MAP_NORESERVE, (u64)i << (CHILD_VMA_SHIFT + PAGE_SHIFT));
	if (!err && vma->map_flags & MAP_GROWSDOWN)
		err = map_room_below(m, i);
	return err;
}

int mitosis_child_map_memory(const struct descriptor_header *descriptor, struct file **files,
			     struct file *map)
{
	const struct descriptor_vma *vmas = descriptor_vmas(descriptor);
	const struct memory m = { descriptor, files, map };
	int err = 0;
	u32 i;

	for (i = 0; !err && i < descriptor->vma_count; i++) {
		err = map_vma(&m, i);
		if (!err)
			err = advise(&vmas[i]);
	}
	/* After all else that changes mappings. The parent's kernel has mseal(2), as this one has. */
	for (i = 0; !err && i < descriptor->vma_count; i++)
		if (vmas[i].flags & DESCRIPTOR_VMA_SEALED)
			err = mitosis_mseal(vmas[i].start, vmas[i].end - vmas[i].start);
	return err;
}
