/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The children of a page server: serves their address spaces, ends those that take more
 * than they may, and removes what has ended. Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_CHILDREN_H
#define PAGING_CHILDREN_H

#include "paging/page_server_state.h"

/* A userfaultfd is ready. */
void child_serve_space(struct page_server *server, uint32_t index);

/*
 * poll() tells of an error of one: the child, which shares its file, has taken O_NONBLOCK away. It
 * ends, for the server would find that ready for ever.
 */
void child_space_failed(struct page_server *server, uint32_t index);

/*
 * The stream or lifeline of a client has closed. That closes with the last process that
 * has it open, or when a program closes all files it does not know. Such a program
 * still needs its pages.
 */
void child_remove(struct page_server *server, uint32_t index);

/*
 * A clone has ended, and its client stays: what it has forked goes on without that, but for
 * the space with a number.
 */
void child_leaves(struct page_server *server, uint32_t index, uint64_t but_for);

/* Looks at what was left by clients that have closed, and at what has to wait. */
void children_check_left(struct page_server *server);

/* mitosisd, by LOCAL_REFUSED, has no room for what a child has forked. */
void children_refuse_entrusted(struct page_server *server,
			       const struct local_message *message);

#endif /* PAGING_CHILDREN_H */
