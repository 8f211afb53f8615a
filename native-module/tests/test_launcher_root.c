// SPDX-License-Identifier: Apache-2.0
/*
 * Started in a root directory that is not that of its mount namespace, as a chroot is, a launcher
 * gives its lean containers that one: not the one that their mount namespace has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID "9"

/* Only there has it a folder MARK. */
static void change_root(char mark[PATH_MAX])
{
	char root[PATH_MAX], place[PATH_MAX];
	const char *runtime = getenv("MITOSIS_RUNTIME_DIR");

	CHECK(runtime);
	CHECK(snprintf(place, sizeof(place), "%s.place", runtime) < PATH_MAX);
	CHECK(snprintf(mark, PATH_MAX, "%.4000s/mark", place) < PATH_MAX);
	CHECK(!mkdir(place, 0700));
	CHECK(snprintf(root, sizeof(root), "%s.root", runtime) < PATH_MAX);
	CHECK(!mkdir(root, 0700));
	CHECK(!unshare(CLONE_NEWNS));
	CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount("/", root, NULL, MS_BIND | MS_REC, NULL));
	CHECK(!chroot(root) && !chdir("/"));
	CHECK(!mount("none", place, "tmpfs", 0, NULL));
	CHECK(!mkdir(mark, 0700));
}

static void launch(const char *mode)
{
	char command[PATH_MAX], line[4096];
	FILE *answers;

	CHECK(snprintf(command, sizeof(command),
		       "printf 'launch\\nquit\\n' | '%s/mitosis-launcher' --driven "
		       "--backend user --handler-id " ID
		       " --mode %s --container lean",
		       getenv("MITOSIS_TEST_BIN"), mode) < PATH_MAX);
	answers = popen(command, "r");
	CHECK(answers);
	CHECK(fgets(line, sizeof(line), answers));
	CHECK(!strncmp(line, "ok ready=1", 10));
	CHECK(fgets(line, sizeof(line), answers));
	if (strncmp(line, "ok ", 3)) {
		printf("mode %s: %s\n", mode, line);
		exit(1);
	}
	pclose(answers);
}

int main(void)
{
	struct mitosis *device;
	char mark[PATH_MAX];

	need_userfaultfd();
	need_namespaces();
	if (geteuid() != 0)
		skip("needs root, for chroot(2)");
	change_root(mark);
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, atoi(ID)), 0);
	/* Not told by its id: in its PID namespace a child may have this process's. */
	if (mitosis_nil(device) == -EBADF)
		_exit(access(mark, F_OK) ? 1 : 0);
	launch("lazy");
	launch("clone");
	CHECK_EQ(mitosis_unprepare(device, atoi(ID)), 0);
	mitosis_close(device);
	return 0;
}
