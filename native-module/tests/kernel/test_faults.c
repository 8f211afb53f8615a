// SPDX-License-Identifier: Apache-2.0
/*
 * Children, parents and machines that end, stop or are closed at the wrong time.
 * usage: test_faults --list | NAME...; without a name, all of them. After each
 * fault the module must serve as before and hold no child and no snapshot of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "tests/kernel/fault_processes.h"
#include "tests/kernel/machine_faults.h"

#define OTHER_ID 74
#define SWEEP	 40
#define SWEEP_NS 10000000000ull /* limit of a sweep of children */

/* The time from the start of a child to its end, without waiting in between. */
static uint64_t life_ns(pid_t (*start)(void))
{
	uint64_t begin = now_ns();
	pid_t pid = start();

	release_child();
	expect_message('c', 20000);
	CHECK_EQ(status_within(pid, 20000), 0);
	return now_ns() - begin;
}

static pid_t start_local(void)
{
	return start_kernel_child(ID, 4);
}

/* A child over TCP, of a snapshot of the same module. */
static pid_t start_over_tcp(void)
{
	struct mitosis_resume_options options = { .prefetch_pages = 4 };
	int machine = module_parameter("machine_id");
	struct mitosis *device;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	if (!mitosis_open(MITOSIS_BACKEND_KERNEL, &device) &&
	    !mitosis_set_resume_options(device, &options) &&
	    !mitosis_connect(device, machine, getenv("MITOSIS_TEST_MODULE_ADDRESS")))
		mitosis_resume_remote(device, machine, ID);
	fprintf(stderr, "%s\n", mitosis_error());
	_exit(125);
}

/* Kills a child after i/SWEEP of its lifetime, for each i. */
static void killed_in_life(pid_t (*start)(void))
{
	uint64_t whole = life_ns(start);
	int i, rounds = SWEEP;

	printf("lifetime of a child: %llu us\n", (unsigned long long)whole / 1000);
	/* Each round takes half a lifetime on average. */
	if (whole * rounds / 2 > SWEEP_NS)
		rounds = 2 * SWEEP_NS / whole;
	for (i = 0; i < rounds; i++) {
		uint64_t after = whole * i / rounds;
		struct timespec t = { after / 1000000000, after % 1000000000 };
		pid_t pid = start();

		release_child();
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		status_within(pid, 10000);
		drain_pipes();
	}
	life_ns(start);
}

static void child_killed(pid_t (*start)(void))
{
	struct mitosis *device = open_kernel();

	prepare(device, ID, false);
	killed_in_life(start);
	mitosis_close(device);
}

static void parent_killed_in_prepare(void)
{
	struct mitosis *device = open_kernel();
	uint64_t begin, whole;
	int i;

	begin = now_ns();
	end_process(start_parent(MITOSIS_BACKEND_KERNEL, ID, false));
	whole = now_ns() - begin;
	for (i = 0; i < SWEEP; i++) {
		uint64_t after = whole * i / SWEEP;
		struct timespec t = { after / 1000000000, after % 1000000000 };
		bool pinned = i % 2;
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			struct mitosis *own;
			uint32_t id = OTHER_ID;

			CHECK_EQ(mitosis_open(MITOSIS_BACKEND_KERNEL, &own), 0);
			for (;;) {
				prepare(own, id, pinned);
				CHECK_EQ(mitosis_unprepare(own, id), 0);
			}
		}
		nanosleep(&t, NULL);
		end_process(pid);
		if (pinned)
			mitosis_unprepare(device, OTHER_ID);
		CHECK_SOON(!find_snapshot(device, OTHER_ID).owner_pid, 5000);
	}
	mitosis_close(device);
}

/* Children can read the pages they have not touched after the snapshot is dropped. */
static void parent_killed(bool pinned)
{
	struct mitosis *device = open_kernel();
	pid_t parent = start_parent(MITOSIS_BACKEND_KERNEL, ID, pinned);
	pid_t child = start_local();

	expect_message('c', 20000);
	end_process(parent);
	if (pinned) {
		pid_t late;

		CHECK_EQ(find_snapshot(device, ID).owner_pid, parent);
		late = start_local();
		expect_message('c', 20000);
		release_child();
		release_child();
		CHECK_EQ(status_within(late, 20000), 0);
		CHECK_EQ(mitosis_unprepare(device, ID), 0);
	} else {
		CHECK_SOON(!find_snapshot(device, ID).owner_pid, 5000);
	}
	CHECK_EQ(mitosis_resume_local(device, ID), -ENOENT);
	if (!pinned)
		release_child();
	CHECK_EQ(status_within(child, 20000), 0);
	mitosis_close(device);
}

static void parent_execs(void)
{
	struct mitosis *device = open_kernel();
	pid_t pid = fork();

	if (pid == 0) {
		struct mitosis *own;

		CHECK_EQ(mitosis_open(MITOSIS_BACKEND_KERNEL, &own), 0);
		prepare(own, ID, false);
		execl("/bin/sleep", "sleep", "30", (char *)NULL);
		_exit(127);
	}
	CHECK_SOON(find_snapshot(device, ID).owner_pid == pid, 10000);
	CHECK_SOON(!find_snapshot(device, ID).owner_pid, 10000);
	CHECK(alive(pid));
	end_process(pid);
	mitosis_close(device);
}

static void unprepared_while_resuming(void)
{
	struct mitosis *device = open_kernel();
	uint64_t whole;
	int i, resumed = 0, refused = 0;

	prepare(device, ID, false);
	whole = life_ns(start_local) / 2;
	for (i = 0; i < SWEEP; i++) {
		uint64_t after = whole * i / SWEEP;
		struct timespec t = { after / 1000000000, after % 1000000000 };
		pid_t pid = start_local();
		int status;

		release_child();
		nanosleep(&t, NULL);
		CHECK_EQ(mitosis_unprepare(device, ID), 0);
		status = status_within(pid, 20000);
		CHECK(WIFEXITED(status));
		if (WEXITSTATUS(status) == 125)
			refused++;
		else
			CHECK_EQ(WEXITSTATUS(status), 0);
		resumed += WEXITSTATUS(status) == 0;
		drain_pipes();
		prepare(device, ID, false);
	}
	printf("%d resumed, %d refused\n", resumed, refused);
	CHECK(resumed > 0);
	mitosis_close(device);
}

static void unprepared_with_children(void)
{
	struct mitosis *device = open_kernel();
	pid_t children[4];
	int i;

	prepare(device, ID, true);
	for (i = 0; i < 4; i++) {
		children[i] = start_local();
		expect_message('c', 20000);
	}
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	for (i = 0; i < 4; i++)
		release_child();
	for (i = 0; i < 4; i++)
		CHECK_EQ(status_within(children[i], 20000), 0);
	mitosis_close(device);
}

static atomic_int shared_fd, closing;

static void *use_fd(void *unused)
{
	unsigned int seed = (uintptr_t)unused;
	struct mitosis_connect_req there = {
		.machine_id = module_parameter("machine_id"),
		.gid = getenv("MITOSIS_TEST_MODULE_ADDRESS"),
	};
	struct mitosis_remote_req nowhere = { there.machine_id, 12345 };
	uint32_t id = OTHER_ID;

	while (!closing) {
		int fd = shared_fd;

		switch (rand_r(&seed) % 6) {
		case 0:
			ioctl(fd, MITOSIS_PREPARE, OTHER_ID);
			break;
		case 1:
			ioctl(fd, MITOSIS_IOC_UNPREPARE, &id);
			break;
		case 2:
			ioctl(fd, MITOSIS_CONNECT, &there);
			break;
		case 3:
			ioctl(fd, MITOSIS_NIL_RPC, &nowhere);
			break;
		case 4:
			ioctl(fd, MITOSIS_RESUME_REMOTE, &nowhere);
			break;
		default:
			ioctl(fd, MITOSIS_RESUME_LOCAL, 12345);
		}
	}
	return NULL;
}

static void closed_in_ioctl(void)
{
	struct mitosis *device = open_kernel();
	pthread_t threads[3];
	uint64_t end_ns = now_ns() + 3000000000ull;
	uintptr_t i;

	shared_fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	for (i = 0; i < 3; i++)
		CHECK(!pthread_create(&threads[i], NULL, use_fd, (void *)(i + 1)));
	while (now_ns() < end_ns) {
		int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

		close(atomic_exchange(&shared_fd, fd));
		usleep(500);
	}
	closing = 1;
	for (i = 0; i < 3; i++)
		CHECK(!pthread_join(threads[i], NULL));
	close(shared_fd);
	CHECK_SOON(!find_snapshot(device, OTHER_ID).owner_pid, 1000);
	mitosis_close(device);
}

/* A child whose RLIMIT_AS is below the parent's memory is refused or killed. */
static void no_address_space(void)
{
	struct mitosis *device = open_kernel();
	struct rlimit before, small;
	int i, status, killed = 0;

	prepare(device, ID, false);
	CHECK(!getrlimit(RLIMIT_AS, &before));
	for (i = 1; i < 12; i++) {
		pid_t pid;

		small = (struct rlimit){ i << 20, before.rlim_max };
		pid = fork();
		if (pid == 0) {
			struct mitosis *own;

			CHECK_EQ(mitosis_open(MITOSIS_BACKEND_KERNEL, &own), 0);
			if (setrlimit(RLIMIT_AS, &small))
				_exit(126);
			mitosis_resume_local(own, ID);
			_exit(125);
		}
		release_child();
		status = status_within(pid, 20000);
		if (WIFSIGNALED(status))
			CHECK_EQ(WTERMSIG(status), SIGKILL);
		else if (WEXITSTATUS(status))
			CHECK_EQ(WEXITSTATUS(status), 125);
		killed += status != 0;
		drain_pipes();
	}
	CHECK(killed > 0);
	life_ns(start_local);
	mitosis_close(device);
}

static void child_killed_in_resume(void)
{
	child_killed(start_local);
}

static void child_killed_in_remote_resume(void)
{
	child_killed(start_over_tcp);
}

static void parent_killed_with_children(void)
{
	parent_killed(false);
}

static void parent_killed_pinned(void)
{
	parent_killed(true);
}

static const struct fault {
	const char *name;
	void (*run)(void);
} faults[] = {
	{ "child-killed-in-resume", child_killed_in_resume },
	{ "child-killed-in-remote-resume", child_killed_in_remote_resume },
	{ "child-killed-waiting-for-page", child_killed_waiting_for_page },
	{ "page-not-in-time", page_not_in_time },
	{ "machine-killed", machine_killed },
	{ "machine-late", machine_late },
	{ "cache-deadlines", cache_with_two_deadlines },
	{ "former-address", answer_of_the_former_address },
	{ "parent-killed-in-prepare", parent_killed_in_prepare },
	{ "parent-killed-with-children", parent_killed_with_children },
	{ "parent-killed-pinned", parent_killed_pinned },
	{ "parent-execs", parent_execs },
	{ "unprepared-while-resuming", unprepared_while_resuming },
	{ "unprepared-with-children", unprepared_with_children },
	{ "closed-in-ioctl", closed_in_ioctl },
	{ "no-address-space", no_address_space },
};

#define FAULTS (sizeof(faults) / sizeof(*faults))

static void run_and_check(const struct fault *fault)
{
	struct mitosis_stat before = kernel_statistics();

	fault->run();
	/* The kernel tears down memory in the background. */
	CHECK_SOON(kernel_statistics().children == before.children, 5000);
	CHECK_SOON(kernel_statistics().snapshots == before.snapshots, 5000);
}

int main(int argc, char **argv)
{
	size_t fault;
	int i;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (fault = 0; fault < FAULTS; fault++)
			puts(faults[fault].name);
		return 0;
	}
	mitosis_close(open_kernel());
	if (!getenv("MITOSIS_TEST_MODULE_ADDRESS"))
		skip("needs MITOSIS_TEST_MODULE_ADDRESS, where the module listens");
	init_processes();
	for (fault = 0; fault < FAULTS; fault++) {
		bool chosen = argc == 1;

		for (i = 1; i < argc; i++)
			chosen |= !strcmp(argv[i], faults[fault].name);
		if (chosen)
			run_and_check(&faults[fault]);
	}
	return 0;
}
