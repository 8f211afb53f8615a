/* SPDX-License-Identifier: GPL-2.0 */
/* Sessions: which machine is where, and connections to it that have shaken hands. */
#ifndef MITOSIS_SESSION_H
#define MITOSIS_SESSION_H

#include <linux/types.h>

struct link;

void mitosis_sessions_exit(void);

/*
 * Opens the session to a machine at an address, "tcp://host:port", for every
 * process of this one. Returns 0 or -errno, as MITOSIS_CONNECT does.
 */
int mitosis_session_connect(u32 machine_id, const char *address);

/* One empty request. Returns 0, -ENOTCONN, -ETIMEDOUT, -ECONNRESET, ... */
int mitosis_session_nil(u32 machine_id);

/*
 * For workers: a connection for the caller alone. With `idle`, one that others
 * have used, or -EAGAIN if there is none; its other end may have gone since.
 */
int mitosis_session_take(u32 machine_id, unsigned int deadline_ms, bool idle,
			 struct link **link);

/* Leaves a connection, after a request that was answered, to the next one. */
void mitosis_session_give(u32 machine_id, struct link *link);

#endif /* MITOSIS_SESSION_H */
