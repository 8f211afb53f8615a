// SPDX-License-Identifier: GPL-2.0
#include "page_runs.h"

#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched.h>

#include "compat.h"
#include "overlay.h"
#include "pages.h"

/* Of a run, so that nobody waits long for the shadow's mmap_lock. */
#define RUN_MAX (64ul << 20)

/* What there is from an address on: pages, or holes. */
struct stretch {
	unsigned long end;
	bool has_pages;
};

static bool is_page(pte_t pte)
{
	if (pte_none(pte))
		return false;
	/* A guard page cannot be read; other markers are of memory that was never touched. */
	if (!pte_present(pte))
		return !compat_is_pte_marker(pte);
	return !is_zero_pfn(pte_pfn(pte));
}

static struct stretch look_at_table(struct mm_struct *mm, pmd_t *pmd, unsigned long address,
				    unsigned long end)
{
	struct stretch s = { pmd_addr_end(address, end), true };
	unsigned long count = (s.end - address) >> PAGE_SHIFT, i = 1;
	spinlock_t *lock;
	pte_t *pte = compat_pte_lock_nested(mm, pmd, address, &lock);

	/* It has become a huge page. */
	if (!pte)
		return s;
	s.has_pages = is_page(*pte);
	while (i < count && is_page(pte[i]) == s.has_pages)
		i++;
	compat_pte_unlock(lock);
	s.end = address + (i << PAGE_SHIFT);
	return s;
}

/* Whether a huge page of anonymous memory is the one of zeros. */
static bool is_huge_zero(struct mm_struct *mm, pmd_t *pmd)
{
	spinlock_t *lock = pmd_lock(mm, pmd);
	bool zero = pmd_present(*pmd) && pmd_trans_huge(*pmd) && !PageAnon(pmd_page(*pmd));

	spin_unlock(lock);
	return zero;
}

/* With the shadow's mmap_lock held; of a VMA all of whose pages are in its page table. */
static struct stretch look(struct vm_area_struct *vma, unsigned long address, unsigned long end)
{
	struct mm_struct *mm = vma->vm_mm;
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd, value;

	if (pgd_none(*pgd))
		return (struct stretch){ pgd_addr_end(address, end), false };
	p4d = p4d_offset(pgd, address);
	if (p4d_none(*p4d))
		return (struct stretch){ p4d_addr_end(address, end), false };
	pud = pud_offset(p4d, address);
	if (pud_none(*pud))
		return (struct stretch){ pud_addr_end(address, end), false };
	if (pud_leaf(*pud) || pud_bad(*pud))
		return (struct stretch){ pud_addr_end(address, end), true };
	pmd = pmd_offset(pud, address);
	value = READ_ONCE(*pmd);
	if (pmd_none(value))
		return (struct stretch){ pmd_addr_end(address, end), false };
	if (is_vm_hugetlb_page(vma))
		return (struct stretch){ pmd_addr_end(address, end), true };
	if (pmd_trans_huge(value))
		return (struct stretch){ pmd_addr_end(address, end), !is_huge_zero(mm, pmd) };
	return look_at_table(mm, pmd, address, end);
}

/* Narrows a range of such a VMA to its first run, or returns false. */
static bool run_of_table(struct vm_area_struct *vma, unsigned long *start, unsigned long *end)
{
	struct stretch s = look(vma, *start, *end);
	unsigned long limit;

	while (!s.has_pages) {
		*start = s.end;
		if (*start == *end)
			return false;
		s = look(vma, *start, *end);
		cond_resched();
	}
	limit = min(*end, *start + RUN_MAX);
	for (*end = min(s.end, limit); *end < limit; *end = s.end) {
		s = look(vma, *end, limit);
		if (!s.has_pages)
			break;
	}
	return true;
}

/* The same of a process that is a child: the other pages are those of its own snapshot. */
static bool run_of_child(struct vm_area_struct *vma, unsigned long *start, unsigned long *end)
{
	struct stretch s;

	for (; *start < *end; *start = s.end) {
		unsigned long last;

		s = look(vma, *start, *end);
		last = s.end;
		if (s.has_pages || mitosis_child_next_run(vma, start, &last)) {
			*end = min(last, *start + RUN_MAX);
			return true;
		}
		cond_resched();
	}
	return false;
}

unsigned long mitosis_vma_end_in_file(struct vm_area_struct *vma)
{
	const struct inode *inode = vma->vm_file ? file_inode(vma->vm_file) : NULL;
	unsigned long pages;

	/* Of what is no file the size says nothing. */
	if (!inode || !S_ISREG(inode->i_mode) || inode->i_sb->s_magic == ANON_INODE_FS_MAGIC)
		return vma->vm_end;
	pages = DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE);
	pages -= min(pages, vma->vm_pgoff);
	return vma->vm_start + (min(pages, vma_pages(vma)) << PAGE_SHIFT);
}

/* The same of shared memory, which was copied. */
static bool run_of_copies(struct shadow_pages *p, unsigned long *start, unsigned long *end)
{
	unsigned long first = *start >> PAGE_SHIFT, next;

	if (!xa_find(&p->copies, &first, (*end - 1) >> PAGE_SHIFT, XA_PRESENT))
		return false;
	*start = first << PAGE_SHIFT;
	*end = min(*end, *start + RUN_MAX);
	for (next = first + 1; next < *end >> PAGE_SHIFT && xa_load(&p->copies, next);)
		next++;
	*end = next << PAGE_SHIFT;
	return true;
}

/* The same of any VMA. */
static bool run_of_vma(struct shadow_pages *p, struct vm_area_struct *vma, unsigned long *start,
		       unsigned long *end)
{
	if (vma->vm_flags & VM_MAYSHARE && mitosis_pages_are_copied(p, vma->vm_start))
		return run_of_copies(p, start, end);
	if (vma_is_anonymous(vma) || is_vm_hugetlb_page(vma))
		return run_of_table(vma, start, end);
	if (mitosis_overlay_owns(vma))
		return run_of_child(vma, start, end);
	*end = min3(*end, mitosis_vma_end_in_file(vma), *start + RUN_MAX);
	return *start < *end;
}

bool mitosis_pages_next_run(struct shadow_pages *p, u64 *start, u64 *end)
{
	const unsigned long limit = *end;
	unsigned long from = *start, to;
	struct vm_area_struct *vma;
	bool found = false;

	down_read_nested(&p->shadow->mmap_lock, p->depth);
	for (vma = find_vma(p->shadow, from); vma && vma->vm_start < limit;
	     vma = find_vma(p->shadow, vma->vm_end)) {
		from = max(from, vma->vm_start);
		to = min(limit, vma->vm_end);
		found = run_of_vma(p, vma, &from, &to);
		if (found)
			break;
	}
	up_read(&p->shadow->mmap_lock);
	if (found) {
		*start = from;
		*end = to;
	}
	return found;
}
