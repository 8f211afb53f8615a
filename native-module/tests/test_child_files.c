// SPDX-License-Identifier: Apache-2.0
/*
 * What a launcher's child has open, in each mode, with and without a container, local
 * and from another machine: the standard three, what the launcher was started with, the
 * pipe for its report, and what keeps its memory safe. Nothing leads to mitosisd, to
 * the container's holder and control groups, or to the host's root directory.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/report.h"
#include "tests/harness.h"
#include "tests/machine.h"

#include "tests/each_file.h"

#define ID	    "12"
#define MACHINE	    7
#define NUMBERS_MAX 1024

static bool inherited[NUMBERS_MAX];

static void note(int fd)
{
	CHECK(fd < NUMBERS_MAX);
	inherited[fd] = true;
}

static bool keeps_memory_safe(int fd, const char *name)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC &&
	       (!strcmp(name, "anon_inode:[userfaultfd]") ||
		(!strncmp(name, "pipe:", 5) && fcntl(fd, F_GETFL) & O_ASYNC));
}

static void check_file(int fd)
{
	char link[64], name[256];
	ssize_t size;

	if (fd == REPORT_FD_DEFAULT || (fd < NUMBERS_MAX && inherited[fd]))
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, name, sizeof(name) - 1);
	name[size > 0 ? size : 0] = '\0';
	if (keeps_memory_safe(fd, name))
		return;
	dprintf(STDERR_FILENO, "file %d of a child is open: %s\n", fd, name);
	_exit(1);
}

static void __attribute__((noreturn)) be_child(void)
{
	struct child_report report = { .resumed_ns = now_ns() };

	each_file(check_file);
	report.first_result_ns = now_ns();
	if (write(REPORT_FD_DEFAULT, &report, sizeof(report)) != sizeof(report))
		_exit(2);
	_exit(0);
}

static void launch(const char *mode, const char *container, const char *machine)
{
	char command[1024], line[2048];
	int launched = 0;
	FILE *out;

	snprintf(command, sizeof(command),
		 "printf 'launch\\nlaunch\\nquit\\n' | %s/mitosis-launcher --driven "
		 "--backend user --handler-id " ID
		 " --mode %s --container %s %s 2>&1",
		 getenv("MITOSIS_TEST_BIN"), mode, container, machine);
	printf("%s\n", command);
	fflush(stdout);
	out = popen(command, "re");
	CHECK(out);
	while (fgets(line, sizeof(line), out)) {
		fputs(line, stdout);
		launched += !strncmp(line, "ok startup_ns=", 14);
	}
	CHECK_EQ(pclose(out), 0);
	CHECK_EQ(launched, 2);
}

static struct mitosis *prepare(void)
{
	struct mitosis *device = open_user();
	pid_t self = getpid();

	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, atoi(ID)), 0);
	if (getpid() != self)
		be_child();
	return device;
}

int main(void)
{
	static const char *const modes[] = { "lazy", "eager", "cached", "clone" };
	static const char *const containers[] = { "none", "lean" };
	struct machine machine;
	struct mitosis *device;
	char where[128];
	unsigned int m, c;

	each_file(note);
	need_userfaultfd();
	use_key("key");
	device = prepare();
	for (m = 0; m < 4; m++)
		for (c = 0; c < 2; c++)
			launch(modes[m], containers[c], "");
	mitosis_close(device);

	machine = machine_start(MACHINE);
	machine_enter(&machine);
	device = prepare();
	machine_leave();
	snprintf(where, sizeof(where), "--machine-id %d --address %s", MACHINE,
		 machine.address);
	for (m = 0; m < 3; m++)
		for (c = 0; c < 2; c++)
			launch(modes[m], containers[c], where);
	mitosis_close(device);
	machine_stop(&machine);
	return 0;
}
