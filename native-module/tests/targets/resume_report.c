// SPDX-License-Identifier: Apache-2.0
/*
 * A child can ask what it lacks of its parent: here a working directory, which has been
 * removed. A clone lacks nothing: it is where its parent was.
 */
#include <sys/stat.h>

#include "tests/targets/target.h"

#define DIRECTORY "working directory: the caller's\n"

int main(void)
{
	char path[4096], text[512] = "";
	int count;

	if (geteuid())
		target_skip("root, who lacks nothing else");
	snprintf(path, sizeof(path), "%s/removed", getenv("MITOSIS_RUNTIME_DIR"));
	CHECK(!mkdir(path, 0700) && !chdir(path) && !rmdir(path));
	CHECK_EQ(mitosis_resume_report(NULL, text, sizeof(text)), -ENOENT);
	target_prepare();

	count = mitosis_resume_report(NULL, text, sizeof(text));
	if (target_child_is_clone()) {
		CHECK_EQ(count, 0);
		CHECK(!getcwd(path, sizeof(path)));
		return 0;
	}
	CHECK(!strcmp(text, DIRECTORY));
	CHECK_EQ(count, 1);
	CHECK_EQ(mitosis_resume_report(NULL, text, 8), count);
	CHECK(!strcmp(text, "working"));
	return 0;
}
