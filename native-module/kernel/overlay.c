// SPDX-License-Identifier: GPL-2.0
#include "overlay.h"

#include <linux/hashtable.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait_bit.h>
#include <linux/xarray.h>

#include "compat.h"
#include "dropped.h"

struct overlay {
	struct mmu_notifier notifier;
	struct callback_head registration; /* in a forked process, at its start */
	struct hlist_node node;		   /* in overlays */
	refcount_t refs;		   /* of its VMAs and its creator */
	struct mm_struct *mm;		   /* outlives the VMAs, which hold this */
	bool registered;
	unsigned int depth;
	struct maple_tree segments; /* address in pages -> SEGMENT() */
	struct dropped dropped;
	/* The last moved VMA, until its old range is unmapped: in pages. */
	unsigned long moved_first, moved_last, moved_number;
};

/* By mm. The VMAs of a forked process find the overlay that the first one created. */
static DEFINE_HASHTABLE(overlays, 8);
static DEFINE_SPINLOCK(overlays_lock);

/*
 * A segment's entry is the difference between a page's number and its address in
 * pages, so that the tree can keep the entry when it cuts a segment in two. The
 * bias makes it positive and below 2^62, as xa_mk_value() requires.
 */
#define SEGMENT_BIAS		    (1ul << 52)
#define SEGMENT(number, page)	    xa_mk_value((number) - (page) + SEGMENT_BIAS)
#define SEGMENT_NUMBER(entry, page) (xa_to_value(entry) - SEGMENT_BIAS + (page))

/* How many there are: the last calls of this module come with no reference to it. */
static atomic_t overlay_count = ATOMIC_INIT(0);

static void free_overlay(struct overlay *o)
{
	mtree_destroy(&o->segments);
	mitosis_dropped_destroy(&o->dropped);
	kfree(o);
	if (atomic_dec_and_test(&overlay_count))
		wake_up_var(&overlay_count);
}

static void free_notifier(struct mmu_notifier *notifier)
{
	free_overlay(container_of(notifier, struct overlay, notifier));
}

/*
 * Also called for pages that the kernel reclaims or copies by itself. Those are the
 * child's own already: no later fault reads them from the snapshot, so they may be
 * marked as dropped, too.
 */
static int range_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct overlay *o = container_of(notifier, struct overlay, notifier);
	unsigned long first = range->start >> PAGE_SHIFT;
	unsigned long last = (range->end - 1) >> PAGE_SHIFT;
	MA_STATE(mas, &o->segments, first, first);
	void *entry;

	/* Only the OOM reaper cannot block; its process will not run again. */
	if (range->event != MMU_NOTIFY_CLEAR || !mmu_notifier_range_blockable(range))
		return 0;
	/* With mmap_lock held for writing, a VMA is cut: a huge page may be split, not dropped. */
	if (compat_writes_mmap_lock(o->mm))
		return 0;
	mas_lock(&mas);
	mas_for_each(&mas, entry, last) {
		unsigned long from = max(mas.index, first);
		unsigned long to = min(mas.last, last);

		mitosis_dropped_add(&o->dropped, SEGMENT_NUMBER(entry, from),
				    SEGMENT_NUMBER(entry, to));
	}
	mas_unlock(&mas);
	return 0;
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = range_start,
	.free_notifier = free_notifier,
};

/* For the calling process. Returns 0, -ENOMEM or -EINTR: a fatal signal. */
static int register_notifier(struct overlay *o)
{
	sigset_t all, before;
	int err;

	/* mmu_notifier_register() returns -EINTR on any signal. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	o->notifier.ops = &notifier_ops;
	err = mmu_notifier_register(&o->notifier, o->mm);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (!err)
		WRITE_ONCE(o->registered, true);
	return err;
}

static struct overlay *new_overlay(struct mm_struct *mm, unsigned int depth)
{
	struct overlay *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return NULL;
	atomic_inc(&overlay_count);
	refcount_set(&o->refs, 1);
	o->mm = mm;
	o->depth = depth;
	mt_init_flags(&o->segments, 0);
	mitosis_dropped_init(&o->dropped);
	return o;
}

static void publish(struct overlay *o)
{
	spin_lock(&overlays_lock);
	hash_add(overlays, &o->node, (unsigned long)o->mm);
	spin_unlock(&overlays_lock);
}

/* Returns the overlay with a reference, or NULL. */
static struct overlay *find(struct mm_struct *mm)
{
	unsigned long key = (unsigned long)mm;
	struct overlay *o;

	/* Called at every fork of this machine, almost never of a child. */
	if (hlist_empty(&overlays[hash_min(key, HASH_BITS(overlays))]))
		return NULL;
	spin_lock(&overlays_lock);
	hash_for_each_possible(overlays, o, node, key)
		if (o->mm == mm && refcount_inc_not_zero(&o->refs))
			break;
	spin_unlock(&overlays_lock);
	return o;
}

struct overlay *mitosis_overlay_create(unsigned int depth)
{
	struct overlay *o = new_overlay(current->mm, depth);
	int err;

	if (!o)
		return ERR_PTR(-ENOMEM);
	err = register_notifier(o);
	if (err) {
		free_overlay(o);
		return ERR_PTR(err);
	}
	publish(o);
	return o;
}

void mitosis_overlay_put(struct overlay *o)
{
	if (!refcount_dec_and_test(&o->refs))
		return;
	spin_lock(&overlays_lock);
	hash_del(&o->node);
	spin_unlock(&overlays_lock);
	if (o->registered)
		mmu_notifier_put(&o->notifier); /* and free_notifier() later */
	else
		free_overlay(o);
}

static void add_segment(struct overlay *o, struct vm_area_struct *vma)
{
	unsigned long first = vma->vm_start >> PAGE_SHIFT;

	if (mtree_store_range(&o->segments, first, (vma->vm_end - 1) >> PAGE_SHIFT,
			      SEGMENT(vma->vm_pgoff, first), GFP_KERNEL))
		mitosis_dropped_lose(&o->dropped);
}

void mitosis_overlay_add(struct overlay *o, struct vm_area_struct *vma)
{
	refcount_inc(&o->refs);
	vma->vm_private_data = o;
	add_segment(o, vma);
}

/* Copies existing segments only: pages by which a VMA has grown have none. */
static void copy_segments(struct overlay *to, struct overlay *from, unsigned long first,
			  unsigned long last)
{
	MA_STATE(mas, &from->segments, first, first);
	void *entry;

	/* The tree does not change meanwhile: fork(2) holds the mmap_lock for writing. */
	rcu_read_lock();
	mas_for_each(&mas, entry, last) {
		unsigned long start = max(mas.index, first);
		unsigned long end = min(mas.last, last);

		mas_pause(&mas);
		rcu_read_unlock();
		if (mtree_store_range(&to->segments, start, end, entry, GFP_KERNEL))
			mitosis_dropped_lose(&to->dropped);
		rcu_read_lock();
	}
	rcu_read_unlock();
}

/* In fork(2). `old` is the parent's overlay; the new process does not run yet. */
static struct overlay *fork_overlay(struct overlay *old, struct vm_area_struct *vma)
{
	struct overlay *o = find(vma->vm_mm);

	if (!o) {
		o = new_overlay(vma->vm_mm, old->depth);
		/* Without an overlay its faults fail: mitosis_overlay_look(). */
		if (!o)
			return NULL;
		mitosis_dropped_copy(&o->dropped, &old->dropped);
		publish(o);
	}
	copy_segments(o, old, vma->vm_start >> PAGE_SHIFT, (vma->vm_end - 1) >> PAGE_SHIFT);
	return o;
}

void mitosis_overlay_vma_opened(struct vm_area_struct *vma)
{
	struct overlay *o = vma->vm_private_data;

	if (!o)
		return;
	if (vma->vm_mm == o->mm) {
		/* Split; or moved, see mitosis_overlay_vma_moved(). */
		refcount_inc(&o->refs);
		return;
	}
	vma->vm_private_data = fork_overlay(o, vma);
}

bool mitosis_overlay_owns(const struct vm_area_struct *vma)
{
	return vma->vm_ops && vma->vm_ops->open == mitosis_overlay_vma_opened;
}

int mitosis_overlay_vma_moved(struct vm_area_struct *vma)
{
	struct overlay *o = vma->vm_private_data;

	if (o) {
		add_segment(o, vma);
		o->moved_first = vma->vm_start >> PAGE_SHIFT;
		o->moved_last = (vma->vm_end - 1) >> PAGE_SHIFT;
		o->moved_number = vma->vm_pgoff;
	}
	return 0;
}

/*
 * mremap(2) creates the new VMA, moves the pages and unmaps the old VMA. Only then
 * the old length is known: pages of the new VMA beyond it are fresh memory,
 * although they have page numbers.
 */
static void cut_growth(struct overlay *o, struct vm_area_struct *old)
{
	unsigned long first = old->vm_start >> PAGE_SHIFT;
	MA_STATE(mas, &o->segments, first, first);
	unsigned long fresh = o->moved_first;

	if (!o->moved_last || old->vm_pgoff != o->moved_number)
		return;
	/* The old VMA may have grown before. */
	mas_lock(&mas);
	if (mas_walk(&mas))
		fresh += min(mas.last, first + vma_pages(old) - 1) - first + 1;
	mas_unlock(&mas);
	if (first != o->moved_first && fresh <= o->moved_last &&
	    mtree_store_range(&o->segments, fresh, o->moved_last, NULL, GFP_KERNEL))
		mitosis_dropped_lose(&o->dropped);
	o->moved_last = 0;
}

void mitosis_overlay_vma_closed(struct vm_area_struct *vma)
{
	struct overlay *o = vma->vm_private_data;

	if (!o)
		return;
	/* An address space that is torn down has no further use for segments. */
	if (atomic_read(&o->mm->mm_users)) {
		cut_growth(o, vma);
		if (mtree_store_range(&o->segments, vma->vm_start >> PAGE_SHIFT,
				      (vma->vm_end - 1) >> PAGE_SHIFT, NULL, GFP_KERNEL))
			mitosis_dropped_lose(&o->dropped);
	}
	mitosis_overlay_put(o);
}

/* In the forked process, before its first instruction in user mode. */
static void register_forked(struct callback_head *work)
{
	struct overlay *o = container_of(work, struct overlay, registration);

	/* A process that dies here drops no memory. */
	if (current->mm == o->mm && !fatal_signal_pending(current) && register_notifier(o) &&
	    !fatal_signal_pending(current))
		mitosis_dropped_lose(&o->dropped);
	mitosis_overlay_put(o);
}

void mitosis_overlay_forked(struct task_struct *task)
{
	struct overlay *o = find(task->mm);

	if (!o)
		return;
	init_task_work(&o->registration, register_forked);
	if (o->registered || task_work_add(task, &o->registration, TWA_RESUME))
		mitosis_overlay_put(o);
}

/*
 * Takes the tree's lock: munmap(2) closes VMAs while other threads fault. (An RCU
 * tree needs no lock, but Linux 6.1 crashes when it destroys a large one.)
 */
static bool in_segment(struct overlay *o, unsigned long page)
{
	MA_STATE(mas, &o->segments, page, page);
	bool found;

	mas_lock(&mas);
	found = mas_walk(&mas);
	mas_unlock(&mas);
	return found;
}

enum overlay_page mitosis_overlay_look(struct vm_area_struct *vma, unsigned long address,
				       unsigned long number)
{
	struct overlay *o = vma->vm_private_data;

	if (!o || mitosis_dropped_is_lost(&o->dropped))
		return OVERLAY_UNKNOWN;
	if (!in_segment(o, address >> PAGE_SHIFT))
		return OVERLAY_DROPPED;
	return mitosis_dropped_has(&o->dropped, number) ? OVERLAY_DROPPED : OVERLAY_SNAPSHOT;
}

unsigned int mitosis_overlay_depth(struct mm_struct *mm)
{
	struct overlay *o = find(mm);
	unsigned int depth = o ? o->depth : 0;

	if (o)
		mitosis_overlay_put(o);
	return depth;
}

/*
 * Waits for free_notifier(), which SRCU calls when the file of the mapping has long let the module
 * go; and for register_forked() of a process that was killed before its first instruction: it runs
 * when the process has no memory any more. mmu_notifier_synchronize() waits for neither: SRCU may
 * finish its callbacks on other CPUs later. The grace period is for the last instructions of both.
 */
void mitosis_overlay_exit(void)
{
	wait_var_event(&overlay_count, !atomic_read(&overlay_count));
	synchronize_rcu_tasks();
}
