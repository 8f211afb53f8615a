// SPDX-License-Identifier: Apache-2.0
/*
 * What /proc says of a child is its parent's: the program, which it can execute again,
 * the auxiliary vector that getauxval() reads, the arguments and the environment.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

static size_t read_all(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buffer, size - 1);

	CHECK(fd >= 0 && n >= 0);
	close(fd);
	buffer[n] = '\0';
	return n;
}

/* As the kernel has filled it in: the C library returns more for some. */
static unsigned long words[128];
static size_t size;

static void check_auxv(void)
{
	unsigned long now[128];

	CHECK_EQ(read_all("/proc/self/auxv", (char *)now, sizeof(now)), size);
	CHECK(!memcmp(now, words, size));
}

int main(int argc, char **argv)
{
	char program[4096], path[4096], line[4096];
	ssize_t n;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "again"))
		return 0;
	if (geteuid())
		target_skip("root, for the link to the program");
	size = read_all("/proc/self/auxv", (char *)words, sizeof(words));
	CHECK(size >= 16 * sizeof(*words));
	CHECK_EQ(words[0], AT_SYSINFO_EHDR);
	CHECK_EQ(words[1], getauxval(AT_SYSINFO_EHDR));
	n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	CHECK(n > 0);
	program[n] = '\0';
	target_prepare();

	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	CHECK(n > 0);
	path[n] = '\0';
	if (strcmp(path, program))
		puts(path);
	CHECK(!strcmp(path, program));
	check_auxv();
	/* The kernel reads no page for it that has not arrived. */
	CHECK(*(volatile char *)argv[0] && *(volatile char *)environ[0]);
	CHECK(read_all("/proc/self/cmdline", line, sizeof(line)));
	CHECK(!strcmp(line, argv[0]));
	CHECK(read_all("/proc/self/environ", line, sizeof(line)));
	CHECK(!strncmp(line, environ[0], strlen(environ[0])));
	target_child_has("arguments, environment (/proc)", "kept");
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		execl("/proc/self/exe", "program", "again", NULL);
		_exit(1);
	}
	CHECK_ENDS_WELL(pid);
	target_child_has("program, auxiliary vector (/proc)", "kept");
	return 0;
}
