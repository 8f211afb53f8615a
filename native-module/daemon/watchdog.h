/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watchdog kills stopped servers, so that no child waits for ever.
 *
 * A child that waits for a page is blocked in the kernel. Its lifeline kills it when
 * its server ends, but not when the server is stopped (SIGSTOP). So the daemon
 * checks the servers at intervals, and kills one that has been stopped for as long
 * as another machine may take to answer.
 */
#ifndef DAEMON_WATCHDOG_H
#define DAEMON_WATCHDOG_H

#include "daemon/daemon.h"

/* A server: the shadow of a slot, its per-CPU server, or a pager. */
struct server_name {
	enum { SERVER_SHADOW, SERVER_CPU, SERVER_PAGER } kind;
	struct registry_place place; /* not for a pager */
	uint32_t machine_id;	     /* for a pager */
	uint32_t handler_id;	     /* for the log: the place may be free again */
	int cpu;		     /* for a per-CPU server */
};

/*
 * Watches the process behind `pidfd`, which it duplicates, until the process ends.
 * Does nothing if `pidfd` is no pidfd, or if the process is not visible from here.
 */
void watchdog_watch(struct daemon *daemon, int pidfd,
		    const struct server_name *name);

/* Whether a pidfd that a process has passed is of one that it has forked: it can open any. */
bool watchdog_is_forked_by(int pidfd, pid_t parent);

/* The pidfd of a running per-CPU server, owned by the watchdog; -1: none. */
int watchdog_cpu_server(const struct daemon *daemon,
			const struct registry_place *place, int cpu);

/*
 * Checks the servers if due, and kills the stopped ones. Returns the ms until the
 * next check, or -1.
 */
int watchdog_expire(struct daemon *daemon);

#endif /* DAEMON_WATCHDOG_H */
