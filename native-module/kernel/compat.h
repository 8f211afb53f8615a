/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between the supported kernels, 6.1 to 6.12. */
#ifndef MITOSIS_COMPAT_H
#define MITOSIS_COMPAT_H

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/sched.h>
#include <linux/version.h>

/* 6.5 removed the argument for the VMAs. */
static inline long compat_get_user_pages_remote(struct mm_struct *mm, unsigned long address,
						unsigned long count, unsigned int flags,
						struct page **pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return get_user_pages_remote(mm, address, count, flags, pages, NULL);
#else
	return get_user_pages_remote(mm, address, count, flags, pages, NULL, NULL);
#endif
}

/* Adds a mapping of an anonymous page; fails only for an exclusive page. */
static inline int compat_dup_anon_rmap(struct page *page, struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return folio_try_dup_anon_rmap_pte(page_folio(page), page, vma);
#else
	return page_try_dup_anon_rmap(page, false, vma);
#endif
}

/* Instead of inc_mm_counter(), which calls a tracepoint that is not exported. */
static inline void compat_count_anon_page(struct mm_struct *mm)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	percpu_counter_inc(&mm->rss_stat[MM_ANONPAGES]);
#else
	atomic_long_inc(&mm->rss_stat.count[MM_ANONPAGES]);
#endif
}

static inline void compat_vm_flags_change(struct vm_area_struct *vma, unsigned long set,
					  unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
#endif
}

/* 6.6 hid the time of the last change, 6.7 the others. */
static inline struct timespec64 compat_inode_mtime(const struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return inode_get_mtime(inode);
#else
	return inode->i_mtime;
#endif
}

static inline struct timespec64 compat_inode_ctime(const struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return inode_get_ctime(inode);
#else
	return inode->i_ctime;
#endif
}

/* A set of capabilities as bits, 1 << CAP_*. */
static inline u64 compat_cap_bits(const kernel_cap_t *set)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return set->val;
#else
	return ((u64)set->cap[1] << 32 | set->cap[0]) & (~0ull >> (63 - CAP_LAST_CAP));
#endif
}

static inline kernel_cap_t compat_cap_of_bits(u64 bits)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return (kernel_cap_t){ bits };
#else
	return (kernel_cap_t){ { bits, bits >> 32 } };
#endif
}

/* Before 6.3 the area always has its original size. */
#define COMPAT_RSEQ_SIZE 32u

static inline u32 compat_rseq_size(const struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return task->rseq_len;
#else
	return task->rseq ? COMPAT_RSEQ_SIZE : 0;
#endif
}

static inline void compat_set_rseq_size(struct task_struct *task, u32 size)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	task->rseq_len = size;
#endif
}

static inline bool compat_rseq_size_valid(u32 size)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return size >= COMPAT_RSEQ_SIZE && size <= PAGE_SIZE;
#else
	return size == COMPAT_RSEQ_SIZE;
#endif
}

/*
 * pte_offset_map_lock() with another page table's lock held; since 6.5 it calls a
 * function that is not exported. Returns NULL if there is no page table. The
 * caller releases the lock with compat_pte_unlock().
 */
static inline pte_t *compat_pte_lock_nested(struct mm_struct *mm, pmd_t *pmd, unsigned long address,
					    spinlock_t **lock)
{
	pmd_t value;

	rcu_read_lock();
	for (;;) {
		value = READ_ONCE(*pmd);
		if (pmd_none(value) || !pmd_present(value) || pmd_trans_huge(value) ||
		    pmd_devmap(value) || pmd_bad(value)) {
			rcu_read_unlock();
			return NULL;
		}
		*lock = pte_lockptr(mm, &value);
		spin_lock_nested(*lock, SINGLE_DEPTH_NESTING);
		if (likely(pmd_same(value, READ_ONCE(*pmd))))
			return (pte_t *)pmd_page_vaddr(value) + pte_index(address);
		spin_unlock(*lock);
	}
}

static inline void compat_pte_unlock(spinlock_t *lock)
{
	spin_unlock(lock);
	rcu_read_unlock();
}

/* Bits 0 to 2 of the owner are flags. Bit 0, which marks a reader, is kept. */
static inline bool compat_writes_mmap_lock(struct mm_struct *mm)
{
	return (atomic_long_read(&mm->mmap_lock.owner) & ~6l) == (long)current;
}

#endif /* MITOSIS_COMPAT_H */
