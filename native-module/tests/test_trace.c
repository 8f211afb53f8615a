// SPDX-License-Identifier: Apache-2.0
/*
 * The trace ($MITOSIS_TRACE): steps and faults of every process that takes part in
 * a resume, of this machine and another, one line each; no file when it is off; a
 * level that is none is refused by name.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/machine.h"

#define MACHINE 2
#define ID	5
#define SIZE	(1u << 20)

static char *memory;

/* Resumes ID in a process of its own; it reads one page and exits with 7. */
static void run_child(const struct machine *remote)
{
	pid_t pid = fork();
	struct mitosis *device;

	if (pid == 0) {
		device = open_user();
		if (remote) {
			CHECK_EQ(mitosis_connect(device, MACHINE, remote->address),
				 0);
			mitosis_resume_remote(device, MACHINE, ID);
		} else {
			mitosis_resume_local(device, ID);
		}
		printf("%s\n", mitosis_error());
		_exit(4);
	}
	CHECK_EQ(WEXITSTATUS(status_within(pid, 20000)), 7);
}

static void prepare(struct mitosis *device)
{
	pid_t own = getpid();

	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != own)
		_exit(memory[SIZE / 2] == 1 ? 7 : 8);
}

static char *read_trace(const char *directory)
{
	static char text[1 << 20];
	char path[256];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/mitosis.trace", directory);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

/* Every line is whole: "SECONDS PID ROLE: what". */
static void check_lines(char *text)
{
	char *line, *rest = text;
	double seconds, before = 0;
	int pid;

	while ((line = strsep(&rest, "\n")) && *line) {
		if (sscanf(line, "%lf %d ", &seconds, &pid) != 2 ||
		    !strstr(line, ": ") || seconds <= 0 || pid <= 0) {
			printf("not a line of the trace: %s\n", line);
			exit(1);
		}
		/* Written just after its time was taken, by several processes. */
		CHECK(seconds > before - 1);
		before = seconds;
	}
}

static void check_has(const char *text, const char *const *wanted)
{
	for (; *wanted; wanted++)
		if (!strstr(text, *wanted)) {
			printf("no '%s' in:\n%s", *wanted, text);
			exit(1);
		}
}

static void wrong_level(void)
{
	struct mitosis *device;

	setenv("MITOSIS_TRACE", "verbose", 1);
	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), -EINVAL);
	CHECK(strstr(mitosis_error(), "must be between 0 and 2, got 'verbose'"));
}

int main(void)
{
	static const char *const own[] = {
		" mitosisd: is ready",
		" parent of handler id 5: has forked its shadow",
		" mitosisd: has registered a shadow handler_id=5",
		" shadow of handler id 5: has described itself",
		" child: is ready to resume",
		" child: leaves its memory",
		" mitosisd: joins a device and a server",
		" shadow of handler id 5: serves a child",
		" serves a fault address=0x",
		" recording ends pages=",
		NULL,
	};
	static const char *const other[] = {
		" mitosisd: has started a pager machine=2 handler_id=5",
		" pager of handler id 5: has opened the snapshot machine=2 "
		"at=tcp://127.",
		" pager of handler id 5: asks for pages address=0x",
		" pager of handler id 5: serves a child",
		NULL,
	};
	static const char *const holders[] = {
		" mitosisd: passes another machine to a shadow handler_id=5",
		" shadow of handler id 5: other machine asks for pages address=0x",
		NULL,
	};
	struct machine holder;
	struct mitosis *device;
	char *text;

	need_userfaultfd();
	wrong_level();
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	memset(memory, 1, SIZE);
	use_key("trace");

	unsetenv("MITOSIS_TRACE");
	device = open_user();
	prepare(device);
	run_child(NULL);
	CHECK(!read_trace(getenv("MITOSIS_RUNTIME_DIR")));
	mitosis_close(device);
	CHECK_SOON(!daemon_pid(), 20000);

	setenv("MITOSIS_TRACE", "2", 1);
	device = open_user();
	prepare(device);
	run_child(NULL);
	run_child(NULL);
	mitosis_close(device);
	text = read_trace(getenv("MITOSIS_RUNTIME_DIR"));
	CHECK(text);
	check_has(text, own);
	check_lines(text);

	holder = machine_start(MACHINE);
	machine_enter(&holder);
	device = open_user();
	prepare(device);
	machine_leave();
	run_child(&holder);
	text = read_trace(getenv("MITOSIS_RUNTIME_DIR"));
	check_has(text, other);
	check_lines(text);
	text = read_trace(holder.dir);
	CHECK(text);
	check_has(text, holders);
	mitosis_close(device);
	machine_stop(&holder);
	return 0;
}
