/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming a child: everything up to the point of no return. */
#ifndef LIB_RESUME_H
#define LIB_RESUME_H

#include "libmitosis.h"

/*
 * Becomes a child of the snapshot behind a stream, with its pages as
 * `options` says. Takes the stream over. Returns only -errno, with a sentence
 * that names `what`.
 */
int resume_from(int stream, const struct mitosis_resume_options *options,
		const char *what);

#endif /* LIB_RESUME_H */
