/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map file of a child: its VMAs are private mappings of it, and a page that
 * it needs is a fault there. The page's number in the file says which VMA of
 * the descriptor it belongs to and where in that: it stays the same when the
 * child splits, moves or forks its VMAs.
 */
#ifndef MITOSIS_CHILD_H
#define MITOSIS_CHILD_H

#include <linux/types.h>

#include "uapi/mitosis.h"

struct descriptor_header;
struct file;
struct remote;
struct snapshot;

/* The number of a page is this times the VMA's index, and its place in it. */
#define CHILD_VMA_SHIFT		36
#define CHILD_VMAS_MAX		(1u << (64 - 12 - CHILD_VMA_SHIFT))

/* What a child is made from: a snapshot of this machine or of another. */
struct origin {
	struct snapshot *snapshot;
	struct remote *remote;
	u32 machine_id, handler_id;	/* for messages */
};

const struct descriptor_header *mitosis_origin_descriptor(const struct origin *origin);
void mitosis_origin_put(struct origin *origin);

/*
 * A map file for the calling process. Takes the origin over, if it succeeds.
 * Returns the file or an error pointer.
 */
struct file *mitosis_child_create(const struct origin *origin,
				  const struct mitosis_options *options);

/*
 * The process gets an overlay for its VMAs, before the first of them is mapped.
 * Returns 0 or -errno.
 */
int mitosis_child_start(struct file *map);
/* Once all are mapped, or will not be. */
void mitosis_child_started(struct file *map);

#endif /* MITOSIS_CHILD_H */
