// SPDX-License-Identifier: GPL-2.0
#include "child.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "overlay.h"
#include "page_runs.h"
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
	struct overlay *overlay; /* NULL unless VMAs are being mapped */
};

/* The pages of one fault: contiguous in the child and in the parent. */
struct window {
	struct vm_area_struct *vma;
	unsigned long start; /* address in the child */
	unsigned long from;  /* in the parent; 0: one page of zeros */
	unsigned long count;
};

const struct descriptor_header *mitosis_origin_descriptor(const struct origin *origin)
{
	return origin->snapshot ? origin->snapshot->description.descriptor
				: mitosis_remote_descriptor(origin->remote);
}

void mitosis_origin_get(const struct origin *origin)
{
	if (origin->snapshot)
		mitosis_snapshot_get(origin->snapshot);
	else
		mitosis_remote_get(origin->remote);
}

void mitosis_origin_put(struct origin *origin)
{
	mitosis_snapshot_put(origin->snapshot);
	mitosis_remote_put(origin->remote);
}

/* A page's address in the parent, or 0 if the parent's VMA does not reach it. */
static unsigned long parents_address(const struct child *child, unsigned long number)
{
	const struct descriptor_header *d = mitosis_origin_descriptor(&child->origin);
	unsigned long index = number >> CHILD_VMA_SHIFT;
	u64 offset = (number & ((1ul << CHILD_VMA_SHIFT) - 1)) << PAGE_SHIFT;
	const struct descriptor_vma *vma;

	if (index >= d->vma_count)
		return 0;
	vma = &descriptor_vmas(d)[index];
	return offset < vma->end - vma->start ? vma->start + offset : 0;
}

static unsigned long number_at(const struct vm_area_struct *vma, unsigned long address)
{
	return vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
}

/* Finds the source of a page: address `from` in the parent, or 0 for zeros. */
static int find_source(const struct child *child, struct vm_area_struct *vma, unsigned long address,
		       unsigned long *from)
{
	unsigned long number = number_at(vma, address);

	*from = parents_address(child, number);
	if (!*from)
		return 0;
	switch (mitosis_overlay_look(vma, address, number)) {
	case OVERLAY_SNAPSHOT:
		return 0;
	case OVERLAY_DROPPED:
		*from = 0;
		return 0;
	default:
		return -ENODATA;
	}
}

/*
 * The window around the faulting address: the pages of the same VMA that are
 * adjacent in the parent and have not been dropped. Windows are aligned to their
 * size, so that those of random accesses do not overlap.
 */
static int place_window(const struct child *child, const struct vm_fault *vmf, struct window *w)
{
	const unsigned long size = (unsigned long)child->options.prefetch_pages << PAGE_SHIFT;
	const unsigned long lowest = max(vmf->address & ~(size - 1), vmf->vma->vm_start);
	const unsigned long highest = min((vmf->address | (size - 1)) + 1, vmf->vma->vm_end);
	unsigned long end = vmf->address + PAGE_SIZE, other;
	int err = find_source(child, vmf->vma, vmf->address, &w->from);

	w->vma = vmf->vma;
	w->start = vmf->address;
	w->count = 1;
	if (err || !w->from)
		return err;
	while (w->start > lowest && !find_source(child, w->vma, w->start - PAGE_SIZE, &other) &&
	       other == w->from - PAGE_SIZE) {
		w->start -= PAGE_SIZE;
		w->from -= PAGE_SIZE;
	}
	while (end < highest && !find_source(child, w->vma, end, &other) &&
	       other == w->from + (end - w->start))
		end += PAGE_SIZE;
	w->count = (end - w->start) >> PAGE_SHIFT;
	return 0;
}

/* The same as below, of the parent's addresses. */
static bool next_run_of_parent(const struct origin *origin, u64 *start, u64 *end)
{
	struct wire_run *runs;
	u32 count;
	int err;

	if (origin->snapshot)
		return mitosis_pages_next_run(&origin->snapshot->pages, start, end);
	/* Not for what is fetched by a request or two. */
	if (*end - *start < PMD_SIZE)
		return true;
	runs = kmalloc_array(WIRE_RUNS_MAX, sizeof(*runs), GFP_KERNEL);
	err = runs ? mitosis_remote_runs(origin->remote, *start, *end, runs, &count) : -ENOMEM;
	/* On an error, who wants the pages will get it, too. */
	if (!err && count) {
		*start = runs[0].address;
		*end = runs[0].address + runs[0].length;
	}
	kfree(runs);
	return err || count;
}

bool mitosis_child_next_run(struct vm_area_struct *vma, unsigned long *start, unsigned long *end)
{
	const struct child *child = vma->vm_file->private_data;
	const struct descriptor_header *d = mitosis_origin_descriptor(&child->origin);
	unsigned long number = number_at(vma, *start);
	unsigned long from = parents_address(child, number);
	u64 first = from, last;

	if (!from)
		return false;
	last = min(descriptor_vmas(d)[number >> CHILD_VMA_SHIFT].end, from + (*end - *start));
	if (!next_run_of_parent(&child->origin, &first, &last))
		return false;
	*end = *start + (last - from);
	*start += first - from;
	return true;
}

static vm_fault_t fail(const struct child *child, const struct vm_fault *vmf, int err)
{
	if (err == -ENOMEM)
		return VM_FAULT_OOM;
	mitosis_count(fault_failures);
	/* No message for a child that is killed while it waits. */
	if (!fatal_signal_pending(current))
		pr_warn_ratelimited(
			"%s[%d]: no page at %lx of snapshot %u of machine %u: error %d\n",
			current->comm, task_pid_nr(current), vmf->address, child->origin.handler_id,
			child->origin.machine_id, err);
	return VM_FAULT_SIGBUS;
}

static int set_zero(pte_t *pte, unsigned long address, void *vma)
{
	if (pte_none(*pte))
		mitosis_pages_set_zero(vma, address, pte);
	return 0;
}

/* Maps the zero page. On a write access the kernel then copies it. */
static vm_fault_t map_zero(struct vm_fault *vmf)
{
	return apply_to_page_range(vmf->vma->vm_mm, vmf->address, PAGE_SIZE, set_zero, vmf->vma)
		       ? VM_FAULT_OOM
		       : VM_FAULT_NOPAGE;
}

/* A write fault on a page of this machine: the kernel copies the page. */
static vm_fault_t write_local(const struct child *child, struct vm_fault *vmf, unsigned long from)
{
	int err = mitosis_pages_peek(&child->origin.snapshot->pages, from, &vmf->page);

	if (err)
		return fail(child, vmf, err);
	if (!vmf->page)
		return map_zero(vmf);
	mitosis_count(pages_copied);
	return 0;
}

/* Replaces a page by a copy: of this child alone, or shared with its siblings. */
static int copy_local(const struct child *child, unsigned long from, struct page **page)
{
	struct page *copy;

	if (child->options.flags & MITOSIS_OPTION_COPY)
		copy = mitosis_pages_copy(*page) ?: ERR_PTR(-ENOMEM);
	else
		copy = mitosis_pages_shared_copy(&child->origin.snapshot->pages, from, *page);
	put_page(*page);
	*page = copy;
	return PTR_ERR_OR_ZERO(copy);
}

static vm_fault_t read_local(const struct child *child, struct vm_fault *vmf,
			     const struct window *w)
{
	struct shadow_pages *pages = &child->origin.snapshot->pages;
	unsigned long from = w->from + (vmf->address - w->start);
	bool shares = !(child->options.flags & MITOSIS_OPTION_COPY);
	int err = 0, round;

	for (round = 0; round < 2 && !err; round++) {
		if (shares) {
			err = mitosis_pages_map_shared(pages, w->from, w->vma, w->start, w->count,
						       vmf->address);
			if (err > 0)
				return VM_FAULT_NOPAGE;
		}
		/* The page was missing or not sharable: fault it in, then retry. */
		if (!err)
			err = mitosis_pages_peek_split(pages, from, &vmf->page);
		if (!err && !vmf->page)
			return map_zero(vmf);
		if (!err && (round || !shares))
			err = copy_local(child, from, &vmf->page);
		else if (!err)
			put_page(vmf->page);
		if (!shares)
			break;
	}
	if (!err)
		return 0;
	vmf->page = NULL;
	return fail(child, vmf, err);
}

static vm_fault_t fault_remote(const struct child *child, struct vm_fault *vmf,
			       const struct window *w)
{
	int err = mitosis_remote_page(child->origin.remote, w->from + (vmf->address - w->start),
				      w->from, w->count, &vmf->page);

	if (err)
		return fail(child, vmf, err);
	return vmf->page ? 0 : map_zero(vmf);
}

static vm_fault_t serve_fault(const struct child *child, struct vm_fault *vmf)
{
	struct window w;
	int err;

	if (child->origin.snapshot && vmf->flags & FAULT_FLAG_WRITE) {
		err = find_source(child, vmf->vma, vmf->address, &w.from);
		if (!err && w.from)
			return write_local(child, vmf, w.from);
	} else {
		err = place_window(child, vmf, &w);
		if (!err && w.from)
			return child->origin.snapshot ? read_local(child, vmf, &w)
						      : fault_remote(child, vmf, &w);
	}
	return err ? fail(child, vmf, err) : map_zero(vmf);
}

static vm_fault_t child_fault(struct vm_fault *vmf)
{
	const struct child *child = vmf->vma->vm_file->private_data;
	u64 started = mitosis_trace_start(trace_mitosis_fault_enabled());
	vm_fault_t result = serve_fault(child, vmf);

	if (!(result & VM_FAULT_ERROR))
		mitosis_count(faults);
	if (started)
		trace_mitosis_fault(child->origin.machine_id, child->origin.handler_id,
				    vmf->address, vmf->flags & FAULT_FLAG_WRITE,
				    (__force unsigned int)result, ktime_get_ns() - started);
	return result;
}

/* Of a page that the child has, in memory or in swap: no fault reads it from the snapshot. */
static int access_own(struct vm_area_struct *vma, unsigned long address, void *buffer, int length)
{
	struct page *page;
	long n = compat_get_user_pages_remote(vma->vm_mm, address, 1, 0, &page);

	if (n != 1)
		return n < 0 ? n : -EFAULT;
	memcpy_from_page(buffer, page, offset_in_page(address), length);
	put_page(page);
	return length;
}

/*
 * For access_remote_vm(), where it cannot take the page. /proc reads arguments and environment of
 * anonymous memory only (FOLL_ANON), lest who reads them waits for a file system of the process that
 * they are of. This memory stands for anonymous memory, and for none of its pages a reader waits: those
 * that the child has are copied, then those of a snapshot of this machine. Pages of another machine are
 * not fetched, and end what is read, until the child has touched them. A copy of the strings elsewhere
 * would need no access here, but would not show a title that the child writes over its arguments.
 */
static int child_access(struct vm_area_struct *vma, unsigned long address, void *buffer, int length,
			int write)
{
	const struct child *child = vma->vm_file->private_data;
	unsigned long from;
	int err;

	if (write || !(vma->vm_flags & VM_READ))
		return -EFAULT;
	length = min_t(int, length, PAGE_SIZE - offset_in_page(address));
	if (!mitosis_pages_is_hole(vma->vm_mm, address))
		return access_own(vma, address, buffer, length);
	err = find_source(child, vma, address, &from);
	if (err)
		return err;
	if (!from) {
		memset(buffer, 0, length);
		return length;
	}
	if (!child->origin.snapshot)
		return -EFAULT;
	return mitosis_pages_access(&child->origin.snapshot->pages, from + offset_in_page(address),
				    buffer, length);
}

static const struct vm_operations_struct child_vm_ops = {
	.open = mitosis_overlay_vma_opened,
	.close = mitosis_overlay_vma_closed,
	.mremap = mitosis_overlay_vma_moved,
	.fault = child_fault,
	.access = child_access,
};

/* The protection that the parent's memory had there. */
static u32 protection_of(const struct child *child, const struct vm_area_struct *vma)
{
	const struct descriptor_header *d = mitosis_origin_descriptor(&child->origin);

	return descriptor_vmas(d)[vma->vm_pgoff >> CHILD_VMA_SHIFT].protection;
}

static int child_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct child *child = file->private_data;

	/* Only between mitosis_child_start() and mitosis_child_started(). */
	if (vma->vm_flags & VM_SHARED || !child->overlay)
		return -EINVAL;
	/*
	 * From 6.17 on no file like this one may be executed, which mmap(2) has checked
	 * already. Here it stands for memory, in which compilers put code.
	 */
	compat_vm_flags_change(
		vma, VM_MAYEXEC | (protection_of(child, vma) & PROT_EXEC ? VM_EXEC : 0), 0);
	/*
	 * VM_MIXEDMAP: the kernel never merges the VMA, which the overlay would not
	 * see, and fork(2) copies its pages, which another machine may no longer have.
	 */
	compat_vm_flags_change(vma, VM_MIXEDMAP, 0);
	vma->vm_ops = &child_vm_ops;
	mitosis_overlay_add(child->overlay, vma);
	return 0;
}

static int child_release(struct inode *inode, struct file *file)
{
	struct child *child = file->private_data;

	mitosis_origin_put(&child->origin);
	kfree(child);
	mitosis_count_down(children);
	return 0;
}

static const struct file_operations child_file_operations = {
	.owner = THIS_MODULE,
	.mmap = child_mmap,
	.release = child_release,
};

struct file *mitosis_child_create(const struct origin *origin,
				  const struct mitosis_options *options)
{
	struct child *child = kzalloc(sizeof(*child), GFP_KERNEL);
	struct file *file;

	if (!child)
		return ERR_PTR(-ENOMEM);
	child->origin = *origin;
	child->options = *options;
	file = anon_inode_getfile("[mitosis]", &child_file_operations, child, O_RDWR);
	if (IS_ERR(file))
		kfree(child);
	else
		mitosis_count(children);
	return file;
}

int mitosis_child_start(struct file *map)
{
	struct child *child = map->private_data;
	unsigned int depth = child->origin.snapshot ? child->origin.snapshot->pages.depth : 1;
	struct overlay *overlay = mitosis_overlay_create(depth);

	if (IS_ERR(overlay))
		return PTR_ERR(overlay);
	child->overlay = overlay;
	return 0;
}

void mitosis_child_started(struct file *map)
{
	struct child *child = map->private_data;

	mitosis_overlay_put(child->overlay);
	child->overlay = NULL;
}
