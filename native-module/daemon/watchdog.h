/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watchdog: no child waits for ever for a server that stands still.
 *
 * A child whose page does not come cannot help itself: it lies in the kernel. Its
 * lifeline takes it along when its server ends, but not when that is stopped
 * (SIGSTOP). So the daemon looks from time to time, and ends a server that has
 * been stopped for as long as another machine may take to answer.
 */
#ifndef DAEMON_WATCHDOG_H
#define DAEMON_WATCHDOG_H

#include "daemon/daemon.h"

/* Who serves: the shadow of a slot, its per-CPU server, or a pager. */
struct server_name {
	enum { SERVER_SHADOW, SERVER_CPU, SERVER_PAGER } kind;
	struct registry_place place;	/* not of a pager */
	uint32_t machine_id;	/* of a pager */
	uint32_t handler_id;	/* for the log: the place may have been given back */
	int cpu;		/* of a per-CPU server */
};

/*
 * Watches the process behind `pidfd`, of which it makes a copy, until that ends.
 * What is no pidfd, or of a process that cannot be seen from here, is not watched.
 */
void watchdog_watch(struct daemon *daemon, int pidfd,
		    const struct server_name *name);

/* The pidfd of a living per-CPU server, which stays the watchdog's; -1 if there is none. */
int watchdog_cpu_server(const struct daemon *daemon,
		    const struct registry_place *place, int cpu);

/* Looks, and ends whom it must; returns in how many ms to look again, or -1. */
int watchdog_expire(struct daemon *daemon);

#endif /* DAEMON_WATCHDOG_H */
