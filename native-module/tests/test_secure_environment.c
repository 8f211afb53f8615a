// SPDX-License-Identifier: Apache-2.0
/* The environment of a setuid program's caller says nothing to the library. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/child_limits.h"
#include "local/runtime_dir.h"
#include "proto/user/auth_config.h"
#include "proto/user/connection.h"
#include "tests/harness.h"

#define OTHER_UID   1
#define SKIP_STATUS 77
#define PATIENCE_MS 20000

static const char *const names[] = {
	"MITOSIS_RUNTIME_DIR",	   "XDG_RUNTIME_DIR",
	"MITOSIS_DAEMON",	   "MITOSIS_DEADLINE_MS",
	"MITOSIS_KEY_FILE",	   "MITOSIS_PROTECTION",
	"MITOSIS_CHILD_PROCESSES", "MITOSIS_MACHINE_ID",
	"MITOSIS_TRACE",	   "HOME",
};

/* Runs as the setuid program. */
static int ask(void)
{
	struct child_limits limits;
	char path[RUNTIME_PATH_MAX], problem[256];
	struct mitosis *device;
	struct auth auth;

	if (!getauxval(AT_SECURE))
		return SKIP_STATUS; /* the file system is mounted nosuid */
	CHECK(!runtime_dir_path(path));
	CHECK(!strstr(path, "4242"));
	CHECK_EQ(wire_deadline_ms(), MITOSIS_DEADLINE_MS_DEFAULT);
	CHECK(!child_limits_read(&limits, problem, sizeof(problem)));
	CHECK_EQ(limits.processes, CHILD_PROCESSES_DEFAULT);
	CHECK_EQ(runtime_trace_level(), 0);
	problem[0] = '\0';
	auth_configure(&auth, problem, sizeof(problem));
	CHECK(!strstr(problem, "4242"));
	CHECK(mitosis_open(MITOSIS_BACKEND_USER, &device) < 0);
	CHECK(!strstr(mitosis_error(), "4242"));
	rmdir(path);
	return 0;
}

static void make_setuid_copy(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0755);
	struct stat st;

	CHECK(from >= 0 && to >= 0 && !fstat(from, &st));
	CHECK_EQ(sendfile(to, from, NULL, st.st_size), st.st_size);
	CHECK(!fchown(to, OTHER_UID, OTHER_UID));
	CHECK(!fchmod(to, 04755));
	close(from);
	close(to);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/mitosis-setuid-XXXXXX", path[64];
	pid_t pid;
	int status;
	size_t i;

	(void)argv;
	if (argc > 1)
		return ask();
	if (geteuid())
		skip("needs root, to make a setuid program of another user");
	CHECK(mkdtemp(dir) && !chmod(dir, 0755));
	snprintf(path, sizeof(path), "%s/program", dir);
	make_setuid_copy(path);
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			setenv(names[i], "/4242", 1);
		execl(path, path, "ask", (char *)NULL);
		_exit(126);
	}
	status = status_within(pid, PATIENCE_MS);
	CHECK(!unlink(path) && !rmdir(dir));
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIP_STATUS)
		skip("needs /tmp without the mount option nosuid");
	CHECK_EQ(WEXITSTATUS(status), 0);
	return 0;
}
