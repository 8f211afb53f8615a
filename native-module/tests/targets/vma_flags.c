// SPDX-License-Identifier: Apache-2.0
#define POPULATED MIB
#include "tests/targets/flagged_memory.h"

int main(void)
{
	run_target();
	target_child_has("memory with MADV_WIPEONFORK", "fresh");
	target_child_has("memory with MADV_DONTFORK", "none");
	target_child_has("memory with MADV_DONTDUMP", "kept");
	return 0;
}
