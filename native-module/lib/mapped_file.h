/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a parent has mapped, opened again for a child. */
#ifndef LIB_MAPPED_FILE_H
#define LIB_MAPPED_FILE_H

#include <stdbool.h>

#include "lib/file_contents.h"
#include "proto/descriptor.h"

#define MAPPED_FILE_LINK 64

/*
 * The link of /proc/self/map_files to the file that this process has mapped there. To
 * follow it takes CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. No C library, as the next
 * five.
 */
void mapped_file_link(const struct descriptor_vma *vma, char path[MAPPED_FILE_LINK]);

/*
 * The `file_version` of a VMA whose device and inode are as in /proc/self/maps, for the
 * file at `path`; both numbers become those of stat(2). Of a shared mapping it tells
 * which file it is, of a private one which contents, too.
 */
uint64_t mapped_file_version(struct descriptor_vma *vma, const char *path);

/*
 * The SHA-256 of the file of such a VMA, whose numbers become those of stat(2), too. False if
 * it no longer is at the path, or file_digest() gives none.
 */
bool mapped_file_digest(struct descriptor_vma *vma, const char *path, uint64_t *left,
			char text[FILE_CONTENTS_TEXT]);

/* The `boot` of a descriptor that is made here. */
uint64_t mapped_file_boot(void);

/* Whether what lies at the path is the file of such a VMA. */
bool mapped_file_has_name(const struct descriptor_vma *vma, const char *path);

/* Makes newlines of the "\012" that /proc/self/maps has instead, unless that is the name. */
void mapped_file_unescape(const struct descriptor_vma *vma, char *path);

/* Whether the descriptor says more of the file's contents than its size and times. */
bool mapped_file_is_known(const struct descriptor_vma *vma);

/*
 * Opens the file behind a VMA, for writing too if the VMA writes through to it. -1 if
 * what is at its path is not the regular file that the parent mapped, or has other
 * bytes since: it is then not opened, as a device or a FIFO could act on that, or wait
 * for ever. With a difference, what is there passes for the parent's file and is another, or the
 * parent's file has been written to: no page of the snapshot is sure to have the parent's bytes.
 * `left` is of file_digest().
 */
int mapped_file_open(const struct descriptor_header *d,
		     const struct descriptor_vma *vma, uint64_t *left,
		     struct file_difference *difference);

/*
 * Tells such a difference of a file whose pages come from the snapshot, where it is a file of this
 * machine. `difference` is left alone elsewhere.
 */
void mapped_file_compare(const struct descriptor_header *d,
			 const struct descriptor_vma *vma, uint64_t *left,
			 struct file_difference *difference);

/*
 * Whether the open file may be mapped as the VMA is: what is executed may not lie on a
 * file system that is mounted noexec here.
 */
bool mapped_file_may_be_mapped(int fd, const struct descriptor_vma *vma);

/* True for a shared, writable mapping. */
bool mapped_file_is_written(const struct descriptor_vma *vma);

/*
 * In a clone, which has its parent's mappings: makes a private copy of what is shared
 * with a file that does not lie at the same path under this process's root, and says so
 * in the file `tell_to`, unless that is -1, where the parent wrote to it. With SIGPIPE
 * blocked. No C library. False without memory.
 */
bool mapped_files_leave_foreign(const struct descriptor_header *d, int tell_to);

#endif /* LIB_MAPPED_FILE_H */
