/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for a child that a shadow has forked, or acts as its proxy. */
#ifndef LIB_PROXY_H
#define LIB_PROXY_H

#include "lib/clone_files.h"
#include "libmitosis.h"
#include "local/registry.h"

/*
 * Has the shadow behind a stream fork a child with this process's files and those of the
 * parent, waits for its end and ends with the same wait status. Counts it in the registry.
 * Takes the stream over. Returns only -errno, with a message that names `what`.
 */
int resume_by_clone(int stream, struct registry *registry, struct clone_files *files,
		    const char *what);

/*
 * The same by the replica of a snapshot of another machine. Also -ESTALE: that has been
 * dropped, and no child has been forked.
 */
int resume_by_replica(int stream, struct registry *registry,
		      struct clone_files *files, const char *what);

/*
 * Has it fork a child, without being its proxy, and waits for its end.
 * The stream, which has no deadline, can be used again after 0. Returns 0 with
 * the child's wait status, or -errno with a message.
 */
int run_clone(int stream, struct registry *registry,
	      const struct mitosis_spawn *child, struct clone_files *files,
	      const char *what, int *status);

#endif /* LIB_PROXY_H */
