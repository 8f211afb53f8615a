/* SPDX-License-Identifier: GPL-2.0 */
/* Maps a child's memory, as the descriptor says. */
#ifndef MITOSIS_CHILD_MEMORY_H
#define MITOSIS_CHILD_MEMORY_H

struct descriptor_header;
struct file;

/*
 * Maps all but the kernel's VMAs into the calling process, which has nothing there: those that
 * have a file in `files` from that, the others' pages come by the map file. Returns 0 or -errno.
 */
int mitosis_child_map_memory(const struct descriptor_header *descriptor, struct file **files,
			     struct file *map);

#endif /* MITOSIS_CHILD_MEMORY_H */
