// SPDX-License-Identifier: GPL-2.0
#include "snapshot.h"

#include <linux/cred.h>
#include <linux/fs_struct.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/userfaultfd_k.h>

#include "overlay.h"
#include "parameters.h"
#include "shadow.h"
#include "shared_memory.h"
#include "shares.h"
#include "stats.h"
#include "trace.h"

/* By user and handler id. The initial reference is dropped by mitosis_snapshot_drop(). */
static DEFINE_XARRAY(registry);
static DEFINE_MUTEX(registry_lock);

/*
 * Of each user: its snapshots. They count, as their pages do, until the memory is free: a child, or
 * an open file, holds that of a snapshot that was dropped.
 */
static DEFINE_SHARES(snapshots);

u64 mitosis_snapshot_key(kuid_t user, u32 handler_id)
{
	return (u64)__kuid_val(user) << 32 | handler_id;
}

static u64 key_of(const struct snapshot *s)
{
	return mitosis_snapshot_key(s->parent.owner.cred->euid, s->handler_id);
}

static void destroy(struct kref *refs)
{
	struct snapshot *s = container_of(refs, struct snapshot, refs);

	mitosis_pages_destroy(&s->pages);
	if (s->is_paid)
		mitosis_share_give(&snapshots, s->payer, 1);
	mitosis_description_destroy(&s->description);
	path_put(&s->parent.root);
	mitosis_owner_put(&s->parent.owner);
	mitosis_thread_state_destroy(&s->parent.thread);
	kvfree(s->parent.told);
	kfree(s);
	mitosis_count_down(snapshots);
	module_put(THIS_MODULE);
}

void mitosis_snapshot_get(struct snapshot *snapshot)
{
	kref_get(&snapshot->refs);
}

void mitosis_snapshot_put(struct snapshot *snapshot)
{
	if (snapshot)
		kref_put(&snapshot->refs, destroy);
}

struct snapshot *mitosis_snapshot_find(u64 key)
{
	struct snapshot *s;

	mutex_lock(&registry_lock);
	s = xa_load(&registry, key);
	if (s && s->pages.shadow)
		kref_get(&s->refs);
	else
		s = NULL; /* not there, or still being prepared */
	mutex_unlock(&registry_lock);
	return s;
}

struct snapshot *mitosis_snapshot_find_serial(u64 key, u64 serial)
{
	struct snapshot *s = mitosis_snapshot_find(key);

	if (s && s->serial != serial) {
		mitosis_snapshot_put(s);
		s = NULL;
	}
	return s;
}

struct snapshot *mitosis_snapshot_next(u64 *key)
{
	unsigned long at = *key;
	struct snapshot *s;

	mutex_lock(&registry_lock);
	s = xa_find(&registry, &at, ULONG_MAX, XA_PRESENT);
	while (s && !s->pages.shadow)
		s = xa_find_after(&registry, &at, ULONG_MAX, XA_PRESENT);
	if (s)
		kref_get(&s->refs);
	mutex_unlock(&registry_lock);
	*key = at;
	return s;
}

struct snapshot *mitosis_snapshot_next_of_id(u64 *key, u32 handler_id)
{
	struct snapshot *s;

	for (;;) {
		if ((u32)*key > handler_id)
			*key += 1ull << 32;
		*key = (*key & ~(u64)U32_MAX) | handler_id;
		s = mitosis_snapshot_next(key);
		if (!s || s->handler_id == handler_id)
			return s;
		mitosis_snapshot_put(s);
	}
}

/* With names of files, a descriptor can be larger than what it describes. */
static int describe(struct snapshot *s)
{
	struct description d;
	int err = mitosis_describe(&s->parent, s->pages.shadow, &d);

	if (err)
		return err;
	err = mitosis_pages_pay(&s->pages, DIV_ROUND_UP(d.descriptor->total_size, PAGE_SIZE));
	if (err)
		mitosis_description_destroy(&d);
	else
		s->description = d;
	return err;
}

int mitosis_snapshot_make_ready(struct snapshot *s)
{
	int err = mutex_lock_killable(&s->lock);

	if (err)
		return err;
	if (!s->description.descriptor) {
		err = describe(s);
		if (!err) {
			/* Changes flags, which the descriptor has from the parent. */
			mitosis_pages_seal(&s->pages);
			kvfree(s->parent.told); /* the descriptor has all of it */
			s->parent.told = NULL;
		}
	}
	mutex_unlock(&s->lock);
	return err;
}

/* Whether the user may have one more, with so many pages, which then are in its shares. */
static int pay(struct snapshot *s, unsigned long pages)
{
	int err = mitosis_share_take(&snapshots, s->payer, 1, mitosis_snapshots_per_user());

	if (err)
		return err == -EUSERS ? -EDQUOT : err;
	s->is_paid = true;
	return mitosis_pages_pay(&s->pages, pages);
}

/* Before the memory is copied: mitosis_snapshot_find() does not find it until then. */
static int claim(struct snapshot *s, unsigned long pages)
{
	int err = pay(s, pages);

	if (err)
		return err;
	mutex_lock(&registry_lock);
	err = xa_insert(&registry, key_of(s), s, GFP_KERNEL);
	mutex_unlock(&registry_lock);
	return err == -EBUSY ? -EEXIST : err;
}

void mitosis_snapshot_drop(struct snapshot *s)
{
	bool first;

	mutex_lock(&registry_lock);
	first = !s->dropped;
	s->dropped = true;
	if (first)
		xa_erase(&registry, key_of(s));
	mutex_unlock(&registry_lock);
	if (first)
		mitosis_snapshot_put(s);
}

bool mitosis_snapshot_is_dropped(const struct snapshot *s)
{
	bool dropped;

	mutex_lock(&registry_lock);
	dropped = s->dropped;
	mutex_unlock(&registry_lock);
	return dropped;
}

/* The pages that a copy keeps when the parent has changed them, or ended; and what describes them. */
static unsigned long count_pages(struct mm_struct *mm)
{
	unsigned long count = get_mm_counter(mm, MM_ANONPAGES) + get_mm_counter(mm, MM_SWAPENTS) +
			      (mm_pgtables_bytes(mm) >> PAGE_SHIFT) +
			      (mm->map_count * sizeof(struct vm_area_struct) >> PAGE_SHIFT);

#ifdef CONFIG_HUGETLB_PAGE
	count += atomic_long_read(&mm->hugetlb_usage);
#endif
	return count;
}

/* Pages that a userfaultfd serves on demand would be missing in a copy. */
static int check_pages(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	bool found = false;

	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		found |= userfaultfd_missing(vma) || userfaultfd_minor(vma);
	mmap_read_unlock(mm);
	return found ? -EOPNOTSUPP : 0;
}

/*
 * Takes the memory of the calling process, of which `counted` pages are paid for. Other processes
 * and threads may have added to it since. Returns 0 with the shadow, or -errno.
 */
static int copy_memory(struct snapshot *s, unsigned long counted, struct mm_struct **shadow)
{
	struct mm_struct *mm = mitosis_shadow_create();
	unsigned long has;
	int err = 0;

	if (IS_ERR(mm))
		return PTR_ERR(mm);
	has = count_pages(mm);
	if (has > counted)
		err = mitosis_pages_pay(&s->pages, has - counted);
	if (!err)
		err = mitosis_shared_memory_copy(&s->pages, mm);
	if (err)
		mmput(mm);
	else
		*shadow = mm;
	return err;
}

int mitosis_snapshot_prepare(u32 handler_id, bool pinned, struct descriptor_header *told, u64 *key,
			     u64 *serial)
{
	u64 started = mitosis_trace_start(trace_mitosis_prepare_enabled());
	const unsigned long counted = count_pages(current->mm);
	const unsigned long told_pages = told ? DIV_ROUND_UP(told->total_size, PAGE_SIZE) : 0;
	struct mm_struct *mm;
	struct snapshot *s;
	int err;

	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s) {
		kvfree(told);
		return -ENOMEM;
	}
	kref_init(&s->refs); /* dropped by mitosis_snapshot_drop() */
	s->parent.told = told;
	/* What the others are doing is known if they have been stopped: see resume.c. */
	s->parent.threads_missing = !thread_group_empty(current) && !(told && told->process);
	s->payer = mitosis_share_user();
	mitosis_pages_init(&s->pages, mitosis_overlay_depth(current->mm) + 1, s->payer);
	mutex_init(&s->lock);
	get_fs_root(current->fs, &s->parent.root);
	s->handler_id = handler_id;
	/* Not counted from the start: other machines may have sessions from before. */
	s->serial = get_random_u64() | 1;
	s->pinned = pinned;
	mitosis_owner_save(&s->parent.owner);
	s->parent.pid = task_tgid_nr(current);
	s->prepared_at_ns = ktime_get_coarse_real_ns();
	__module_get(THIS_MODULE); /* safe: the caller's open file holds one */
	mitosis_count(snapshots);

	err = s->pages.depth > SNAPSHOT_DEPTH_MAX ? -ELOOP : 0;
	if (!err)
		err = check_pages(current->mm);
	if (!err)
		err = mitosis_thread_state_save(&s->parent.thread);
	if (err)
		goto err_put;
	err = claim(s, counted + told_pages);
	if (err)
		goto err_put;
	err = copy_memory(s, counted, &mm);
	if (err) {
		mitosis_snapshot_drop(s);
		return err;
	}
	*key = key_of(s);
	*serial = s->serial;
	mutex_lock(&registry_lock);
	s->pages.shadow = mm;
	mutex_unlock(&registry_lock);
	if (started)
		trace_mitosis_prepare(handler_id, ktime_get_ns() - started);
	return 0;

err_put:
	mitosis_snapshot_put(s);
	return err;
}

struct mitosis_snapshot mitosis_snapshot_info(const struct snapshot *s)
{
	return (struct mitosis_snapshot){
		.handler_id = s->handler_id,
		.flags = s->pinned ? MITOSIS_SNAPSHOT_PINNED : 0,
		.owner_pid = s->parent.pid,
		.prepared_at_ns = s->prepared_at_ns,
	};
}

void mitosis_snapshots_exit(void)
{
	WARN_ON(!xa_empty(&registry));
}
