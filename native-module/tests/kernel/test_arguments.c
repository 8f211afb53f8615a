// SPDX-License-Identifier: Apache-2.0
/*
 * What /proc/PID/cmdline and environ have of children of the module: the strings of the parent before a
 * child has touched them, and what it makes of them. A reader never waits for another machine, and
 * changes nothing of what the child reads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define ID	    91
#define SECOND	    92
#define PAGE	    4096ul
#define DEADLINE_MS 20000

/* Of which each has a page or two of its own. */
#define ARGUMENTS	8
#define ARGUMENT_LENGTH 9000
#define SIZE_MAX_READ	(256u << 10)

static char cmdline[SIZE_MAX_READ], variables[SIZE_MAX_READ], line[SIZE_MAX_READ];
static size_t cmdline_size, variables_size;
static char *arguments;		/* in the stack: what cmdline has of this process */
static char *middle;		/* a whole page among them */
static int result[2], going[2]; /* pipes: from a child, and to it */
static struct mitosis *device;

static size_t read_of(pid_t pid, const char *name, char *bytes)
{
	size_t size = 0;
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	while ((n = read(fd, bytes + size, SIZE_MAX_READ - size)) > 0)
		size += n;
	close(fd);
	return size;
}

/* In a child: has the test look at a process, and goes on when it has. */
static void show(pid_t pid)
{
	char byte;

	if (write(STDOUT_FILENO, &pid, sizeof(pid)) != sizeof(pid) ||
	    read(STDIN_FILENO, &byte, 1) != 1)
		_exit(2);
}

static void go_on(void)
{
	CHECK_EQ(write(going[1], "", 1), 1);
}

static pid_t shown(void)
{
	pid_t pid;

	CHECK_EQ(read(result[0], &pid, sizeof(pid)), sizeof(pid));
	return pid;
}

/* A window is one page: a child has no other pages than those that it touches. */
static pid_t start_child(uint32_t id, const char *address)
{
	const struct mitosis_resume_options options = { .prefetch_pages = 1 };
	const uint32_t machine_id = module_parameter("machine_id");
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	CHECK(dup2(going[0], STDIN_FILENO) >= 0 &&
	      dup2(result[1], STDOUT_FILENO) >= 0);
	device = open_kernel();
	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	if (!address)
		mitosis_resume_local(device, id);
	else if (!mitosis_connect(device, machine_id, address))
		mitosis_resume_remote(device, machine_id, id);
	fprintf(stderr, "%s\n", mitosis_error());
	_exit(125);
}

static void check_shown(pid_t pid)
{
	CHECK_EQ(read_of(pid, "cmdline", line), cmdline_size);
	CHECK(!memcmp(line, cmdline, cmdline_size));
	CHECK_EQ(read_of(pid, "environ", line), variables_size);
	CHECK(!memcmp(line, variables, variables_size));
}

static void end_child(pid_t pid)
{
	go_on();
	CHECK_EQ(status_within(pid, DEADLINE_MS), 0);
}

/* In a child, which exits with what `part` returns. Returns in the parent. */
static void prepare(int (*part)(void))
{
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF)
		_exit(part());
}

static int touches_nothing(void)
{
	show(getpid());
	return memcmp(arguments, cmdline, cmdline_size) != 0;
}

/* What the kernel has read for others is not in the way of the child's own pages. */
static void check_untouched(void)
{
	pid_t pid;

	prepare(touches_nothing);
	pid = start_child(ID, NULL);
	check_shown(shown());
	end_child(pid);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
}

/* A title in place of an argument, across a border of pages, as setproctitle(3) writes it. */
#define TITLE "a title that is written over an argument"

static void set_title(char *strings)
{
	memcpy(strings + (middle - arguments) - 8, TITLE, sizeof(TITLE) - 1);
}

static int writes_title(void)
{
	set_title(arguments);
	show(getpid());
	return 0;
}

static int forks_with_title(void)
{
	pid_t pid;
	int status;

	set_title(arguments);
	pid = fork();
	if (!pid) {
		show(getpid());
		_exit(0);
	}
	return waitpid(pid, &status, 0) != pid || status;
}

static int prepares_with_title(void)
{
	struct mitosis *own;
	pid_t pid = getpid();

	set_title(arguments);
	if (mitosis_open(MITOSIS_BACKEND_KERNEL, &own) ||
	    mitosis_prepare(own, SECOND))
		return 3;
	show(getpid());
	if (getpid() == pid)
		return mitosis_unprepare(own, SECOND);
	return memcmp(arguments, cmdline, cmdline_size) != 0;
}

static long swapped_kib(pid_t pid)
{
	char path[64], text[128];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	CHECK(f);
	while (fgets(text, sizeof(text), f))
		if (sscanf(text, "VmSwap: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static int swaps_title(void)
{
	set_title(arguments);
	madvise(middle - PAGE, 2 * PAGE, MADV_PAGEOUT);
	show(getpid());
	return 0;
}

static void check_titles(void)
{
	int (*const parts[])(void) = { writes_title, forks_with_title, swaps_title };
	struct sysinfo info;
	unsigned int i;
	pid_t pid, seen;

	CHECK(!sysinfo(&info));
	set_title(cmdline);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i] == swaps_title && !info.freeswap)
			continue;
		prepare(parts[i]);
		pid = start_child(ID, NULL);
		seen = shown();
		CHECK(parts[i] != swaps_title || swapped_kib(seen) >= 8);
		check_shown(seen);
		end_child(pid);
		CHECK_EQ(mitosis_unprepare(device, ID), 0);
	}
}

/* The child's title, and through its snapshot what it has never touched. */
static void check_child_of_child(void)
{
	pid_t child, grandchild;

	prepare(prepares_with_title);
	child = start_child(ID, NULL);
	check_shown(shown());
	grandchild = start_child(SECOND, NULL);
	CHECK_EQ(shown(), grandchild);
	check_shown(grandchild);
	/* Both read the same pipe. */
	go_on();
	go_on();
	CHECK_EQ(status_within(child, DEADLINE_MS), 0);
	CHECK_EQ(status_within(grandchild, DEADLINE_MS), 0);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
}

static int drops_page(void)
{
	if (madvise(middle, PAGE, MADV_DONTNEED))
		return 3;
	show(getpid());
	return 0;
}

static int protects_page(void)
{
	if (mprotect(middle, PAGE, PROT_NONE))
		return 3;
	show(getpid());
	return 0;
}

/* As of any process: no bytes of memory that it has dropped, or may not read itself. */
static void check_what_is_gone(void)
{
	size_t before = middle - arguments;
	pid_t pid;

	memcpy(cmdline, arguments, cmdline_size);
	prepare(protects_page);
	pid = start_child(ID, NULL);
	CHECK_EQ(read_of(shown(), "cmdline", line), before);
	CHECK(!memcmp(line, cmdline, before));
	end_child(pid);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);

	memset(cmdline + before, 0, PAGE);
	prepare(drops_page);
	pid = start_child(ID, NULL);
	check_shown(shown());
	end_child(pid);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
}

static int touches_all(void)
{
	show(getpid());
	if (memcmp(arguments, cmdline, cmdline_size) ||
	    memcmp(arguments + cmdline_size, variables, variables_size))
		return 1;
	show(getpid());
	return 0;
}

static void check_remote(const char *address)
{
	unsigned long fetched;
	size_t size;
	pid_t pid;

	prepare(touches_all);
	pid = start_child(ID, address);
	shown();
	fetched = kernel_statistics().pages_fetched;
	size = read_of(pid, "cmdline", line);
	CHECK(size < cmdline_size && !memcmp(line, cmdline, size));
	CHECK_EQ(kernel_statistics().pages_fetched, fetched);
	go_on();
	shown();
	CHECK(kernel_statistics().pages_fetched > fetched);
	check_shown(pid);
	end_child(pid);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
}

static void run_with_arguments(char **argv)
{
	static char text[ARGUMENTS][ARGUMENT_LENGTH + 1];
	char *longer[ARGUMENTS + 2] = { argv[0] };
	int i, k;

	for (i = 0; i < ARGUMENTS; i++) {
		for (k = 0; k < ARGUMENT_LENGTH; k++)
			text[i][k] = 'a' + (k * 31 + i * 7) % 26;
		longer[i + 1] = text[i];
	}
	execv("/proc/self/exe", longer);
	CHECK(false);
}

int main(int argc, char **argv)
{
	const char *address = getenv("MITOSIS_TEST_MODULE_ADDRESS");

	if (argc == 1)
		run_with_arguments(argv);
	device = open_kernel();
	cmdline_size = read_of(getpid(), "cmdline", cmdline);
	variables_size = read_of(getpid(), "environ", variables);
	CHECK(cmdline_size > ARGUMENTS * ARGUMENT_LENGTH && variables_size);
	arguments = argv[0];
	middle = (char *)((uintptr_t)argv[ARGUMENTS / 2] & -PAGE) + PAGE;
	CHECK(middle > argv[1] && middle + PAGE < argv[ARGUMENTS]);
	CHECK_EQ(pipe(result), 0);
	CHECK_EQ(pipe(going), 0);
	check_untouched();
	if (address)
		check_remote(address);
	check_titles();
	check_child_of_child();
	check_what_is_gone();
	mitosis_close(device);
	return 0;
}
