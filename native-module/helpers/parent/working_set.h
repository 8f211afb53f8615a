/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seed's working set: an anonymous private mapping of which one 8-byte
 * word per page is written, in random or sequential order.
 */
#ifndef PARENT_WORKING_SET_H
#define PARENT_WORKING_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct working_set {
	char *memory;
	size_t size; /* bytes */
	size_t page_size;
	uint32_t pages;
	uint32_t *order;   /* page numbers in the order of touching */
	uint64_t expected; /* word of every page that each touch has reached */
};

/*
 * Maps a working set without touching it. The shuffle is the same in every
 * run. Returns 0 or -errno.
 */
int working_set_create(struct working_set *set, size_t size, bool random_order);

/* Writes to the first `percent` % of the pages in order. */
void working_set_touch(struct working_set *set, unsigned int percent);

/*
 * The same, or without writing, and checks each word before. Returns how many were not what the
 * touches before this one left there; *first_ns gets the clock after the first.
 */
uint32_t working_set_verify(struct working_set *set, unsigned int percent,
			    bool write, uint64_t *first_ns);

/* Sets every byte. */
void working_set_fill(struct working_set *set, unsigned char byte);

#endif /* PARENT_WORKING_SET_H */
