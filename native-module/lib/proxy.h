/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a child that a shadow has forked, or standing for it. */
#ifndef LIB_PROXY_H
#define LIB_PROXY_H

#include "libmitosis.h"

/*
 * Has the shadow behind a stream fork a child with this process's files, waits
 * for its end and ends alike. Takes the stream over. Returns only -errno, with
 * a message that names `what`.
 */
int resume_by_clone(int stream, const char *what);

/*
 * Has it fork a child that this process is no proxy of, and waits for its end.
 * The stream, which has no deadline, can be used again after 0. Returns 0 with
 * the child's wait status, or -errno with a message.
 */
int run_clone(int stream, const struct mitosis_spawn *child, const char *what,
	      int *status);

#endif /* LIB_PROXY_H */
