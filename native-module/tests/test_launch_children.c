// SPDX-License-Identifier: Apache-2.0
/*
 * A launcher of so many children starts none before its gate is opened, prints a line for
 * each, and stays until its input ends; then it ends, at its gate and in the middle, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    "9"
#define CHILDREN    "5"
#define PATIENCE_MS 20000
#define QUIET_MS    100

struct launcher {
	pid_t pid;
	int input;
	FILE *output;
};

static struct launcher start(const char *children)
{
	struct launcher l;
	char path[512];
	int in[2], out[2];

	snprintf(path, sizeof(path), "%s/mitosis-launcher",
		 getenv("MITOSIS_TEST_BIN"));
	CHECK_EQ(pipe2(in, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(out, O_CLOEXEC), 0);
	l.pid = fork();
	if (l.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(path, path, "--handler-id", ID, "--mode", "clone",
		      "--container", "none", "--children", children, "--gate", NULL);
		_exit(127);
	}
	CHECK(l.pid > 0);
	close(in[0]);
	close(out[1]);
	l.input = in[1];
	l.output = fdopen(out[0], "r");
	CHECK(l.output);
	/* Lines are read one by one below. */
	setvbuf(l.output, NULL, _IONBF, 0);
	return l;
}

static bool quiet(struct launcher *l)
{
	struct pollfd p = { .fd = fileno(l->output), .events = POLLIN };

	return poll(&p, 1, QUIET_MS) == 0;
}

static void read_line(struct launcher *l, char line[256])
{
	struct pollfd p = { .fd = fileno(l->output), .events = POLLIN };

	CHECK(poll(&p, 1, PATIENCE_MS) == 1);
	CHECK(fgets(line, 256, l->output));
}

static void end(struct launcher *l)
{
	struct pollfd p = { .events = POLLIN };
	char rest[4096];
	int status;

	close(l->input);
	/* Its end closes its output. */
	p.fd = fileno(l->output);
	do
		CHECK(poll(&p, 1, PATIENCE_MS) == 1);
	while (read(p.fd, rest, sizeof(rest)) > 0);
	CHECK_EQ(waitpid(l->pid, &status, 0), l->pid);
	CHECK_EQ(status, 0);
	fclose(l->output);
}

int main(void)
{
	uint64_t before_ns = 0, start_ns, instruction_ns, result_ns, end_ns;
	struct mitosis *device;
	struct launcher l;
	char line[256];
	int i;

	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), 0);
	CHECK_EQ(mitosis_prepare(device, 9), 0);
	if (mitosis_nil(device) == -EBADF)
		_exit(0); /* a child, whose report_fd the launcher has made */

	l = start(CHILDREN);
	read_line(&l, line);
	CHECK(!strcmp(line, "ready\n"));
	CHECK(quiet(&l));
	CHECK_EQ(write(l.input, "start 1\n", 8), 8);
	for (i = 0; i < atoi(CHILDREN); i++) {
		read_line(&l, line);
		CHECK(sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
			     &start_ns, &instruction_ns, &result_ns, &end_ns) == 4);
		CHECK(start_ns >= before_ns);
		CHECK(end_ns > start_ns);
		before_ns = end_ns;
	}
	CHECK(quiet(&l));
	CHECK_EQ(waitpid(l.pid, NULL, WNOHANG), 0);
	end(&l);

	l = start(CHILDREN);
	read_line(&l, line);
	end(&l);

	l = start("1000000");
	read_line(&l, line);
	CHECK_EQ(write(l.input, "start 1\n", 8), 8);
	read_line(&l, line);
	end(&l);

	CHECK_EQ(mitosis_unprepare(device, 9), 0);
	mitosis_close(device);
	return 0;
}
