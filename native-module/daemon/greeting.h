/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New connections of processes of this machine: checks their user; the first
 * message gives them a role.
 */
#ifndef DAEMON_GREETING_H
#define DAEMON_GREETING_H

#include "daemon/daemon.h"

/* Takes over a connection; closes it if its user is not served. */
void greeting_accept(struct daemon *daemon, int fd);

#endif /* DAEMON_GREETING_H */
