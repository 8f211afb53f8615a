// SPDX-License-Identifier: GPL-2.0
#include "dropped.h"

#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#define DROPPED_BLOCK 512ul
#define FULL_BLOCK    xa_mk_value(1)

struct block {
	DECLARE_BITMAP(bits, DROPPED_BLOCK);
};

void mitosis_dropped_init(struct dropped *d)
{
	xa_init(&d->blocks);
	d->lost = false;
}

void mitosis_dropped_destroy(struct dropped *d)
{
	unsigned long index;
	void *entry;

	xa_for_each(&d->blocks, index, entry)
		if (!xa_is_value(entry))
			kfree(entry);
	xa_destroy(&d->blocks);
}

void mitosis_dropped_lose(struct dropped *d)
{
	WRITE_ONCE(d->lost, true);
}

bool mitosis_dropped_is_lost(const struct dropped *d)
{
	return READ_ONCE(d->lost);
}

/* With xa_lock held. Returns the block to set bits in, or NULL. */
static struct block *get_block(struct dropped *d, unsigned long index)
{
	struct block *block = xa_load(&d->blocks, index);

	if (block)
		return block;
	block = kzalloc(sizeof(*block), GFP_ATOMIC | __GFP_NOWARN);
	if (block && xa_is_err(__xa_store(&d->blocks, index, block, GFP_ATOMIC | __GFP_NOWARN))) {
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
	void *old;

	xa_lock(&d->blocks);
	if (count == DROPPED_BLOCK) {
		old = __xa_store(&d->blocks, index, FULL_BLOCK, GFP_ATOMIC | __GFP_NOWARN);
		if (xa_is_err(old))
			mitosis_dropped_lose(d);
		else if (!xa_is_value(old))
			kfree(old);
	} else {
		block = get_block(d, index);
		if (block && !xa_is_value(block))
			bitmap_set(block->bits, first, count);
	}
	xa_unlock(&d->blocks);
}

void mitosis_dropped_add(struct dropped *d, unsigned long first, unsigned long last)
{
	while (first <= last) {
		unsigned long index = first / DROPPED_BLOCK;
		unsigned long end = min((index + 1) * DROPPED_BLOCK - 1, last);

		add_to_block(d, index, first % DROPPED_BLOCK, end - first + 1);
		first = end + 1;
	}
}

bool mitosis_dropped_has(struct dropped *d, unsigned long number)
{
	struct block *block;
	bool has;

	xa_lock(&d->blocks);
	block = xa_load(&d->blocks, number / DROPPED_BLOCK);
	has = xa_is_value(block) || (block && test_bit(number % DROPPED_BLOCK, block->bits));
	xa_unlock(&d->blocks);
	return has;
}

void mitosis_dropped_copy(struct dropped *to, struct dropped *from)
{
	unsigned long index;
	void *entry;

	if (mitosis_dropped_is_lost(from))
		mitosis_dropped_lose(to);
	xa_for_each(&from->blocks, index, entry) {
		void *copy = xa_is_value(entry) ? entry
						: kmemdup(entry, sizeof(struct block), GFP_KERNEL);

		if (!copy || xa_is_err(xa_store(&to->blocks, index, copy, GFP_KERNEL))) {
			if (!xa_is_value(copy))
				kfree(copy);
			mitosis_dropped_lose(to);
			return;
		}
	}
}
