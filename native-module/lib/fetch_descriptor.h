/* SPDX-License-Identifier: Apache-2.0 */
/* Getting the descriptor of a snapshot from what serves it. */
#ifndef LIB_FETCH_DESCRIPTOR_H
#define LIB_FETCH_DESCRIPTOR_H

#include <stdint.h>

#include "proto/descriptor.h"

/*
 * Returns 0 with a descriptor that has been checked and is to be freed, or -errno with a message
 * that names `what`.
 */
int fetch_descriptor(int stream, const char *what,
		     struct descriptor_header **descriptor, uint64_t *size);

#endif /* LIB_FETCH_DESCRIPTOR_H */
