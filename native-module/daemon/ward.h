/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wards: processes that a resumed child has forked.
 *
 * Their pages come from their parent's snapshot, through a userfaultfd that
 * only the shadow or pager holds. If that one dies, the kernel lets their
 * missing pages read as zeros. So the daemon keeps a second reference, and when
 * the server has gone it answers each further fault with a bus error.
 */
#ifndef DAEMON_WARD_H
#define DAEMON_WARD_H

#include "daemon/daemon.h"

/*
 * Keeps a userfaultfd that the process behind `server_pidfd` serves; both are
 * taken over.
 */
void ward_keep(struct daemon *daemon, int uffd, int server_pidfd);

/* Lets those go that have ended; returns in how many ms to look again, or -1. */
int ward_expire(struct daemon *daemon);

#endif /* DAEMON_WARD_H */
