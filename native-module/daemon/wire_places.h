/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections of other machines there are until page servers have them, and whose. */
#ifndef DAEMON_WIRE_PLACES_H
#define DAEMON_WIRE_PLACES_H

#include <stdbool.h>

#include "daemon/wire_client.h"

/*
 * Whether there is a place for one more. The oldest connection that has not proved who it is gives
 * way: machines without the key must not keep others out.
 */
bool wire_places_make(struct daemon *daemon);

/*
 * Of a client that has proved it: -EBUSY if its machine has half of the places, so that one
 * machine with the key does not keep the others out either; else 0.
 */
int wire_places_check(const struct daemon *daemon, const struct wire_client *client);

#endif /* DAEMON_WIRE_PLACES_H */
