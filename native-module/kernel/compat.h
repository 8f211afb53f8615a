/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the supported kernels, 6.1 to 7.3. HAVE_* come from the programs
 * in features/, which the Makefile compiles for the kernel.
 */
#ifndef MITOSIS_COMPAT_H
#define MITOSIS_COMPAT_H

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/socket.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/user_namespace.h>
#include <uapi/linux/rseq.h>
#ifdef HAVE_SOFTLEAF
#include <linux/leafops.h>
#endif
#ifdef HAVE_EXEC_STATE
#include <linux/sched/exec_state.h>
#endif
#ifdef HAVE_CPUID_API
#include <asm/cpuid/api.h>
#else
#include <asm/processor.h>
#endif

static inline long compat_get_user_pages_remote(struct mm_struct *mm, unsigned long address,
						unsigned long count, unsigned int flags,
						struct page **pages)
{
#ifdef HAVE_GUP_WITHOUT_VMAS
	return get_user_pages_remote(mm, address, count, flags, pages, NULL);
#else
	return get_user_pages_remote(mm, address, count, flags, pages, NULL, NULL);
#endif
}

/* Adds a mapping of an anonymous page; fails only for an exclusive page. */
static inline int compat_dup_anon_rmap(struct page *page, struct vm_area_struct *to,
				       struct vm_area_struct *from)
{
#if defined(HAVE_FOLIO_DUP_RMAP_TO)
	return folio_try_dup_anon_rmap_pte(page_folio(page), page, to, from);
#elif defined(HAVE_FOLIO_DUP_RMAP)
	return folio_try_dup_anon_rmap_pte(page_folio(page), page, from);
#else
	return page_try_dup_anon_rmap(page, false, from);
#endif
}

/* Instead of inc_mm_counter(), which calls a tracepoint that is not exported. */
static inline void compat_count_anon_page(struct mm_struct *mm)
{
#ifdef HAVE_PERCPU_RSS
	percpu_counter_inc(&mm->rss_stat[MM_ANONPAGES]);
#else
	atomic_long_inc(&mm->rss_stat.count[MM_ANONPAGES]);
#endif
}

static inline void compat_vm_flags_change(struct vm_area_struct *vma, unsigned long set,
					  unsigned long clear)
{
#ifdef HAVE_VM_FLAGS_MOD
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
#endif
}

static inline struct timespec64 compat_inode_mtime(const struct inode *inode)
{
#ifdef HAVE_INODE_GET_MTIME
	return inode_get_mtime(inode);
#else
	return inode->i_mtime;
#endif
}

static inline struct timespec64 compat_inode_ctime(const struct inode *inode)
{
#ifdef HAVE_INODE_GET_CTIME
	return inode_get_ctime(inode);
#else
	return inode->i_ctime;
#endif
}

/* A set of capabilities as bits, 1 << CAP_*. */
static inline u64 compat_cap_bits(const kernel_cap_t *set)
{
#ifdef HAVE_CAP_VAL
	return set->val;
#else
	return ((u64)set->cap[1] << 32 | set->cap[0]) & (~0ull >> (63 - CAP_LAST_CAP));
#endif
}

static inline kernel_cap_t compat_cap_of_bits(u64 bits)
{
#ifdef HAVE_CAP_VAL
	return (kernel_cap_t){ bits };
#else
	return (kernel_cap_t){ { bits, bits >> 32 } };
#endif
}

/* The size of the first version of the area, which every kernel accepts. */
#define COMPAT_RSEQ_SIZE 32u

static inline struct rseq __user *compat_rseq_area(const struct task_struct *task)
{
#ifdef HAVE_RSEQ_DATA
	return task->rseq.usrptr;
#else
	return task->rseq;
#endif
}

static inline u32 compat_rseq_size(const struct task_struct *task)
{
#if defined(HAVE_RSEQ_DATA)
	return task->rseq.len;
#elif defined(HAVE_RSEQ_LEN)
	return task->rseq_len;
#else
	return task->rseq ? COMPAT_RSEQ_SIZE : 0;
#endif
}

static inline u32 compat_rseq_signature(const struct task_struct *task)
{
#ifdef HAVE_RSEQ_DATA
	return task->rseq.sig;
#else
	return task->rseq_sig;
#endif
}

/* Whether rseq(2) accepts an area of that size. */
static inline bool compat_rseq_size_valid(u32 size)
{
#if defined(HAVE_RSEQ_DATA) || defined(HAVE_RSEQ_LEN)
	return size == COMPAT_RSEQ_SIZE ||
	       (size > COMPAT_RSEQ_SIZE && size >= offsetof(struct rseq, end) && size <= PAGE_SIZE);
#else
	return size == COMPAT_RSEQ_SIZE;
#endif
}

static inline struct robust_list_head __user **compat_robust_list(struct task_struct *task)
{
#ifdef HAVE_FUTEX_ROBUST_LIST
	return &task->futex.robust_list;
#else
	return &task->robust_list;
#endif
}

static inline u64 compat_read_msr(u32 msr)
{
	u64 value;

#ifdef HAVE_RDMSRQ
	rdmsrq(msr, value);
#else
	rdmsrl(msr, value);
#endif
	return value;
}

static inline void compat_write_msr(u32 msr, u64 value)
{
#ifdef HAVE_RDMSRQ
	wrmsrq(msr, value);
#else
	wrmsrl(msr, value);
#endif
}

static inline unsigned long compat_mm_flags(const struct mm_struct *mm)
{
#ifdef HAVE_MM_FLAGS_WORD
	return __mm_flags_get_word(mm);
#else
	return READ_ONCE(mm->flags);
#endif
}

/*
 * Of the calling process: whether its user may dump it, and the user namespace of its
 * last exec, with a reference.
 */
#ifdef HAVE_EXEC_STATE
static inline struct task_exec_state *compat_exec_state(void)
{
	/* Only the process itself replaces it. */
	return rcu_dereference_protected(current->exec_state, true);
}

static inline bool compat_is_dumpable(void)
{
	return READ_ONCE(compat_exec_state()->dumpable) == TASK_DUMPABLE_OWNER;
}

static inline void compat_set_undumpable(void)
{
	WRITE_ONCE(compat_exec_state()->dumpable, TASK_DUMPABLE_OFF);
}

static inline struct user_namespace *compat_get_exec_ns(void)
{
	return get_user_ns(compat_exec_state()->user_ns);
}
#else
static inline bool compat_is_dumpable(void)
{
	return get_dumpable(current->mm) == SUID_DUMP_USER;
}

static inline void compat_set_undumpable(void)
{
#ifdef HAVE_MM_FLAGS
	__mm_flags_set_mask_dumpable(current->mm, SUID_DUMP_DISABLE);
#else
	set_mask_bits(&current->mm->flags, MMF_DUMPABLE_MASK, SUID_DUMP_DISABLE);
#endif
}

static inline struct user_namespace *compat_get_exec_ns(void)
{
	return get_user_ns(current->mm->user_ns);
}
#endif

/* The address as kernel_bind() and kernel_connect() take it: 6.19 has another type for it. */
static inline void *compat_socket_address(const struct sockaddr_storage *address)
{
	return (void *)address;
}

/* Whether an entry that is not present stands for no page: a guard page, say. */
static inline bool compat_is_pte_marker(pte_t pte)
{
#ifdef HAVE_SOFTLEAF
	return softleaf_is_marker(softleaf_from_pte(pte));
#else
	return is_pte_marker(pte);
#endif
}

static inline bool compat_pmd_devmap(pmd_t pmd)
{
#ifdef HAVE_PMD_DEVMAP
	return pmd_devmap(pmd);
#else
	return false;
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
		    compat_pmd_devmap(value) || pmd_bad(value)) {
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
