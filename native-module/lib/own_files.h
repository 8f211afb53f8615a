/* SPDX-License-Identifier: Apache-2.0 */
/* The open files that belong to the library, so are not part of a snapshot. */
#ifndef LIB_OWN_FILES_H
#define LIB_OWN_FILES_H

#include <stdbool.h>
#include <stdint.h>

/* More are taken for the program's. */
#define OWN_FILES_MAX 32

/* Device and inode tell it from a later file with the same number. */
struct own_file {
	int32_t fd;
	uint32_t reserved;
	uint64_t device, inode;
};

/* Notes an open file, if it is one (not negative), and forgets those that have been closed. */
void own_files_note(int fd);
/* Before it is closed; for what is noted in most prepares, too often: see own_files_note(). */
void own_files_forget(int fd);

/*
 * Copies those of this process to `files`. A resumed child has none of its parent's. Returns
 * how many there are.
 */
uint32_t own_files_list(struct own_file files[OWN_FILES_MAX]);

/*
 * Returns 0 if this process has no open files beside the standard three and `own_count` of the
 * library's, 1 if it has, or -errno: /proc/self cannot be looked at. On Linux 6.2 and later by
 * four system calls.
 */
int own_files_others(uint32_t own_count);

#endif /* LIB_OWN_FILES_H */
