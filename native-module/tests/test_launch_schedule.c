// SPDX-License-Identifier: Apache-2.0
/*
 * Each child of a schedule is started or reported as lost: also with a rate that no
 * machine reaches, and in the right order.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

struct schedule {
	unsigned started, lost;
	uint64_t first_ns, last_ns; /* intended starts */
};

/* `how` is the options of a schedule. */
static struct schedule run(const char *how)
{
	struct schedule s = { 0 };
	char command[1024], line[256];
	uint64_t last_ns = 0;
	FILE *out;

	snprintf(command, sizeof(command),
		 "timeout 30 '%s/mitosis-launcher' --start empty --container none "
		 "%s --format ns",
		 getenv("MITOSIS_TEST_BIN"), how);
	out = popen(command, "r");
	CHECK(out);
	while (fgets(line, sizeof(line), out)) {
		uint64_t latency_ns, intended_ns;
		bool lost = !strncmp(line, "lost ", 5);

		CHECK(sscanf(line + (lost ? 5 : 0), "%" SCNu64 " %" SCNu64,
			     &latency_ns, &intended_ns) == 2);
		CHECK(intended_ns >= last_ns);
		CHECK(lost || !s.lost); /* the lost ones are the last ones */
		if (!last_ns)
			s.first_ns = intended_ns;
		s.last_ns = last_ns = intended_ns;
		s.started += !lost;
		s.lost += lost;
	}
	CHECK_EQ(pclose(out), 0);
	return s;
}

/* In a file without a name, which `how` names. */
static int write_arrivals(const char *lines, char how[64])
{
	int fd = memfd_create("arrivals", MFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
	snprintf(how, 64, "--arrivals /proc/%d/fd/%d", getpid(), fd);
	return fd;
}

static void refuse(const char *lines)
{
	char command[1024], how[64];
	int fd = write_arrivals(lines, how);
	int status;

	snprintf(command, sizeof(command),
		 "timeout 30 '%s/mitosis-launcher' --start empty --container none "
		 "%s >/dev/null 2>&1",
		 getenv("MITOSIS_TEST_BIN"), how);
	status = system(command);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 2);
	close(fd);
}

int main(void)
{
	struct schedule slow = run("--seconds 1 --rate 5");
	struct schedule fast = run("--seconds 1 --rate 200000");
	struct schedule own;
	char how[64];
	int fd;

	CHECK_EQ(slow.started, 5);
	CHECK_EQ(slow.lost, 0);
	CHECK_EQ(fast.started + fast.lost, 200000);
	CHECK(fast.started > 0);
	CHECK(fast.lost > 0);

	fd = write_arrivals("0\n0\n1000\n300000000\n", how);
	own = run(how);
	close(fd);
	CHECK_EQ(own.started, 4);
	CHECK_EQ(own.lost, 0);
	CHECK(own.last_ns - own.first_ns == 300000000);
	refuse("1\n0\n");
	refuse("1\n-2\n");
	refuse("1\n2 3\n");
	refuse("3600000000001\n");
	refuse("");
	return 0;
}
