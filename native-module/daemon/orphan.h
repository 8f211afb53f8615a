/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orphaned address spaces: those of processes that a resumed child has forked.
 *
 * Their pages come from the child's snapshot through a userfaultfd that only
 * the shadow or pager holds. When that process ends, the kernel lets missing
 * pages read as zeros. So the daemon keeps a second reference, and after the
 * server's end it answers each further fault with a bus error.
 */
#ifndef DAEMON_ORPHAN_H
#define DAEMON_ORPHAN_H

#include "daemon/daemon.h"

/*
 * Keeps a userfaultfd that the process behind `server_pidfd` serves; both are
 * taken over.
 */
void orphan_keep(struct daemon *daemon, int uffd, int server_pidfd);

/* Forgets those that have ended; returns in how many ms to check again, or -1. */
int orphan_expire(struct daemon *daemon);

#endif /* DAEMON_ORPHAN_H */
