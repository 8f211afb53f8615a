// SPDX-License-Identifier: GPL-2.0
#include "shared_memory.h"

#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "overlay.h"
#include "page_runs.h"
#include "pages.h"
#include "vma_kinds.h"

static unsigned long address_of_object(const struct vm_area_struct *vma)
{
	return (unsigned long)vma->vm_file->f_mapping;
}

/* With the mmap_lock held: the objects that are mapped with MAP_SHARED, by address. */
static int find_objects(struct mm_struct *mm, struct maple_tree *objects)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int err = 0;

	for_each_vma(vmi, vma) {
		if (mitosis_vma_is_object(vma))
			err = mtree_store_range(objects, address_of_object(vma),
						address_of_object(vma), xa_mk_value(0), GFP_KERNEL);
		if (err)
			break;
		cond_resched();
	}
	return err;
}

/* One of them, or a private mapping of one. */
static bool is_copied(struct vm_area_struct *vma, struct maple_tree *objects)
{
	return mitosis_vma_has_object(vma) && mtree_load(objects, address_of_object(vma));
}

/* Of tmpfs, to which memory without a file belongs, the page cache has all that there is. */
static bool is_sparse(const struct inode *inode)
{
	return inode->i_sb->s_magic == TMPFS_MAGIC;
}

/* The page at an address, to be copied; NULL: none; or an error pointer. */
static struct page *find_page(struct vm_area_struct *vma, unsigned long address)
{
	const bool huge = vma->vm_flags & VM_HUGETLB;
	/* A hole in huge pages stays one. */
	const unsigned int flags = FOLL_FORCE | (huge ? FOLL_DUMP : 0);
	const unsigned long at = vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
	struct page *page;
	long n = compat_get_user_pages_remote(vma->vm_mm, address, 1, flags, &page);

	/* Else it has been taken out of the object meanwhile. */
	if (n == -EFAULT && !huge && xa_load(&vma->vm_file->f_mapping->i_pages, at))
		return ERR_PTR(-EFAULT);
	if (n == -EFAULT)
		return NULL;
	if (n != 1)
		return ERR_PTR(n < 0 ? n : -ENOMEM);
	/* The parent's own copy of a page that it has mapped privately is the shadow's as well. */
	if (!(vma->vm_flags & VM_MAYSHARE) && PageAnon(page)) {
		put_page(page);
		return NULL;
	}
	return page;
}

static int copy_one(struct shadow_pages *p, struct vm_area_struct *vma, unsigned long address)
{
	struct page *page = find_page(vma, address);
	struct page *copy;
	int err;

	if (IS_ERR_OR_NULL(page))
		return PTR_ERR_OR_ZERO(page);
	/* What is left out reads as zeros. */
	if (!memchr_inv(page_address(page), 0, PAGE_SIZE)) {
		put_page(page);
		return 0;
	}
	err = mitosis_pages_pay(p, 1);
	copy = err ? NULL : mitosis_pages_copy(page);
	put_page(page);
	if (!copy)
		return err ?: -ENOMEM;
	err = xa_err(xa_store(&p->copies, address >> PAGE_SHIFT, copy, GFP_KERNEL_ACCOUNT));
	if (err)
		put_page(copy);
	return err;
}

static int copy_object(struct shadow_pages *p, struct vm_area_struct *vma)
{
	struct address_space *mapping = vma->vm_file->f_mapping;
	const unsigned long end = mitosis_vma_end_in_file(vma), first = vma->vm_pgoff;
	const unsigned long last = first + ((end - vma->vm_start) >> PAGE_SHIFT) - 1;
	unsigned long at;
	int err;

	if (end == vma->vm_start)
		return 0;
	err = mtree_store_range(&p->copied, vma->vm_start, end - 1, xa_mk_value(0), GFP_KERNEL);
	for (at = first; !err && at <= last; at++) {
		/* Pages in swap have an entry, too. */
		if (is_sparse(mapping->host) && !xa_find(&mapping->i_pages, &at, last, XA_PRESENT))
			break;
		err = copy_one(p, vma, vma->vm_start + ((at - first) << PAGE_SHIFT));
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

int mitosis_shared_memory_copy(struct shadow_pages *p, struct mm_struct *shadow)
{
	VMA_ITERATOR(vmi, shadow, 0);
	struct vm_area_struct *vma;
	struct maple_tree objects;
	int err;

	mt_init_flags(&objects, 0);
	mmap_read_lock(shadow);
	err = find_objects(shadow, &objects);
	for_each_vma(vmi, vma) {
		if (!err && is_copied(vma, &objects))
			err = copy_object(p, vma);
		if (err)
			break;
		cond_resched();
	}
	mmap_read_unlock(shadow);
	mtree_destroy(&objects);
	return err;
}
