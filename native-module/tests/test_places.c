// SPDX-License-Identifier: Apache-2.0
/* A machine with the key that opens all connections it can, and keeps them, keeps no other machine out. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "proto/user/auth_config.h"
#include "tests/harness.h"
#include "tests/machine.h"

/* Half of the places, PLACES in daemon/wire_places.c. */
#define PLACES_PER_MACHINE 512

static int connect_to(const struct machine *machine, const char *host,
		      struct wire_connection *connection)
{
	struct sockaddr_in6 where = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(machine->port),
	};
	struct auth auth;
	char message[256];

	CHECK(inet_pton(AF_INET6, host, &where.sin6_addr) == 1);
	CHECK_EQ(auth_configure(&auth, message, sizeof(message)), 0);
	return wire_connect(connection, &where, &auth);
}

int main(void)
{
	static struct wire_connection all[PLACES_PER_MACHINE], other;
	struct machine machine;
	int i;

	need_open_files(PLACES_PER_MACHINE + 64);
	use_key("places");
	machine = machine_start_at(2, "[::]");
	if (connect_to(&machine, "::1", &other))
		skip("needs IPv6 at the loopback device");
	wire_close(&other);
	for (i = 0; i < PLACES_PER_MACHINE; i++)
		CHECK_EQ(connect_to(&machine, "::ffff:127.0.0.1", &all[i]), 0);
	CHECK_EQ(connect_to(&machine, "::ffff:127.0.0.1", &other), -EBUSY);
	CHECK_EQ(connect_to(&machine, "::1", &other), 0);
	CHECK_EQ(wire_call(&other, WIRE_NIL, NULL, 0), 0);
	wire_close(&other);
	wire_close(&all[0]);
	CHECK_SOON(!connect_to(&machine, "::ffff:127.0.0.1", &all[0]), 20000);
	for (i = 0; i < PLACES_PER_MACHINE; i++)
		wire_close(&all[i]);
	machine_stop(&machine);
	return 0;
}
