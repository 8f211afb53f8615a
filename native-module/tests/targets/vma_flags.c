// SPDX-License-Identifier: Apache-2.0
#define POPULATED MIB
#include "tests/targets/flagged_memory.h"

int main(void)
{
	return run_target();
}
