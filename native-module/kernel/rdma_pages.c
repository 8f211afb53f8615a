// SPDX-License-Identifier: GPL-2.0
/* What mitosis_rdma.ko sends: see rdma_operations.h. */
#include <linux/export.h>
#include <linux/mm.h>

#include "pages.h"
#include "proto/descriptor.h"
#include "rdma_operations.h"
#include "snapshot.h"
#include "stats.h"

static int check_range(const struct snapshot *s, const struct wire_pages *range, u32 pages_max)
{
	if (!range->length || range->address % PAGE_SIZE || range->length % PAGE_SIZE ||
	    range->length > (u64)pages_max << PAGE_SHIFT)
		return -EINVAL;
	if (range->address >= USER_MEMORY_END || range->length > USER_MEMORY_END - range->address ||
	    !descriptor_covers(s->description.descriptor, range->address, range->length))
		return -EFAULT;
	return 0;
}

int mitosis_rdma_get_pages(struct snapshot *s, const struct wire_pages *range, u32 pages_max,
			   struct page **pages)
{
	int count = range->length >> PAGE_SHIFT, n;
	int err = check_range(s, range, pages_max);

	for (n = 0; !err && n < count; n++) {
		err = mitosis_pages_peek(&s->pages, range->address + ((u64)n << PAGE_SHIFT),
					 &pages[n]);
		if (err)
			break;
		if (!pages[n]) {
			pages[n] = ZERO_PAGE(0);
			get_page(pages[n]);
		}
	}
	if (err) {
		while (n > 0)
			put_page(pages[--n]);
		return err == -EINVAL ? err : -EFAULT;
	}
	mitosis_count_many(pages_served, count);
	mitosis_count_many(pages_served_by_rdma, count);
	return count;
}
EXPORT_SYMBOL_GPL(mitosis_rdma_get_pages);

bool mitosis_rdma_is_dropped(const struct snapshot *s)
{
	return mitosis_snapshot_is_dropped(s);
}
EXPORT_SYMBOL_GPL(mitosis_rdma_is_dropped);

void mitosis_rdma_put_snapshot(struct snapshot *s)
{
	mitosis_snapshot_put(s);
}
EXPORT_SYMBOL_GPL(mitosis_rdma_put_snapshot);
