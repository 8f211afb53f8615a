/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a shadow's own memory for which reading may wait: those of files (a slow or remote file system), and
 * those that a userfaultfd serves (of the parent's own, or because the parent is a child itself). A thread of the
 * shadow reads each of these while the shadow serves others. Runs in shadows: no libc, no globals.
 */
#ifndef LIB_LATE_MEMORY_H
#define LIB_LATE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/page_source.h"
#include "proto/descriptor.h"

struct late_memory {
	const struct descriptor_header *descriptor;
	uint64_t page_size;
	int pagemap; /* /proc/self/pagemap */
	bool served; /* a userfaultfd serves some of the memory */
	/* Of one process, once it is needed; NULL in what this forks. */
	struct late_state *state;
	bool is_never_late; /* it cannot be had: the shadow waits itself */
};

/*
 * Whether a page that the shadow is to copy is there. Returns 0: it is, as are *length bytes from there on as far
 * as is known; -EINPROGRESS: a thread reads it, or another page has to come first; -EFAULT: it cannot be read.
 * Only the page `needed` of the source, with what follows it in those *length bytes, is read for this.
 */
int late_memory_find(struct late_memory *memory, const struct page_source *source,
		     uint64_t address, uint64_t *length);

/* As late_in_ms(), late_files() and late_serve() of a page source. */
int late_memory_in_ms(const struct late_memory *memory);
uint32_t late_memory_files(const struct late_memory *memory,
			   int files[PAGE_SOURCE_LATE_MAX]);
bool late_memory_serve(struct late_memory *memory, const struct trace *t);

#endif /* LIB_LATE_MEMORY_H */
