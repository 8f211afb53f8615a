/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients of a page server: readers, children, launchers of a clone, other
 * machines. Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_CLIENT_TABLE_H
#define PAGING_CLIENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "paging/machine_connection.h"

/*
 * The most clients of one server at a time. Memory is used for those that there are;
 * each child takes three of the process's files.
 */
#define CLIENTS_MAX 16384

enum client_kind {
	CLIENT_READER,	/* has asked for no pages yet */
	CLIENT_CHILD,	/* with its userfaultfd, and what it has forked */
	CLIENT_CLONE,	/* waits for a child that the source has forked */
	CLIENT_MACHINE, /* a pager of another machine */
	CLIENT_REPLICA, /* of this pager: see replica.h */
};

struct client {
	int stream; /* CLIENT_CHILD: its lifeline. -1: free, unless `left` */
	bool left;  /* a child without lifeline whose address spaces live on */
	enum client_kind kind;
	int stderr_fd; /* of the child: its standard error, or -1 */
	int pidfd;     /* CLIENT_CLONE: of the child, once it is there; else -1 */
	bool stays;    /* starts child after child */
	bool forks;    /* may have a replica fork children */
	struct machine_connection machine; /* CLIENT_MACHINE */
};

/* Begins as zeros. */
struct client_table {
	uint32_t count; /* `clients` is filled up to here, with free ones between */
	struct client clients[CLIENTS_MAX];
};

/* Returns a new client of a stream, or NULL without room. */
struct client *client_table_add(struct client_table *table, int stream,
				enum client_kind kind);

/* True if there is a client; a reader counts only if `readers_too`, a replica never. */
bool client_table_has_any(const struct client_table *table, bool readers_too);

/* True if there is a child whose lifeline has closed. */
bool client_table_has_left(const struct client_table *table);

/* True if there is a client that starts child after child. */
bool client_table_has_staying(const struct client_table *table);

/* The ms until the answer to another machine is late, or -1 if none is being sent. */
int client_table_timeout(const struct client_table *table);

/* Writes a message to the standard error of a child, if that has passed it. */
void client_report(const struct client *client, const char *message);

/* Writes a message to the standard error of every child that has passed it. */
void client_table_report(const struct client_table *table, const char *message);

#endif /* PAGING_CLIENT_TABLE_H */
