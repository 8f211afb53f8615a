// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/wire_places.h"

#include <errno.h>
#include <string.h>

#define PLACES		   1024u
#define PLACES_PER_MACHINE (PLACES / 2)

static bool has_proved(const struct wire_client *c)
{
	return c->state != EXPECTS_HELLO && c->state != EXPECTS_PROOF;
}

/* The list begins with the newest. */
static void drop_oldest_unproved(struct daemon *daemon)
{
	struct wire_client *c, *oldest = NULL;

	for (c = daemon->wire_clients; c; c = c->next)
		if (c->fd >= 0 && !has_proved(c))
			oldest = c;
	if (oldest)
		wire_client_drop(daemon, oldest);
}

bool wire_places_make(struct daemon *daemon)
{
	if (daemon->wire_client_count == PLACES)
		drop_oldest_unproved(daemon);
	return daemon->wire_client_count < PLACES;
}

int wire_places_check(const struct daemon *daemon, const struct wire_client *client)
{
	const struct wire_client *c;
	unsigned int here = 0;

	for (c = daemon->wire_clients; c; c = c->next)
		here += c->fd >= 0 && has_proved(c) &&
			!memcmp(&c->machine, &client->machine, sizeof(c->machine));
	return here < PLACES_PER_MACHINE ? 0 : -EBUSY;
}
