/* SPDX-License-Identifier: GPL-2.0 */
/* Sessions: which machine is where, and connections to it that are shaken. */
#ifndef MITOSIS_SESSION_H
#define MITOSIS_SESSION_H

#include <linux/types.h>

struct link;

int mitosis_sessions_init(void);

void mitosis_sessions_exit(void);

/*
 * Opens the session to a machine at an address, "tcp://host:port", for every
 * process of this one. Returns 0 or -errno, as MITOSIS_CONNECT does.
 */
int session_connect(u32 machine_id, const char *address);

/* One empty request. Returns 0, -ENOTCONN, -ETIMEDOUT, -ECONNRESET, ... */
int session_nil(u32 machine_id);

/*
 * A connection that has shaken hands, for the caller alone. In a worker. `used`
 * says whether somebody had it before: then the other machine may have gone.
 */
int session_take(u32 machine_id, unsigned int deadline_ms, struct link **link,
		 bool *used);

#endif /* MITOSIS_SESSION_H */
