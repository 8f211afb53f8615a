// SPDX-License-Identifier: GPL-2.0
#include "pages.h"

#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/rmap.h>
#include <linux/xarray.h>

#include "compat.h"
#include "snapshot.h"
#include "stats.h"

bool page_is_shadows(struct page *page)
{
	return PageAnon(page);
}

/*
 * Whether a page can be mapped by others without the kernel's leave: see above.
 * Lazily freed pages may vanish from the shadow while a child still has them.
 */
static bool is_sharable(struct page *page)
{
	return PageAnon(page) && !PageAnonExclusive(page) && !PageKsm(page) &&
	       folio_test_swapbacked(page_folio(page)) && !PageHuge(page);
}

static struct page *copy_of(struct page *page)
{
	struct page *copy = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT);

	if (copy) {
		copy_highpage(copy, page);
		/* It is mapped in user memory as a page of a file would be. */
		SetPageUptodate(copy);
		mitosis_count(pages_copied);
	}
	return copy;
}

/*
 * With the shadow's mmap_lock: a page with a reference; NULL for zeros; or an
 * error. A hole in anonymous memory is not filled: FOLL_DUMP. Elsewhere a fault
 * says what is there; in huge TLB memory, that the parent has taken it away.
 */
static struct page *look_up(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma = find_vma(mm, address);
	unsigned int flags = FOLL_FORCE;
	struct page *page = NULL;
	long n;

	if (!vma || vma->vm_start > address)
		return ERR_PTR(-EFAULT);
	if (vma_is_anonymous(vma))
		flags |= FOLL_DUMP;
	n = compat_get_user_pages_remote(mm, address, 1, flags, &page);
	if (n == -EFAULT && vma_is_anonymous(vma))
		return NULL;
	if (n != 1)
		return ERR_PTR(n < 0 ? n : -EFAULT);
	if (!is_zero_pfn(page_to_pfn(page)))
		return page;
	put_page(page);
	return NULL;
}

/* Children's faults come with their own mmap_lock held, and so may the shadow's. */
static void lock_shadow(struct snapshot *s)
{
	down_read_nested(&s->mm->mmap_lock, s->depth);
}

static void unlock_shadow(struct snapshot *s)
{
	up_read(&s->mm->mmap_lock);
}

/*
 * With a reference of the caller's in place of that on `page`, which is given
 * up. Keeps the page for the snapshot's next children.
 */
static struct page *keep(struct snapshot *s, unsigned long index,
			 struct page *page)
{
	struct page *kept = page, *other;

	if (!is_sharable(page)) {
		kept = copy_of(page);
		put_page(page);
		if (!kept)
			return ERR_PTR(-ENOMEM);
	}
	other = xa_cmpxchg(&s->pages, index, NULL, kept, GFP_KERNEL);
	if (xa_is_err(other)) {
		put_page(kept);
		return ERR_PTR(xa_err(other));
	}
	if (other) {
		/* Another child was faster. It stays as long as the snapshot does. */
		put_page(kept);
		kept = other;
	}
	get_page(kept);
	return kept;
}

static struct page *share(struct snapshot *s, unsigned long address, bool copy)
{
	unsigned long index = address >> PAGE_SHIFT;
	struct page *page = copy ? NULL : xa_load(&s->pages, index);

	if (page) {
		get_page(page);
		return page;
	}
	lock_shadow(s);
	page = look_up(s->mm, address);
	unlock_shadow(s);
	if (IS_ERR_OR_NULL(page))
		return page;
	if (copy) {
		struct page *own = copy_of(page);

		put_page(page);
		return own ?: ERR_PTR(-ENOMEM);
	}
	return keep(s, index, page);
}

long pages_share(struct snapshot *s, unsigned long address, unsigned long count,
		 bool copy, struct page **pages)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		pages[i] = share(s, address + (i << PAGE_SHIFT), copy);
		/* The first page is what is needed; the others are a favour. */
		if (IS_ERR(pages[i]))
			return i ?: PTR_ERR(pages[i]);
	}
	return count;
}

int pages_peek(struct snapshot *s, unsigned long address, struct page **page)
{
	*page = xa_load(&s->pages, address >> PAGE_SHIFT);
	if (*page) {
		get_page(*page);
		return 0;
	}
	lock_shadow(s);
	*page = look_up(s->mm, address);
	unlock_shadow(s);
	if (!IS_ERR(*page))
		return 0;
	return PTR_ERR(*page);
}

int pages_read(struct snapshot *s, unsigned long address, void *buffer)
{
	struct page *page;
	void *from;
	int err = pages_peek(s, address, &page);

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

void pages_put(struct page **pages, long count)
{
	long i;

	for (i = 0; i < count; i++)
		if (pages[i])
			put_page(pages[i]);
}

void pages_destroy(struct xarray *pages)
{
	struct page *page;
	unsigned long index;

	xa_for_each(pages, index, page)
		put_page(page);
	xa_destroy(pages);
}
