// SPDX-License-Identifier: Apache-2.0
/*
 * A machine asks which pages of a very large range are there: it is answered after a limited
 * look, with what was found and with the rest as one run, which may hold anything.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "proto/wire.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define ID	  92
#define LOOKED_AT (64ull << 30)
#define SIZE	  (2 * LOOKED_AT)

/* As a JVM reserves its heap. */
static char *memory;

static void prepare(void *unused)
{
	(void)unused;
	memory[0] = memory[LOOKED_AT + 5 * 4096] = 1;
	CHECK_EQ(mitosis_prepare(open_user(), ID), 0);
}

int main(void)
{
	struct wire_pages range = { .length = SIZE };
	struct wire_run runs[WIRE_RUNS_MAX];
	struct machine machine;
	struct wire_connection c;
	uint32_t length;
	pid_t parent;

	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		skip("needs 128 GiB of addresses (ulimit -v)");
	use_key("wide");
	machine = machine_start(92);
	machine_enter(&machine);
	parent = start_waiting(prepare, NULL);
	CHECK_EQ(machine_connect(machine.port, &c), 0);
	machine_open_snapshot(&c, ID);
	range.address = (uintptr_t)memory;
	CHECK_EQ(wire_send(&c, WIRE_RUNS, &range, sizeof(range)), 0);
	CHECK_EQ(wire_receive_answer(&c, &length), 0);
	CHECK_EQ(length, 2 * sizeof(runs[0]));
	CHECK_EQ(wire_receive(&c, runs, length), 0);
	CHECK_EQ(runs[0].address, range.address);
	CHECK(runs[0].length < LOOKED_AT);
	CHECK_EQ(runs[1].address, range.address + LOOKED_AT);
	CHECK_EQ(runs[1].length, SIZE - LOOKED_AT);
	wire_close(&c);
	kill_and_reap(parent);
	machine_leave();
	machine_stop(&machine);
	return 0;
}
