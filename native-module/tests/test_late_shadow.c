// SPDX-License-Identifier: Apache-2.0
/*
 * A machine that opens a snapshot whose shadow has not registered is told in time that it does not come,
 * and its session goes on.
 */
#define _GNU_SOURCE
#include <errno.h>

#include "lib/daemon_link.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define ID 9

/* In the registry, as prepare leaves it before the shadow runs. Returns its slot. */
static int publish_without_shadow(const struct daemon_link *link)
{
	struct registry *registry = link->registry;
	int slot = registry_claim(registry, ID, 0, link->device, 0);

	CHECK(slot >= 0);
	CHECK(registry_publish(registry, slot, registry_generation(registry, slot),
			       0));
	return slot;
}

static int open_snapshot(struct wire_connection *connection)
{
	const struct wire_open request = { .handler_id = ID };
	uint32_t size;

	CHECK_EQ(wire_send(connection, WIRE_OPEN, &request, sizeof(request)), 0);
	return wire_receive_answer(connection, &size);
}

int main(void)
{
	struct wire_connection connection;
	struct daemon_link link;
	struct machine m;
	int slot;

	use_key("late");
	setenv("MITOSIS_DEADLINE_MS", "1000", 1);
	m = machine_start(2);
	/* Of this process: an answer of its own would be one of the machine's, too. */
	setenv("MITOSIS_DEADLINE_MS", "30000", 1);
	machine_enter(&m);
	CHECK_EQ(daemon_link_open(&link), 0);
	machine_leave();
	CHECK_EQ(machine_connect(m.port, &connection), 0);
	slot = publish_without_shadow(&link);
	CHECK_EQ(open_snapshot(&connection), -ETIMEDOUT);
	CHECK_EQ(wire_call(&connection, WIRE_NIL, NULL, 0), 0);
	registry_free(link.registry, slot, registry_generation(link.registry, slot));
	CHECK_EQ(open_snapshot(&connection), -ENOENT);
	wire_close(&connection);
	daemon_link_close(&link);
	machine_stop(&m);
	return 0;
}
