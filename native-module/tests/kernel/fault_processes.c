// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/kernel/fault_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGES 1024

static char *memory;
static int messages[2], releases[2];

void init_processes(void)
{
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(!pipe(messages) && !pipe(releases));
	fcntl(messages[0], F_SETFL, O_NONBLOCK);
}

void expect_message(char message, int ms)
{
	char byte = 0;

	CHECK_SOON(read(messages[0], &byte, 1) == 1, ms);
	CHECK_EQ(byte, message);
}

static void send_message(char message)
{
	if (write(messages[1], &message, 1) != 1)
		_exit(3);
}

/* A child messages that it is there, waits, reads all pages and writes to them. */
static void __attribute__((noreturn)) be_child(void)
{
	char byte;
	int i;

	send_message('c');
	if (read(releases[0], &byte, 1) != 1)
		_exit(4);
	for (i = 0; i < PAGES; i++) {
		if (memory[i * PAGE] != 'p' || memory[i * PAGE + PAGE - 1] != 'p')
			_exit(2);
		memory[i * PAGE] = 'c';
	}
	_exit(0);
}

void release_child(void)
{
	CHECK_EQ(write(releases[1], "g", 1), 1);
}

void prepare(struct mitosis *device, uint32_t id, bool pinned)
{
	memset(memory, 'p', PAGES * PAGE);
	CHECK_EQ(pinned ? mitosis_prepare_pinned(device, id)
			: mitosis_prepare(device, id),
		 0);
	if (mitosis_nil(device))
		be_child();
	memset(memory, 'o', PAGES * PAGE);
}

pid_t start_parent(int backend, uint32_t id, bool pinned)
{
	struct mitosis *device;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid) {
		expect_message('p', 10000);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK_EQ(mitosis_open(backend, &device), 0);
	prepare(device, id, pinned);
	send_message('p');
	for (;;)
		pause();
}

void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	status_within(pid, 10000);
}

void drain_pipes(void)
{
	char bytes[64];
	int ends[] = { messages[0], releases[0] }, i, waiting;

	for (i = 0; i < 2; i++)
		while (!ioctl(ends[i], FIONREAD, &waiting) && waiting)
			CHECK(read(ends[i], bytes, sizeof(bytes)) > 0);
}
