// SPDX-License-Identifier: Apache-2.0
/*
 * The child of an undumpable parent with no_new_privs has both; what it executes has
 * no_new_privs, too.
 */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

int main(void)
{
	char line[64];
	FILE *out;

	if (geteuid())
		target_skip("root, for an undumpable parent");
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_DUMPABLE, 0));
	target_prepare();

	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
	out = popen("sed -n 's/NoNewPrivs:[[:space:]]*//p' /proc/self/status", "r");
	CHECK(out && fgets(line, sizeof(line), out));
	CHECK(!strcmp(line, "1\n"));
	CHECK_EQ(pclose(out), 0);
	target_child_has("no_new_privs", "kept");
	target_child_has("PR_SET_DUMPABLE", "kept");
	return 0;
}
