// SPDX-License-Identifier: GPL-2.0
#include "child.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "overlay.h"
#include "pages.h"
#include "parameters.h"
#include "proto/descriptor.h"
#include "remote.h"
#include "snapshot.h"
#include "stats.h"
#include "trace.h"

struct child {
	struct origin origin;
	struct mitosis_options options;
	struct overlay *overlay;	/* while VMAs are mapped; else NULL */
};

/* Where the pages of one fault go, and what they are. */
struct window {
	struct vm_area_struct *vma;
	unsigned long start;		/* address in the child */
	unsigned long count;
	struct page **pages;		/* NULL: zeros */
};

const struct descriptor_header *origin_descriptor(const struct origin *origin)
{
	return origin->snapshot ? origin->snapshot->descriptor :
				  remote_descriptor(origin->remote);
}

void origin_put(struct origin *origin)
{
	snapshot_put(origin->snapshot);
	remote_put(origin->remote);
}

/* The address that a page had in the parent, or 0 if it is beyond its VMA. */
static unsigned long parents_address(const struct child *child,
				     unsigned long number)
{
	const struct descriptor_header *d = origin_descriptor(&child->origin);
	unsigned long index = number >> CHILD_VMA_SHIFT;
	u64 offset = (number & ((1ul << CHILD_VMA_SHIFT) - 1)) << PAGE_SHIFT;
	const struct descriptor_vma *vma;

	if (index >= d->vma_count)
		return 0;
	vma = &descriptor_vmas(d)[index];
	return offset < vma->end - vma->start ? vma->start + offset : 0;
}

static unsigned long number_at(const struct vm_area_struct *vma,
			       unsigned long address)
{
	return vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
}

/* Aligned, so that windows of random accesses do not overlap. */
static void place_window(struct window *w, const struct vm_fault *vmf,
			 unsigned long pages)
{
	unsigned long size = pages << PAGE_SHIFT;
	unsigned long start = vmf->address & ~(size - 1);

	w->vma = vmf->vma;
	w->start = max(start, vmf->vma->vm_start);
	w->count = (min(start + size, vmf->vma->vm_end) - w->start) >> PAGE_SHIFT;
}

/*
 * Maps what can be mapped without the kernel's help: a page of the shadow as
 * fork(2) would, and zeros. With the page table's lock.
 */
static int map_anonymous(pte_t *pte, unsigned long address, void *data)
{
	struct window *w = data;
	struct page *page = w->pages[(address - w->start) >> PAGE_SHIFT];
	pte_t entry;

	if (!pte_none(*pte) || (page && !page_is_shadows(page)))
		return 0;
	if (page) {
		if (compat_dup_anon_rmap(page, w->vma))
			return 0;
		get_page(page);
		compat_count_anon_page(w->vma->vm_mm);
		mitosis_count(pages_shared);
		entry = compat_read_only_pte(page, w->vma);
	} else {
		entry = pte_wrprotect(pfn_pte(my_zero_pfn(address),
					      w->vma->vm_page_prot));
		entry = pte_mkspecial(entry);
	}
	set_pte_at(w->vma->vm_mm, address, pte, entry);
	return 0;
}

/* Maps the window but for `spared`, an address or 0. Returns 0 or -ENOMEM. */
static int map_window(struct window *w, unsigned long spared)
{
	bool any_anonymous = false;
	unsigned long i;
	int err = 0;

	for (i = 0; i < w->count; i++) {
		unsigned long address = w->start + (i << PAGE_SHIFT);

		if (address == spared)
			continue;
		if (!w->pages[i] || page_is_shadows(w->pages[i])) {
			any_anonymous = true;
			continue;
		}
		err = vm_insert_page(w->vma, address, w->pages[i]);
		/* Others may have mapped it meanwhile. */
		if (err && err != -EBUSY)
			return err;
	}
	if (!any_anonymous)
		return 0;
	return apply_to_page_range(w->vma->vm_mm, w->start, w->count << PAGE_SHIFT,
				   map_anonymous, w);
}

/*
 * Gets `count` pages of the window that lie in a row in the parent. Returns how
 * many it got, at least one, or -errno.
 */
static long get_run(const struct child *child, unsigned long address,
		    unsigned long count, struct page **pages)
{
	const struct origin *origin = &child->origin;

	if (origin->remote)
		return remote_pages(origin->remote, address, count, pages);
	return pages_share(origin->snapshot, address, count,
			   child->options.flags & MITOSIS_OPTION_COPY, pages);
}

/* From the snapshot, or zeros, or for nobody to know. */
static int look(const struct child *child, struct vm_area_struct *vma,
		unsigned long address, unsigned long *parents)
{
	unsigned long number = number_at(vma, address);

	*parents = parents_address(child, number);
	if (!*parents)
		return 0;
	switch (overlay_look(vma, number)) {
	case OVERLAY_SNAPSHOT:
		return 0;
	case OVERLAY_DROPPED:
		*parents = 0;
		return 0;
	default:
		return -ENODATA;
	}
}

/*
 * Fills the window around `address`, whose page is needed; the others may be
 * cut off. Returns 0, or -errno with an empty window.
 */
static int fill_window(const struct child *child, struct window *w,
		       unsigned long address)
{
	unsigned long needed = (address - w->start) >> PAGE_SHIFT;
	unsigned long i = 0, end, from, next;
	long got = 0;
	int err;

	while (i < w->count) {
		err = look(child, w->vma, w->start + (i << PAGE_SHIFT), &from);
		if (err)
			goto err_put;
		if (!from) {
			w->pages[i++] = NULL;
			continue;
		}
		for (end = i + 1; end < w->count; end++) {
			err = look(child, w->vma, w->start + (end << PAGE_SHIFT),
				   &next);
			if (err)
				goto err_put;
			if (next != from + ((end - i) << PAGE_SHIFT))
				break;
		}
		got = get_run(child, from, end - i, w->pages + i);
		if (got < 0) {
			err = got;
			break;
		}
		i += got;
	}
	if (i > needed) {
		w->count = i;
		return 0;
	}
	/* What lies before it cannot be had: then without. */
	err = look(child, w->vma, address, &from);
err_put:
	pages_put(w->pages, i);
	w->count = 0;
	if (err)
		return err;
	w->start = address;
	got = 1;
	if (from)
		got = get_run(child, from, 1, w->pages);
	else
		w->pages[0] = NULL;
	if (got < 0)
		return got;
	w->count = 1;
	return 0;
}

static vm_fault_t fail(const struct child *child, const struct vm_fault *vmf,
		       int err)
{
	if (err == -ENOMEM)
		return VM_FAULT_OOM;
	mitosis_count(fault_failures);
	/* A child that is killed while it waits needs no message. */
	if (!fatal_signal_pending(current))
		pr_warn_ratelimited("%s[%d]: no page at %lx of handler %u of machine %u: error %d\n",
				    current->comm, task_pid_nr(current), vmf->address,
				    child->origin.handler_id,
				    child->origin.machine_id, err);
	return VM_FAULT_SIGBUS;
}

/* Is about to be copied: what the snapshot has is enough, and unmapped. */
static vm_fault_t write_fault(const struct child *child, struct vm_fault *vmf)
{
	struct page *page = NULL;
	struct window zeros = {
		.vma = vmf->vma,
		.start = vmf->address,
		.count = 1,
		.pages = &page,
	};
	unsigned long from;
	int err = look(child, vmf->vma, vmf->address, &from);

	if (!err && from)
		err = pages_peek(child->origin.snapshot, from, &page);
	if (err)
		return fail(child, vmf, err);
	if (page) {
		mitosis_count(pages_copied);
		vmf->page = page;
		return 0;
	}
	/* Zeros are mapped first; the kernel copies them well. */
	err = apply_to_page_range(vmf->vma->vm_mm, vmf->address, PAGE_SIZE,
				  map_anonymous, &zeros);
	return err ? VM_FAULT_OOM : VM_FAULT_NOPAGE;
}

static vm_fault_t windowed_fault(const struct child *child, struct vm_fault *vmf)
{
	struct window w;
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	struct page *page = NULL;
	vm_fault_t result;
	int err;

	place_window(&w, vmf, child->options.prefetch_pages);
	w.pages = kmalloc_array(w.count, sizeof(*w.pages), GFP_KERNEL);
	if (!w.pages)
		return VM_FAULT_OOM;
	err = fill_window(child, &w, vmf->address);
	if (err) {
		result = fail(child, vmf, err);
		goto out;
	}
	if (write)
		page = w.pages[(vmf->address - w.start) >> PAGE_SHIFT];
	err = map_window(&w, page ? vmf->address : 0);
	if (page) {
		/* The reference is the kernel's now; the rest is a favour. */
		get_page(page);
		vmf->page = page;
		result = 0;
	} else {
		result = err ? VM_FAULT_OOM : VM_FAULT_NOPAGE;
	}
	pages_put(w.pages, w.count);
out:
	kfree(w.pages);
	return result;
}

static vm_fault_t child_fault(struct vm_fault *vmf)
{
	const struct child *child = vmf->vma->vm_file->private_data;
	u64 started = ktime_get_ns();
	vm_fault_t result;

	if (child->origin.snapshot && vmf->flags & FAULT_FLAG_WRITE)
		result = write_fault(child, vmf);
	else
		result = windowed_fault(child, vmf);
	if (!(result & VM_FAULT_ERROR))
		mitosis_count(faults);
	trace_mitosis_fault(child->origin.machine_id, child->origin.handler_id,
			    vmf->address, vmf->flags & FAULT_FLAG_WRITE, result,
			    ktime_get_ns() - started);
	return result;
}

static const struct vm_operations_struct child_vm_ops = {
	.open = overlay_vma_opened,
	.close = overlay_vma_closed,
	.fault = child_fault,
};

bool child_owns(const struct vm_area_struct *vma)
{
	return vma->vm_ops == &child_vm_ops;
}

static int child_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct child *child = file->private_data;

	/* Nobody but child_start()'s caller has a way to map it. */
	if (vma->vm_flags & VM_SHARED || !child->overlay)
		return -EINVAL;
	/* Pages that are nobody's file are mapped: see map_window(). */
	compat_vm_flags_set(vma, VM_MIXEDMAP);
	vma->vm_ops = &child_vm_ops;
	overlay_add(child->overlay, vma);
	return 0;
}

static int child_release(struct inode *inode, struct file *file)
{
	struct child *child = file->private_data;

	origin_put(&child->origin);
	kfree(child);
	mitosis_count_down(children);
	return 0;
}

static const struct file_operations child_file_operations = {
	.owner = THIS_MODULE,
	.mmap = child_mmap,
	.release = child_release,
};

struct file *child_create(const struct origin *origin,
			  const struct mitosis_options *options)
{
	struct child *child = kzalloc(sizeof(*child), GFP_KERNEL);
	struct file *file;

	if (!child)
		return ERR_PTR(-ENOMEM);
	child->origin = *origin;
	child->options = *options;
	file = anon_inode_getfile("[mitosis]", &child_file_operations, child,
				  O_RDWR);
	if (IS_ERR(file))
		kfree(child);
	else
		mitosis_count(children);
	return file;
}

int child_start(struct file *map)
{
	struct child *child = map->private_data;
	unsigned int depth = child->origin.snapshot ?
				     child->origin.snapshot->depth : 1;
	struct overlay *overlay = overlay_create(depth);

	if (IS_ERR(overlay))
		return PTR_ERR(overlay);
	child->overlay = overlay;
	return 0;
}

void child_started(struct file *map)
{
	struct child *child = map->private_data;

	overlay_put(child->overlay);
	child->overlay = NULL;
}
