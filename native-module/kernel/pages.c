// SPDX-License-Identifier: GPL-2.0
#include "pages.h"

#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/xarray.h>

#include "compat.h"
#include "overlay.h"
#include "parameters.h"
#include "shares.h"
#include "stats.h"

/* Of each user: the pages that its snapshots keep. */
static DEFINE_SHARES(kept_pages);

int mitosis_pages_pay(struct shadow_pages *p, unsigned long count)
{
	int err =
		mitosis_share_take(&kept_pages, p->payer, count, mitosis_snapshot_pages_per_user());

	if (!err)
		atomic_long_add(count, &p->paid);
	return err == -EUSERS ? -ENOSPC : err;
}

static void take_back(struct shadow_pages *p, unsigned long count)
{
	atomic_long_sub(count, &p->paid);
	mitosis_share_give(&kept_pages, p->payer, count);
}

/*
 * Whether children may map a page of the shadow. An exclusive page may be pinned; a
 * lazily freed page may vanish from the shadow while a child maps it.
 */
static bool is_sharable(pte_t pte, struct page *page)
{
	return !pte_write(pte) && PageAnon(page) && !PageAnonExclusive(page) && !PageHuge(page) &&
	       !folio_test_ksm(page_folio(page)) && folio_test_swapbacked(page_folio(page));
}

struct page *mitosis_pages_copy(struct page *page)
{
	struct page *copy = alloc_page(GFP_USER | __GFP_ACCOUNT);

	if (copy) {
		copy_highpage(copy, page);
		mitosis_count(pages_copied);
	}
	return copy;
}

/* NULL if no page table covers the address. */
static pmd_t *pmd_at(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return NULL;
	pud = pud_offset(p4d, address);
	if (pud_none(*pud) || pud_leaf(*pud) || pud_bad(*pud))
		return NULL;
	return pmd_offset(pud, address);
}

bool mitosis_pages_is_hole(struct mm_struct *mm, unsigned long address)
{
	pmd_t *pmd = pmd_at(mm, address);
	spinlock_t *lock;
	bool hole;
	pte_t *pte;

	if (!pmd || pmd_none(READ_ONCE(*pmd)))
		return true;
	pte = compat_pte_lock_nested(mm, pmd, address, &lock);
	if (!pte)
		return false;
	hole = pte_none(*pte);
	compat_pte_unlock(lock);
	return hole;
}

/* A child's fault holds the child's mmap_lock; the shadow's nests by its depth. */
static void lock_shadow(struct shadow_pages *p)
{
	down_read_nested(&p->shadow->mmap_lock, p->depth);
}

static void unlock_shadow(struct shadow_pages *p)
{
	up_read(&p->shadow->mmap_lock);
}

bool mitosis_pages_are_copied(struct shadow_pages *p, unsigned long address)
{
	return mtree_load(&p->copied, address);
}

/*
 * With the shadow's mmap_lock held. Returns a page with a reference, NULL for
 * zeros, or an error pointer. A hole in anonymous memory is not faulted in, nor are pages
 * that an object has got since its copy; other memory is. In huge TLB memory a fault fails
 * if the parent took the page.
 */
static struct page *look_up(struct shadow_pages *p, unsigned long address, unsigned int flags)
{
	struct mm_struct *mm = p->shadow;
	struct vm_area_struct *vma = find_vma(mm, address);
	bool copied = mitosis_pages_are_copied(p, address);
	struct page *page = NULL;
	long n;

	if (!vma || vma->vm_start > address)
		return ERR_PTR(-EFAULT);
	if (copied && vma->vm_flags & VM_MAYSHARE)
		return NULL;
	if ((copied || vma_is_anonymous(vma)) && mitosis_pages_is_hole(mm, address))
		return NULL;
	/* A huge page of the pool looks like one that can be split, and would be dropped. */
	if (is_vm_hugetlb_page(vma))
		flags &= ~FOLL_SPLIT_PMD;
	n = compat_get_user_pages_remote(mm, address, 1, flags | FOLL_FORCE, &page);
	if (n == -EFAULT && is_vm_hugetlb_page(vma))
		n = -EHWPOISON; /* the page is lost */
	if (n != 1)
		return ERR_PTR(n < 0 ? n : -EFAULT);
	if (!is_zero_pfn(page_to_pfn(page)) && !(copied && !PageAnon(page)))
		return page;
	put_page(page);
	return NULL;
}

static int peek(struct shadow_pages *p, unsigned long address, unsigned int flags,
		struct page **page)
{
	*page = xa_load(&p->copies, address >> PAGE_SHIFT);
	if (*page) {
		get_page(*page);
		return 0;
	}
	lock_shadow(p);
	*page = look_up(p, address, flags);
	unlock_shadow(p);
	return PTR_ERR_OR_ZERO(*page);
}

int mitosis_pages_peek(struct shadow_pages *p, unsigned long address, struct page **page)
{
	return peek(p, address, 0, page);
}

int mitosis_pages_peek_split(struct shadow_pages *p, unsigned long address, struct page **page)
{
	return peek(p, address, FOLL_SPLIT_PMD, page);
}

struct page *mitosis_pages_shared_copy(struct shadow_pages *p, unsigned long address,
				       struct page *page)
{
	unsigned long number = address >> PAGE_SHIFT;
	struct page *copy, *other;

	other = xa_load(&p->copies, number);
	if (other) {
		get_page(other);
		return other;
	}
	copy = mitosis_pages_copy(page);
	if (!copy)
		return ERR_PTR(-ENOMEM);
	/* Nothing but the snapshot's end would free it. */
	if (mitosis_pages_pay(p, 1))
		return copy;
	other = xa_cmpxchg(&p->copies, number, NULL, copy, GFP_KERNEL);
	if (xa_is_err(other)) {
		take_back(p, 1);
		put_page(copy);
		return ERR_PTR(xa_err(other));
	}
	if (other) {
		/* Another child was faster. Its copy stays until the snapshot goes. */
		take_back(p, 1);
		put_page(copy);
		copy = other;
	}
	get_page(copy);
	return copy;
}

int mitosis_pages_read(struct shadow_pages *p, unsigned long address, void *buffer)
{
	struct page *page;
	void *from;
	int err = mitosis_pages_peek(p, address, &page);

	if (err)
		return err;
	if (!page) {
		memset(buffer, 0, PAGE_SIZE);
		return 0;
	}
	from = kmap_local_page(page);
	memcpy(buffer, from, PAGE_SIZE);
	kunmap_local(from);
	put_page(page);
	return 0;
}

/* With the shadow's mmap_lock held. */
static int access_locked(struct shadow_pages *p, unsigned long address, void *buffer, int length)
{
	struct vm_area_struct *vma = vma_lookup(p->shadow, address);
	struct page *page;

	/* Of a snapshot of a child: what that had not touched is its own snapshot's. */
	if (vma && mitosis_overlay_owns(vma))
		return vma->vm_ops->access(vma, address, buffer, length, 0);
	page = look_up(p, address, FOLL_ANON);
	if (IS_ERR(page))
		return PTR_ERR(page);
	if (!page) {
		memset(buffer, 0, length);
		return length;
	}
	memcpy_from_page(buffer, page, offset_in_page(address), length);
	put_page(page);
	return length;
}

int mitosis_pages_access(struct shadow_pages *p, unsigned long address, void *buffer, int length)
{
	/* It stays as long as the snapshot. */
	struct page *page = xa_load(&p->copies, address >> PAGE_SHIFT);
	int result;

	if (page) {
		memcpy_from_page(buffer, page, offset_in_page(address), length);
		return length;
	}
	lock_shadow(p);
	result = access_locked(p, address, buffer, length);
	unlock_shadow(p);
	return result;
}

void mitosis_pages_set_zero(struct vm_area_struct *vma, unsigned long address, pte_t *pte)
{
	pte_t zero = pfn_pte(page_to_pfn(ZERO_PAGE(address)), vma->vm_page_prot);

	set_pte_at(vma->vm_mm, address, pte, pte_mkspecial(pte_wrprotect(zero)));
}

struct sharing {
	struct vm_area_struct *parents; /* the shadow's VMA that is shared from */
	struct mm_struct *shadow;
	bool zeros;		    /* holes are zeros: anonymous memory */
	struct vm_area_struct *vma; /* the child's */
	unsigned long distance;	    /* from its addresses to the parent's */
	unsigned long needed;	    /* an address in the child */
	bool has_needed;
};

/* With the locks of both page tables held, as in fork(2). */
static void share(struct sharing *sharing, unsigned long address, pte_t *pte, pte_t shadows)
{
	struct page *page;

	if (!pte_present(shadows) || pte_special(shadows) || !pfn_valid(pte_pfn(shadows)))
		return;
	page = pte_page(shadows);
	if (!is_sharable(shadows, page) ||
	    compat_dup_anon_rmap(page, sharing->vma, sharing->parents))
		return;
	get_page(page);
	compat_count_anon_page(sharing->vma->vm_mm);
	set_pte_at(sharing->vma->vm_mm, address, pte,
		   pte_wrprotect(mk_pte(page, sharing->vma->vm_page_prot)));
	mitosis_count(pages_shared);
}

/* With the lock of the child's page table held. */
static int share_one(pte_t *pte, unsigned long address, void *data)
{
	struct sharing *sharing = data;
	unsigned long from = address + sharing->distance;
	pmd_t *pmd = pmd_at(sharing->shadow, from);
	spinlock_t *lock;
	pte_t *shadows;

	if (!pte_none(*pte))
		goto out;
	shadows = pmd ? compat_pte_lock_nested(sharing->shadow, pmd, from, &lock) : NULL;
	if (shadows) {
		if (!pte_none(*shadows))
			share(sharing, address, pte, *shadows);
		else if (sharing->zeros)
			mitosis_pages_set_zero(sharing->vma, address, pte);
		compat_pte_unlock(lock);
	} else if (sharing->zeros && (!pmd || pmd_none(READ_ONCE(*pmd)))) {
		mitosis_pages_set_zero(sharing->vma, address, pte);
	}
out:
	if (address == sharing->needed)
		sharing->has_needed = !pte_none(*pte);
	return 0;
}

int mitosis_pages_map_shared(struct shadow_pages *p, unsigned long from, struct vm_area_struct *vma,
			     unsigned long address, unsigned long count, unsigned long needed)
{
	struct sharing sharing = {
		.shadow = p->shadow,
		.vma = vma,
		.distance = from - address,
		.needed = needed,
	};
	struct vm_area_struct *parents;
	int err = 0;

	lock_shadow(p);
	parents = find_vma(p->shadow, from);
	if (parents && parents->vm_start <= from &&
	    parents->vm_end >= from + (count << PAGE_SHIFT) && !is_vm_hugetlb_page(parents)) {
		sharing.parents = parents;
		sharing.zeros = vma_is_anonymous(parents);
		err = apply_to_page_range(vma->vm_mm, address, count << PAGE_SHIFT, share_one,
					  &sharing);
	}
	unlock_shadow(p);
	return err ?: sharing.has_needed;
}

void mitosis_pages_seal(struct shadow_pages *p)
{
	struct mm_struct *mm = p->shadow;
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	mmap_write_lock(mm);
	for_each_vma(vmi, vma)
		compat_vm_flags_change(vma, VM_NOHUGEPAGE, VM_MERGEABLE | VM_HUGEPAGE);
	mmap_write_unlock(mm);
}

void mitosis_pages_init(struct shadow_pages *p, unsigned int depth, u32 payer)
{
	p->shadow = NULL;
	p->payer = payer;
	atomic_long_set(&p->paid, 0);
	p->depth = depth;
	xa_init_flags(&p->copies, XA_FLAGS_ACCOUNT);
	mt_init_flags(&p->copied, 0);
}

void mitosis_pages_destroy(struct shadow_pages *p)
{
	struct page *page;
	unsigned long index;

	xa_for_each(&p->copies, index, page)
		put_page(page);
	xa_destroy(&p->copies);
	mtree_destroy(&p->copied);
	if (p->shadow)
		mmput(p->shadow);
	take_back(p, atomic_long_read(&p->paid));
}
