/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The userfaultfds that mitosisd keeps. Its lifeline kills a child when its page server
 * ends, but neither what it has forked nor a child that has closed its end: mitosisd
 * keeps theirs, so that they never read zeros (daemon/orphan.h). Runs in shadows: no
 * libc, no globals.
 */
#ifndef PAGING_ENTRUSTED_H
#define PAGING_ENTRUSTED_H

#include <stdbool.h>
#include <stdint.h>

#include "local/protocol.h"
#include "paging/space_table.h"

/* Sends mitosisd the userfaultfd of a space, unless it has been sent already. */
void entrust(int channel, struct served_space *space, uint32_t index);

/* The same for all spaces of a client. */
void entrust_all(int channel, struct space_table *table, uint32_t client);

/* The space that mitosisd has refused to keep, by its message; NULL: it is gone. */
struct served_space *entrusted_refused(struct space_table *table,
				       const struct local_message *message);

#endif /* PAGING_ENTRUSTED_H */
