/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New connections of processes of this machine: checks their user; the first
 * message gives them a role.
 */
#ifndef DAEMON_GREETING_H
#define DAEMON_GREETING_H

#include "daemon/daemon.h"

/*
 * Takes over a non-blocking connection: a peer that does not read is closed, and the
 * daemon never waits. Closes it if its user is not served.
 */
void greeting_accept(struct daemon *daemon, int fd);

#endif /* DAEMON_GREETING_H */
