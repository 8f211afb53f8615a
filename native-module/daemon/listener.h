/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that accept connections as long as this process has room for them. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include "daemon/loop.h"

struct listener {
	struct event_source source; /* first */
	int fd;			    /* non-blocking; -1: none */
	int64_t paused_until_ms;    /* 0: it accepts */
	/* Takes a connection over, non-blocking and close-on-exec. */
	void (*accepted)(struct daemon *daemon, int fd);
};

/* Begins to accept. Returns 0 or -errno. */
int listener_start(struct loop *loop, struct listener *listener);

/*
 * Accepts again if a pause is over. Returns the ms until the end of a pause, or
 * -1.
 */
int listener_expire(struct loop *loop, struct listener *listener);

#endif /* DAEMON_LISTENER_H */
