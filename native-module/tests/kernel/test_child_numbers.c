// SPDX-License-Identifier: Apache-2.0
/*
 * Each child of the module is told a number that no other child of this machine is told, and the
 * module's id of this machine: of a snapshot of this machine and over TCP, with one thread and with
 * several. A child of the bare ioctl, which is told nothing, has the registers of its parent.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "uapi/mitosis.h"

#define ID	    37
#define CHILDREN    8
#define DEADLINE_MS 20000

static union {
	struct mitosis_child child;
	char room[MITOSIS_CHILD_ROOM];
} told;
static uint64_t last;
static int result[2]; /* a pipe, whose ends children inherit */

/* Returns in the parent. */
static void prepare(struct mitosis *device)
{
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) != -EBADF)
		return;
	_exit(write(STDOUT_FILENO, &told.child, sizeof(told.child)) ==
			      sizeof(told.child)
		      ? 0
		      : 1);
}

static void become(const char *address, uint32_t machine_id)
{
	struct mitosis *device = open_kernel();
	int err = address ? mitosis_connect(device, machine_id, address) : 0;

	if (!err && address)
		mitosis_resume_remote(device, machine_id, ID);
	else if (!err)
		mitosis_resume_local(device, ID);
	fprintf(stderr, "%s\n", mitosis_error());
	_exit(100);
}

/* Children of one after the other have ascending numbers. */
static void check_children(const char *address)
{
	uint32_t machine_id = module_parameter("machine_id");
	struct mitosis_child child;
	int i;

	for (i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			dup2(result[1], STDOUT_FILENO);
			become(address, machine_id);
		}
		CHECK_EQ(status_within(pid, DEADLINE_MS), 0);
		CHECK_EQ(read(result[0], &child, sizeof(child)), sizeof(child));
		CHECK_EQ(child.handler_id, ID);
		CHECK_EQ(child.machine_id, machine_id);
		CHECK(child.number > last);
		last = child.number;
	}
}

static void check_snapshot(struct mitosis *device)
{
	const char *address = getenv("MITOSIS_TEST_MODULE_ADDRESS");

	prepare(device);
	check_children(NULL);
	if (address)
		check_children(address);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
}

/* The registers that hold the arguments of a system call are preserved by it. */
static void check_bare(void)
{
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC), status;
	pid_t parent = getpid(), pid;
	/* Calls change them: there is none until both are copied. */
	register uint64_t rdi __asm__("rdi") = fd;
	register uint64_t rsi __asm__("rsi") = MITOSIS_PREPARE;
	uint64_t first, second;
	long error;

	__asm__ volatile("syscall"
			 : "=a"(error), "+r"(rdi), "+r"(rsi)
			 : "a"(SYS_ioctl), "d"(ID)
			 : "rcx", "r11", "memory");
	first = rdi;
	second = rsi;
	if (syscall(SYS_getpid) != parent)
		_exit(first == (uint64_t)fd && second == MITOSIS_PREPARE ? 0 : 1);
	CHECK_EQ(error, 0);
	pid = start_kernel_child(ID, 0);
	status = status_within(pid, DEADLINE_MS);
	CHECK_EQ(status, 0);
	close(fd);
}

/* Numbers that callers count themselves are of the same series. */
static void check_counted(struct mitosis *device)
{
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC), opened, i;
	struct mitosis_told counted;
	uint32_t id = ID;

	prepare(device);
	opened = ioctl(fd, MITOSIS_IOC_OPEN_LOCAL, &id);
	CHECK(opened >= 0);
	CHECK(ioctl(opened, MITOSIS_IOC_COUNT, NULL) < 0 && errno == EFAULT);
	for (i = 0; i < 2; i++) {
		memset(&counted, 'x', sizeof(counted));
		CHECK(!ioctl(opened, MITOSIS_IOC_COUNT, &counted));
		CHECK(counted.number > last && !counted.reserved);
		CHECK_EQ(counted.machine_id, module_parameter("machine_id"));
		last = counted.number;
	}
	CHECK(ioctl(fd, MITOSIS_IOC_COUNT, &counted) < 0 && errno == ENOTTY);
	close(opened);
	close(fd);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
}

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

int main(void)
{
	struct mitosis *device = open_kernel();
	pthread_t thread;

	CHECK_EQ(pipe(result), 0);
	check_bare();
	CHECK_EQ(mitosis_on_resume(mitosis_copy_child, &told), 0);
	check_snapshot(device);
	check_counted(device);
	need_namespaces();
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
	check_snapshot(device);
	mitosis_close(device);
	return 0;
}
