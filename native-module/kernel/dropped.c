// SPDX-License-Identifier: GPL-2.0
#include "dropped.h"

#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>

#define DROPPED_BLOCK 512ul
#define FULL_BLOCK    xa_mk_value(1)
/* A process grows the set as it likes. */
#define GFP_ADD (GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT)

struct block {
	DECLARE_BITMAP(bits, DROPPED_BLOCK);
};

void mitosis_dropped_init(struct dropped *d)
{
	xa_init_flags(&d->blocks, XA_FLAGS_ACCOUNT);
	mt_init_flags(&d->full, 0);
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

static void add_full(struct dropped *d, unsigned long first, unsigned long last)
{
	if (mtree_store_range(&d->full, first, last, FULL_BLOCK, GFP_ADD))
		mitosis_dropped_lose(d);
}

/* With xa_lock held. Returns the block to set bits in, or NULL. */
static struct block *get_block(struct dropped *d, unsigned long index)
{
	struct block *block = xa_load(&d->blocks, index);

	if (block)
		return block;
	block = kzalloc(sizeof(*block), GFP_ADD);
	if (block && xa_is_err(__xa_store(&d->blocks, index, block, GFP_ADD))) {
		kfree(block);
		block = NULL;
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
