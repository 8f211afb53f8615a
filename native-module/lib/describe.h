/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the descriptor of the calling process, from inside its shadow: no
 * libc, no TLS, no globals.
 */
#ifndef LIB_DESCRIBE_H
#define LIB_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/described_files.h"
#include "lib/shadow_arena.h"
#include "proto/descriptor.h"

/*
 * Describes this process without the arena, the memory of `files` and what this function
 * maps itself. Returns 0 or -errno, with the cause in the arena's `refusal` if it is some
 * memory.
 */
int describe_self(struct shadow_arena *arena, const struct described_files *files,
		  struct descriptor_header **descriptor);

/*
 * Describes this process without its memory, for the kernel module: a description, as
 * descriptor_check_description() takes it. It is in the arena, whose stack is not in use, or
 * in a mapping of its own with *mapping_size bytes. In the parent, whose other threads are
 * stopped. Returns 0 or -errno.
 */
int describe_beside_memory(struct shadow_arena *arena,
			   const struct described_files *files,
			   struct descriptor_header **description,
			   uint64_t *mapping_size);

#endif /* LIB_DESCRIBE_H */
