// SPDX-License-Identifier: Apache-2.0
/* A child becomes another program by exec, which then has nothing to fetch. */
#include "tests/targets/target.h"

int main(void)
{
	target_prepare();

	execl("/bin/sh", "sh", "-c", "sleep 0.05; exit 0", (char *)NULL);
	CHECK(false);
}
