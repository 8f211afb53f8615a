// SPDX-License-Identifier: Apache-2.0
#define POPULATED MIB
#include "tests/targets/vma_flags.h"

int main(void)
{
	return run_target();
}
