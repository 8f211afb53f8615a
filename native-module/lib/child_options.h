/* SPDX-License-Identifier: Apache-2.0 */
/* Options of children whose struct grows: what a caller has not heard of is 0. */
#ifndef LIB_CHILD_OPTIONS_H
#define LIB_CHILD_OPTIONS_H

#include "libmitosis.h"

/*
 * Reads a caller's options, of this release or another one. Returns 0; or -errno with a
 * message: -EINVAL they do not say their size, or a value is out of range, -E2BIG they ask for
 * what this release does not know.
 */
int child_options_read(const struct mitosis_child_options *given,
		       struct mitosis_child_options *options);

#endif /* LIB_CHILD_OPTIONS_H */
