// SPDX-License-Identifier: Apache-2.0
/*
 * Each child of a schedule is started or reported as lost: also with a rate that no
 * machine reaches, and in the right order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

struct schedule {
	unsigned started, lost;
};

static struct schedule run(unsigned rate)
{
	struct schedule s = { 0 };
	char command[1024], line[256];
	uint64_t last_ns = 0;
	FILE *out;

	snprintf(command, sizeof(command),
		 "timeout 30 '%s/mitosis-launcher' --start empty --container none "
		 "--seconds 1 --rate %u --format ns",
		 getenv("MITOSIS_TEST_BIN"), rate);
	out = popen(command, "r");
	CHECK(out);
	while (fgets(line, sizeof(line), out)) {
		uint64_t latency_ns, intended_ns;
		bool lost = !strncmp(line, "lost ", 5);

		CHECK(sscanf(line + (lost ? 5 : 0), "%" SCNu64 " %" SCNu64,
			     &latency_ns, &intended_ns) == 2);
		CHECK(intended_ns > last_ns);
		CHECK(lost || !s.lost); /* the lost ones are the last ones */
		last_ns = intended_ns;
		s.started += !lost;
		s.lost += lost;
	}
	CHECK_EQ(pclose(out), 0);
	return s;
}

int main(void)
{
	struct schedule slow = run(5), fast = run(200000);

	CHECK_EQ(slow.started, 5);
	CHECK_EQ(slow.lost, 0);
	CHECK_EQ(fast.started + fast.lost, 200000);
	CHECK(fast.started > 0);
	CHECK(fast.lost > 0);
	return 0;
}
