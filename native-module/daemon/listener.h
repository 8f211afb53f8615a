/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that accept connections as long as this process has room for them. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

struct loop;
struct listener; /* in daemon.h */

/* Begins to accept. Returns 0 or -errno. */
int listener_start(struct loop *loop, struct listener *listener);

/*
 * Accepts again if a pause is over. Returns the ms until the end of a pause, or
 * -1.
 */
int listener_expire(struct loop *loop, struct listener *listener);

#endif /* DAEMON_LISTENER_H */
