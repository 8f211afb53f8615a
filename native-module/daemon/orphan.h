/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orphaned address spaces: those of processes that a resumed child has forked.
 *
 * Their pages come from the child's snapshot through a userfaultfd that only
 * the shadow or pager holds. When that process ends, missing pages would read as
 * zeros. So the daemon keeps a second reference, and after the server's end it
 * answers each further fault with SIGBUS.
 */
#ifndef DAEMON_ORPHAN_H
#define DAEMON_ORPHAN_H

#include "daemon/daemon.h"

/*
 * Keeps a userfaultfd that the process behind `server_pidfd` serves; both are
 * taken over.
 */
void orphan_keep(struct daemon *daemon, int uffd, int server_pidfd);

/*
 * Frees those in which no process lives. Returns the ms until the next check, or
 * -1.
 */
int orphan_expire(struct daemon *daemon);

#endif /* DAEMON_ORPHAN_H */
