/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open files of a process, read by its shadow while the parent waits: file positions
 * and pipes are the parent's as well. No libc, no TLS, no globals.
 */
#ifndef LIB_DESCRIBE_FILES_H
#define LIB_DESCRIBE_FILES_H

#include "lib/described_files.h"
#include "lib/shadow_arena.h"

/*
 * Describes the open files of this process from number 3 on without the library's own.
 * What cannot be made again becomes FD_REFUSED. Returns 0 or -errno.
 */
int describe_files(struct shadow_arena *arena, struct described_files *files);

#endif /* LIB_DESCRIBE_FILES_H */
