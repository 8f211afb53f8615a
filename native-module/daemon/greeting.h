/* SPDX-License-Identifier: Apache-2.0 */
/* A process of this machine that has connected: who it is, and what it is. */
#ifndef DAEMON_GREETING_H
#define DAEMON_GREETING_H

#include "daemon/daemon.h"

/* Takes over a connection; closes it if its user is not served. */
void greeting_accept(struct daemon *daemon, int fd);

#endif /* DAEMON_GREETING_H */
