/* SPDX-License-Identifier: GPL-2.0 */
/* Mode eager: all pages before a child's first instruction. */
#ifndef MITOSIS_EAGER_H
#define MITOSIS_EAGER_H

struct descriptor_header;
struct file;
struct remote;
struct snapshot;

/*
 * Faults the snapshot's pages into the caller's memory, which has been mapped, except in the
 * VMAs that have a file in `files`. The snapshot is one of the two, the other is NULL. Returns
 * 0 or -errno.
 */
int mitosis_eager_fetch(const struct descriptor_header *descriptor, struct file **files,
			struct snapshot *snapshot, struct remote *remote);

#endif /* MITOSIS_EAGER_H */
