/* SPDX-License-Identifier: GPL-2.0 */
/* A set of page numbers: ranges of full blocks, and a bitmap for each other block. */
#ifndef MITOSIS_DROPPED_H
#define MITOSIS_DROPPED_H

#include <linux/maple_tree.h>
#include <linux/types.h>
#include <linux/xarray.h>

/* The kernel charges a maple tree to nobody. Of more ranges each block has a bitmap. */
#define DROPPED_RANGES_MAX 16384u

struct dropped {
	struct xarray blocks;	/* of DROPPED_BLOCK bits */
	struct maple_tree full; /* ranges of blocks, of which no two touch */
	unsigned int ranges;	/* in it: at most DROPPED_RANGES_MAX */
	unsigned int forced;	/* allocations that the control group's limit did not permit */
	bool lost;		/* an allocation failed: numbers may be missing */
};

void mitosis_dropped_init(struct dropped *dropped);
void mitosis_dropped_destroy(struct dropped *dropped);

/*
 * Adds `first` to `last`, in a time that does not depend on how many that are. Does not sleep; without
 * memory, or much beyond the limit of the control group, the set becomes lost. One call at a time.
 */
void mitosis_dropped_add(struct dropped *dropped, unsigned long first, unsigned long last);
bool mitosis_dropped_has(struct dropped *dropped, unsigned long number);

/* Fills an empty set from another; what that gets meanwhile may be missing. May sleep. */
void mitosis_dropped_copy(struct dropped *to, struct dropped *from);

/* Marks the set as incomplete. */
void mitosis_dropped_lose(struct dropped *dropped);
bool mitosis_dropped_is_lost(const struct dropped *dropped);

#endif /* MITOSIS_DROPPED_H */
