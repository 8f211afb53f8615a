/* SPDX-License-Identifier: Apache-2.0 */
/* Getting the descriptor of a snapshot from what serves it. */
#ifndef LIB_FETCH_DESCRIPTOR_H
#define LIB_FETCH_DESCRIPTOR_H

#include <stdint.h>

#include "libmitosis.h"
#include "proto/descriptor.h"

/*
 * Returns 0 with a descriptor that has been checked and is to be freed, or -errno with a message
 * that names `what`.
 */
int fetch_descriptor(int stream, const char *what,
		     struct descriptor_header **descriptor, uint64_t *size);

/* The same check of one that has come otherwise. Returns 0 or -errno with a message. */
int fetched_descriptor_check(const struct descriptor_header *d, uint64_t size,
			     const char *what);

/* Says what such a descriptor has, in all fields but the size. */
void fetched_descriptor_count(const struct descriptor_header *d,
			      struct mitosis_contents *contents);

#endif /* LIB_FETCH_DESCRIPTOR_H */
