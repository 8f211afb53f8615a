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
 * Keeps a userfaultfd, which it takes over, that the process behind the pidfd `server`
 * serves; -1: none does any more. False without room, or if it is no userfaultfd.
 */
bool orphan_keep(struct daemon *daemon, int uffd, int server);

/*
 * Frees those in which no process lives. Returns the ms until the next check, or
 * -1.
 */
int orphan_expire(struct daemon *daemon);

#endif /* DAEMON_ORPHAN_H */
