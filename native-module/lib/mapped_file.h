/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a parent has mapped, opened again for a child. */
#ifndef LIB_MAPPED_FILE_H
#define LIB_MAPPED_FILE_H

#include <stdbool.h>

#include "proto/descriptor.h"

/*
 * The `file_version` of a VMA whose device and inode are set, for the file at `path`. No
 * C library.
 */
uint64_t mapped_file_version(const struct descriptor_vma *vma, const char *path);

/*
 * Opens the file behind a VMA, for writing too if the VMA writes through to it. -1 if
 * what is at its path is not the regular file that the parent mapped, or has other
 * bytes since: it is then not
 * opened, as a device or a FIFO could act on that, or wait for ever.
 */
int mapped_file_open(const struct descriptor_header *d,
		     const struct descriptor_vma *vma);

/* True for a shared, writable mapping. */
bool mapped_file_is_written(const struct descriptor_vma *vma);

/*
 * In a clone, which has its parent's mappings: makes a private copy of what is shared
 * with a file that does not lie at the same path under this process's root. No C
 * library. False without memory.
 */
bool mapped_files_leave_foreign(const struct descriptor_header *d);

#endif /* LIB_MAPPED_FILE_H */
