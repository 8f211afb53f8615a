// SPDX-License-Identifier: Apache-2.0
/*
 * A child has no open file but what its caller was started with and the two that keep
 * its memory safe: the userfaultfd and the lifeline. Programs that it starts have
 * neither.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#include "tests/each_file.h"

#define UFFD "anon_inode:[userfaultfd]"

#define NUMBERS_MAX 1024

static int uffds, pipes;
/* What the runner was started with: this program has it, and mitosis-child, too. */
static bool inherited[NUMBERS_MAX];
static int inherited_count;

static void check_own(int fd)
{
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(fd >= 1000);
}

static void check_file(int fd)
{
	char link[64], name[256];
	ssize_t size;

	if (fd < NUMBERS_MAX && inherited[fd])
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, name, sizeof(name) - 1);
	CHECK(size > 0);
	name[size] = '\0';
	if (!strcmp(name, UFFD)) {
		uffds++;
		check_own(fd);
	} else if (!strncmp(name, "pipe:", 5)) {
		/* Carries nothing: its other end shows that the server lives. */
		pipes++;
		check_own(fd);
		CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		CHECK(fcntl(fd, F_GETFL) & O_ASYNC);
		CHECK_EQ(write(fd, "", 1), -1);
	} else {
		printf("file %d is open: %s\n", fd, name);
		fflush(stdout);
		_exit(1);
	}
}

static void note(int fd)
{
	CHECK(fd < NUMBERS_MAX);
	inherited[fd] = true;
	inherited_count++;
}

int main(void)
{
	const char *backend = getenv("MITOSIS_TEST_CHILD_BACKEND");
	char line[64];
	FILE *list;

	each_file(note);
	target_prepare();

	each_file(check_file);
	/* Neither a clone nor a child of the module has them; that of a replica has a pipe. */
	CHECK(uffds <= pipes);
	CHECK(pipes <= (backend && !strcmp(backend, "kernel") ? 0 : 1));

	/* The listing itself has one more. */
	list = popen("set -- $(ls /proc/self/fd); echo $#", "r");
	CHECK(list && fgets(line, sizeof(line), list));
	CHECK_EQ(atoi(line), inherited_count + 1);
	CHECK_EQ(pclose(list), 0);
	target_child_has("files that the caller of resume passes", "kept");
	return 0;
}
