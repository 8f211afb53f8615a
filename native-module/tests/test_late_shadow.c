// SPDX-License-Identifier: Apache-2.0
/*
 * A machine that opens a snapshot whose shadow has not registered is told in time that it does not come,
 * and its session goes on. One that waits for a busy shadow gets that one or none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "lib/daemon_link.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define ID	    9
#define WAITING_MAX 1024
#define SETTLED_MS  1000

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

static void without_shadow(void)
{
	struct wire_connection connection;
	struct daemon_link link;
	struct machine m;
	int slot;

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
}

static struct mitosis *prepare(uint32_t handler_id)
{
	struct mitosis *device;

	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), 0);
	CHECK_EQ(mitosis_prepare(device, handler_id), 0);
	return device;
}

/* A further client of the snapshot, which is told the rights of its parent. */
static void ask_for_it(const struct machine *m, struct wire_connection *connection)
{
	const struct wire_open request = { .handler_id = ID };
	struct wire_rights rights;

	CHECK_EQ(machine_connect(m->port, connection), 0);
	CHECK_EQ(wire_send(connection, WIRE_OPEN, &request, sizeof(request)), 0);
	CHECK_EQ(wire_receive_rights(connection, &rights), 0);
}

/* Whether mitosisd has passed a connection on, and has no more open than before it came. */
static bool is_passed_on(const struct machine *m, int before)
{
	int ms;

	for (ms = 0; ms < SETTLED_MS; ms++) {
		if (fd_count(m->pid) <= before)
			return true;
		sleep_ms(1);
	}
	return false;
}

/* Asks until the channel of a shadow that reads none is full. Returns the index of the one that waits. */
static int ask_until_one_waits(const struct machine *m, struct wire_connection *all)
{
	int i, before = fd_count(m->pid);

	for (i = 0; i < WAITING_MAX; i++) {
		ask_for_it(m, &all[i]);
		if (!is_passed_on(m, before))
			return i;
	}
	printf("%d connections wait in the channel of a stopped shadow\n", i);
	exit(1);
}

/* What is told of one parent is not said of another one, whatever the registry has meanwhile. */
static void another_shadow(void)
{
	static struct wire_connection all[WAITING_MAX];
	struct mitosis *devices[2];
	struct daemon_link link;
	struct registry_slot *slots;
	int waiting, one, other, i;
	uint32_t size;
	struct machine m;

	need_open_files(WAITING_MAX + 100);
	m = machine_start(2);
	machine_enter(&m);
	devices[0] = prepare(ID);
	devices[1] = prepare(ID + 1);
	CHECK_EQ(daemon_link_open(&link), 0);
	machine_leave();
	slots = link.registry->slots;
	one = registry_find(link.registry, ID);
	other = registry_find(link.registry, ID + 1);
	CHECK(one >= 0 && other >= 0);
	CHECK_EQ(machine_connect(m.port, &all[0]), 0);
	machine_open_snapshot(&all[0], ID + 1);
	wire_close(&all[0]);
	CHECK_EQ(machine_connect(m.port, &all[0]), 0);
	machine_open_snapshot(&all[0], ID);
	wire_close(&all[0]);
	stop_process(slots[one].snapshot.shadow_pid);
	waiting = ask_until_one_waits(&m, all);
	slots[one].snapshot.handler_id = ID + 2;
	slots[other].snapshot.handler_id = ID;
	CHECK_EQ(wire_receive_answer(&all[waiting], &size), -ENOENT);
	slots[other].snapshot.handler_id = ID + 1;
	slots[one].snapshot.handler_id = ID;
	CHECK(!kill(slots[one].snapshot.shadow_pid, SIGCONT));
	for (i = 0; i <= waiting; i++)
		wire_close(&all[i]);
	daemon_link_close(&link);
	mitosis_close(devices[0]);
	mitosis_close(devices[1]);
	machine_stop(&m);
}

int main(void)
{
	use_key("late");
	without_shadow();
	another_shadow();
	return 0;
}
