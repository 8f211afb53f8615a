/* SPDX-License-Identifier: Apache-2.0 */
/* The VMAs of a descriptor, with what is in them; as lib/describe.h. */
#ifndef LIB_DESCRIBE_VMAS_H
#define LIB_DESCRIBE_VMAS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/proc_text.h"
#include "lib/shadow_arena.h"
#include "proto/descriptor.h"

/* Of /proc/self/maps. */
struct maps_size {
	uint64_t bytes, lines;
	uint64_t paths; /* lines with one, or more */
};

/* Returns 0 or -errno. */
int measure_maps(struct maps_size *size);

struct vma_writer {
	struct descriptor_vma *vmas;
	uint32_t count, capacity;
	char *strings;
	uint32_t strings_size;
	uint32_t last_string;
	const struct descriptor_vma *last_file; /* NULL: none yet */
	uint64_t last_version;			/* of its file */
	/* The last VMA whose file was looked into, with its device and inode in /proc/self/maps. */
	const struct descriptor_vma *last_read;
	struct descriptor_vma last_listed;
	int pagemap, memory; /* of this process */
	bool digests;
	uint64_t digest_left; /* of file_digest() */
	uint64_t page_size;
	bool resumed; /* this process is a resumed child */
	struct {
		uint64_t start, end;
	} hidden[4]; /* the shadow's own mappings, and the records of stopped threads */
};

/* Adds a string, "" as none. */
uint32_t vma_writer_add_string(struct vma_writer *w, const char *text);

/* Describes this process, with `maps` as room for the text of its maps. Returns 0 or -errno. */
int describe_vmas(struct vma_writer *w, struct proc_text *maps,
		  struct shadow_arena *arena);

#endif /* LIB_DESCRIBE_VMAS_H */
