// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/fault_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/machine.h"

/* How long a child may take for a reply, or to end, ms. */
#define DEADLINE_MS 15000

unsigned char *memory;
int orders, replies;
const char *remote_address;
const char *resume_mode = "lazy";

static unsigned char value(size_t page)
{
	return 1 + page % 251;
}

bool right(size_t first, size_t end)
{
	size_t page;

	for (page = first; page < end; page++)
		if (memory[page * PAGE] != value(page) ||
		    memory[page * PAGE + PAGE - 1] != value(page))
			return false;
	return true;
}

void reply(char byte)
{
	CHECK(write(REPLIES_FD, &byte, 1) == 1);
}

int wrong(void)
{
	reply('x');
	return 1;
}

static void wait_for_order(void)
{
	char byte;

	CHECK(read(ORDERS_FD, &byte, 1) == 1);
}

int two_halves(void)
{
	if (!right(0, SIZE / PAGE / 2))
		return wrong();
	reply('h');
	wait_for_order();
	if (!right(SIZE / PAGE / 2, SIZE / PAGE))
		return wrong();
	reply('w');
	return 0;
}

void fill_memory(void)
{
	size_t page;

	for (page = 0; page < SIZE / PAGE; page++)
		memset(memory + page * PAGE, value(page), PAGE);
}

struct mitosis *prepare(uint32_t handler_id, int (*part)(void))
{
	struct mitosis *device = open_user();
	pid_t self = getpid();

	fill_memory();
	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, handler_id), 0);
	if (getpid() != self)
		_exit(part());
	memset(memory, 0, SIZE);
	return device;
}

pid_t start_child(const char *handler_id, int output)
{
	char path[512];
	int in[2], out[2];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/mitosis-child", getenv("MITOSIS_TEST_BIN"));
	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(in[0], ORDERS_FD);
		dup2(out[1], REPLIES_FD);
		if (output >= 0)
			dup2(output, STDERR_FILENO);
		if (remote_address)
			execl(path, path, "--backend", "user", "--handler-id",
			      handler_id, "--mode", resume_mode, "--prefetch", "4",
			      "--remote", REMOTE_ID, "--address", remote_address,
			      (char *)NULL);
		execl(path, path, "--backend", "user", "--handler-id", handler_id,
		      "--mode", resume_mode, "--prefetch", "4", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	orders = in[1];
	replies = out[0];
	return pid;
}

void close_child(void)
{
	close(orders);
	close(replies);
}

void order(void)
{
	CHECK(write(orders, "g", 1) == 1);
}

void order_if_alive(void)
{
	CHECK(write(orders, "g", 1) == 1 || errno == EPIPE);
}

char next_reply(void)
{
	struct pollfd p = { .fd = replies, .events = POLLIN };
	char byte = 0;

	if (poll(&p, 1, DEADLINE_MS) != 1) {
		printf("no reply of the child within %d ms\n", DEADLINE_MS);
		exit(1);
	}
	return read(replies, &byte, 1) == 1 ? byte : 0;
}

int end_of(pid_t pid)
{
	int status = -1, tries = DEADLINE_MS;

	while (waitpid(pid, &status, WNOHANG) == 0 && tries-- > 0)
		sleep_ms(1);
	if (tries < 0) {
		kill(pid, SIGKILL);
		printf("the child has not ended within %d ms\n", DEADLINE_MS);
		exit(1);
	}
	return status;
}

int failed_child(const char *handler_id, char *message, size_t size)
{
	int output[2], status;
	ssize_t n;

	CHECK(!pipe2(output, O_CLOEXEC));
	status = end_of(start_child(handler_id, output[1]));
	close(output[1]);
	n = read(output[0], message, size - 1);
	message[n > 0 ? n : 0] = '\0';
	close(output[0]);
	close_child();
	return status;
}

void set_up(const char *key)
{
	need_userfaultfd();
	signal(SIGPIPE, SIG_IGN);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	use_key(key); /* mitosisd reads it at its start */
}
