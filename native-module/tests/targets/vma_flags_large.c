// SPDX-License-Identifier: Apache-2.0
/* With so many pages that lib/vma_flags.c has a process read the flags. */
#define POPULATED (72 * MIB)
#include "tests/targets/flagged_memory.h"

int main(void)
{
	return run_target();
}
