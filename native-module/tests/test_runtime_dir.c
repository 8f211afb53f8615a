// SPDX-License-Identifier: Apache-2.0
/* A runtime directory or a daemon that cannot be used: errno and message. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness.h"

static void check_refused(const char *dir, int err, const char *message)
{
	struct mitosis *device;

	setenv("MITOSIS_RUNTIME_DIR", dir, 1);
	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), err);
	if (!strstr(mitosis_error(), message)) {
		printf("'%s' is not in: %s\n", message, mitosis_error());
		exit(1);
	}
}

int main(void)
{
	char base[128], path[256], longest[300];
	struct mitosis *device;

	snprintf(base, sizeof(base), "%s", getenv("MITOSIS_RUNTIME_DIR"));
	CHECK(!mkdir(base, 0700));

	check_refused("relative/dir", -EINVAL, "does not start with /");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	check_refused(longest, -ENAMETOOLONG, "too long");
	check_refused("/proc/nowhere/dir", -ENOENT, "MITOSIS_RUNTIME_DIR");

	snprintf(path, sizeof(path), "%s/file", base);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	check_refused(path, -ENOTDIR, "MITOSIS_RUNTIME_DIR");

	snprintf(path, sizeof(path), "%s/open", base);
	mkdir(path, 0700);
	chmod(path, 0777);
	check_refused(path, -EACCES, "others can write");

	snprintf(path, sizeof(path), "%s/link", base);
	CHECK(!symlink(base, path));
	check_refused(path, -ENOTDIR, "MITOSIS_RUNTIME_DIR");

	/* No daemon, one that cannot be executed, one that is none. */
	snprintf(path, sizeof(path), "%s/none", base);
	setenv("MITOSIS_DAEMON", path, 1);
	check_refused(base, -ENOENT, "MITOSIS_DAEMON");
	snprintf(path, sizeof(path), "%s/file", base);
	setenv("MITOSIS_DAEMON", path, 1);
	check_refused(base, -EACCES, "noexec");
	setenv("MITOSIS_DAEMON", "/bin/false", 1);
	check_refused(base, -EIO, "failed to start");

	/* As another user: what belongs to root is refused. */
	if (geteuid() == 0) {
		CHECK(!seteuid(65534));
		check_refused("/usr", -EPERM, "another user");
		CHECK(!seteuid(0));
	}

	snprintf(path, sizeof(path), "%s/mitosisd", getenv("MITOSIS_TEST_BIN"));
	setenv("MITOSIS_DAEMON", path, 1);
	setenv("MITOSIS_RUNTIME_DIR", base, 1);
	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), 0);
	mitosis_close(device);
	return 0;
}
