/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map file of a child: the child's VMAs are private mappings of it, and each
 * missing page is a fault in it. A page's number in the file encodes the VMA of
 * the descriptor and the offset in it. The number does not change when the child
 * splits, moves or forks its VMAs.
 */
#ifndef MITOSIS_CHILD_H
#define MITOSIS_CHILD_H

#include <linux/types.h>

#include "token.h"
#include "uapi/mitosis.h"

struct descriptor_header;
struct file;
struct remote;
struct snapshot;

/* A page's number: the VMA's index, shifted by this, plus the page within it. */
#define CHILD_VMA_SHIFT 36
#define CHILD_VMAS_MAX	(1u << (64 - 12 - CHILD_VMA_SHIFT))

/* The snapshot a child is made from: one of the two, the other is NULL. */
struct origin {
	struct snapshot *snapshot;
	struct remote *remote;
	u32 machine_id, handler_id; /* for log messages */
	struct grant grant;	    /* by which the caller may become it; serial 0: without */
};

const struct descriptor_header *mitosis_origin_descriptor(const struct origin *origin);
void mitosis_origin_get(const struct origin *origin);
void mitosis_origin_put(struct origin *origin);

/*
 * Creates a map file for the calling process; takes over the origin on success.
 * Returns the file or an error pointer.
 */
struct file *mitosis_child_create(const struct origin *origin,
				  const struct mitosis_options *options);

/*
 * Creates the calling process's overlay. Must be called before the first VMA is
 * mapped. Returns 0 or -errno.
 */
int mitosis_child_start(struct file *map);
/* Must be called after the last VMA was mapped, or mapping failed. */
void mitosis_child_started(struct file *map);

#endif /* MITOSIS_CHILD_H */
