// SPDX-License-Identifier: GPL-2.0
#include "dropped.h"

#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>

#define DROPPED_BLOCK 512ul
#define FULL_BLOCK    xa_mk_value(1)
/* A process grows the set as it likes. */
#define GFP_ADD (GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT)
/*
 * At the limit of a control group memory has to be reclaimed, for which nothing can wait here. So
 * many allocations may exceed the limit, each by a page.
 */
#define GFP_FORCED (GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT)
#define FORCED_MAX 256u
/* Bitmaps that a call makes, with spinlocks held. */
#define BLOCKS_AT_ONCE 4096ul

struct block {
	DECLARE_BITMAP(bits, DROPPED_BLOCK);
};

void mitosis_dropped_init(struct dropped *d)
{
	xa_init_flags(&d->blocks, XA_FLAGS_ACCOUNT);
	mt_init_flags(&d->full, 0);
	d->ranges = 0;
	d->forced = 0;
	d->lost = false;
}

void mitosis_dropped_destroy(struct dropped *d)
{
	unsigned long index;
	struct block *block;

	xa_for_each(&d->blocks, index, block)
		kfree(block);
	xa_destroy(&d->blocks);
	mtree_destroy(&d->full);
}

void mitosis_dropped_lose(struct dropped *d)
{
	WRITE_ONCE(d->lost, true);
}

bool mitosis_dropped_is_lost(const struct dropped *d)
{
	return READ_ONCE(d->lost);
}

static bool is_full(struct dropped *d, unsigned long index)
{
	MA_STATE(mas, &d->full, index, index);
	bool full;

	mas_lock(&mas);
	full = mas_walk(&mas);
	mas_unlock(&mas);
	return full;
}

/* With xa_lock held. */
static struct block *new_block(struct dropped *d, unsigned long index, gfp_t gfp)
{
	struct block *block = kzalloc(sizeof(*block), gfp);

	if (block && xa_is_err(__xa_store(&d->blocks, index, block, gfp))) {
		kfree(block);
		block = NULL;
	}
	return block;
}

/* With xa_lock held. Returns the block to set bits in, or NULL. */
static struct block *get_block(struct dropped *d, unsigned long index)
{
	struct block *block = xa_load(&d->blocks, index) ?: new_block(d, index, GFP_ADD);

	if (!block && d->forced < FORCED_MAX) {
		d->forced++;
		block = new_block(d, index, GFP_FORCED);
	}
	if (!block)
		mitosis_dropped_lose(d);
	return block;
}

static void add_to_block(struct dropped *d, unsigned long index, unsigned int first,
			 unsigned int count)
{
	struct block *block;

	if (is_full(d, index))
		return;
	xa_lock(&d->blocks);
	block = get_block(d, index);
	if (block)
		bitmap_set(block->bits, first, count);
	xa_unlock(&d->blocks);
}

/* Widens a range by those that touch it. Returns how many these are. */
static unsigned int widen(struct dropped *d, unsigned long *first, unsigned long *last)
{
	unsigned long from = *first - !!*first;
	MA_STATE(mas, &d->full, from, from);
	unsigned int count = 0;

	mas_lock(&mas);
	while (mas_find(&mas, *last + 1)) {
		*first = min(*first, mas.index);
		*last = max(*last, mas.last);
		count++;
	}
	mas_unlock(&mas);
	return count;
}

static void add_full(struct dropped *d, unsigned long first, unsigned long last)
{
	unsigned long from = first, to = last;
	unsigned int touched = widen(d, &from, &to);

	if (!touched && d->ranges >= DROPPED_RANGES_MAX) {
		if (last - first >= BLOCKS_AT_ONCE)
			mitosis_dropped_lose(d);
		for (; first <= last && !mitosis_dropped_is_lost(d); first++)
			add_to_block(d, first, 0, DROPPED_BLOCK);
		return;
	}
	if (mtree_store_range(&d->full, from, to, FULL_BLOCK, GFP_FORCED))
		mitosis_dropped_lose(d);
	else
		d->ranges += 1 - touched;
}

void mitosis_dropped_add(struct dropped *d, unsigned long first, unsigned long last)
{
	while (first <= last) {
		unsigned long index = first / DROPPED_BLOCK, at = first % DROPPED_BLOCK;
		unsigned long blocks = at ? 0 : (last - first + 1) / DROPPED_BLOCK;
		unsigned long count =
			blocks ? blocks * DROPPED_BLOCK : min(DROPPED_BLOCK - at, last - first + 1);

		if (blocks)
			add_full(d, index, index + blocks - 1);
		else
			add_to_block(d, index, at, count);
		first += count;
	}
}

bool mitosis_dropped_has(struct dropped *d, unsigned long number)
{
	struct block *block;
	bool has;

	if (is_full(d, number / DROPPED_BLOCK))
		return true;
	xa_lock(&d->blocks);
	block = xa_load(&d->blocks, number / DROPPED_BLOCK);
	has = block && test_bit(number % DROPPED_BLOCK, block->bits);
	xa_unlock(&d->blocks);
	return has;
}

/* Finds the first range of full blocks from a block on. */
static bool next_full(struct dropped *d, unsigned long *first, unsigned long *last)
{
	MA_STATE(mas, &d->full, *first, *first);
	bool found;

	mas_lock(&mas);
	found = mas_find(&mas, ULONG_MAX);
	*first = mas.index;
	*last = mas.last;
	mas_unlock(&mas);
	return found;
}

static int copy_full(struct dropped *to, struct dropped *from)
{
	unsigned long first, last;
	int err = 0;

	for (first = 0; !err && next_full(from, &first, &last); first = last + 1) {
		err = mtree_store_range(&to->full, first, last, FULL_BLOCK, GFP_KERNEL_ACCOUNT);
		/* Not less than there are, where the other has grown meanwhile. */
		to->ranges += !err;
		cond_resched();
	}
	return err;
}

static int copy_blocks(struct dropped *to, struct dropped *from)
{
	struct block *block, *copy;
	unsigned long index;
	int err;

	xa_for_each(&from->blocks, index, block) {
		copy = kmemdup(block, sizeof(*block), GFP_KERNEL_ACCOUNT);
		if (!copy)
			return -ENOMEM;
		err = xa_err(xa_store(&to->blocks, index, copy, GFP_KERNEL));
		if (err) {
			kfree(copy);
			return err;
		}
		cond_resched();
	}
	return 0;
}

void mitosis_dropped_copy(struct dropped *to, struct dropped *from)
{
	if (mitosis_dropped_is_lost(from) || copy_full(to, from) || copy_blocks(to, from))
		mitosis_dropped_lose(to);
}
