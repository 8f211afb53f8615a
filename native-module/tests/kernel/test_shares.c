// SPDX-License-Identifier: Apache-2.0
/*
 * What one user takes from the others: memory that snapshots keep after they were dropped,
 * places of the server, and the module's workers, by a machine that does not answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/kernel/callers.h"
#include "tests/machine.h"

#define ID	 61
#define MACHINE	 103
#define STALLED	 700 /* more than a work queue of the kernel runs at a time */
#define ANSWER_S 20
#define STACK	 (64 << 10)

/* The address at which the module serves this machine to itself; NULL: none. */
static const char *own_address(void)
{
	return getenv("MITOSIS_TEST_MODULE_ADDRESS");
}

/* Runs a function as a user, in a process of its own. */
static void run_as(enum who who, void (*run)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		be(who);
		run();
		_exit(0);
	}
	CHECK_EQ(exit_of(pid), 0);
}

static int prepare_error(int id)
{
	return error_of(ioctl(open_device(), MITOSIS_PREPARE_PINNED, id));
}

static void unprepare(uint32_t id)
{
	CHECK_EQ(error_of(ioctl(open_device(), MITOSIS_IOC_UNPREPARE, &id)), 0);
}

/* A file holds the memory of each. */
static void drop_what_is_held(void)
{
	int held[3], fd = open_device();
	uint32_t id;

	for (id = 0; id < 3; id++) {
		CHECK_EQ(prepare_error(id), 0);
		held[id] = ioctl(fd, MITOSIS_IOC_OPEN_LOCAL, &id);
		CHECK(held[id] >= 0);
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_UNPREPARE, &id)), 0);
	}
	CHECK_EQ(prepare_error(3), EDQUOT);
	close(held[1]);
	CHECK_SOON(!prepare_error(3), PATIENT_MS);
	CHECK_EQ(prepare_error(4), EDQUOT);
	unprepare(3);
}

/* So many thousandths of the memory, in whole pages. */
static size_t thousandths(int count)
{
	return sysconf(_SC_PHYS_PAGES) / 1000 * count * sysconf(_SC_PAGESIZE);
}

/* Two snapshots of 0.7 percent of the memory each. */
static void keep_shared_memory(void)
{
	const size_t part = thousandths(7);
	char *pages = mmap(NULL, part, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED);
	memset(pages, 's', part);
	CHECK_EQ(prepare_error(0), 0);
	CHECK_EQ(prepare_error(1), ENOSPC);
	unprepare(0);
}

static int make_memfd(size_t size, char **pages)
{
	int fd = memfd_create("shares", MFD_CLOEXEC);

	CHECK(fd >= 0 && !ftruncate(fd, size));
	*pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(*pages != MAP_FAILED);
	memset(*pages, 'm', size);
	return fd;
}

static char *map_privately(int fd, size_t size)
{
	char *pages = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK(pages != MAP_FAILED);
	return pages;
}

/* One object of 0.4 percent, of which each mapping has copies in a snapshot. */
static void keep_private_mappings(void)
{
	const size_t part = thousandths(4);
	char *shared;
	int fd = make_memfd(part, &shared);

	CHECK_EQ(prepare_error(0), 0);
	unprepare(0);
	map_privately(fd, part);
	map_privately(fd, part);
	CHECK_EQ(prepare_error(0), ENOSPC);
	munmap(shared, part);
	close(fd);
}

/* Of 1.4 percent that a child reads, its snapshot keeps copies as far as the user may have them. */
static void keep_copies_for_children(void)
{
	const size_t part = thousandths(14);
	char *pages, *shared;
	pid_t self = getpid(), pid;
	int fd = make_memfd(part, &shared);
	size_t i;

	munmap(shared, part);
	pages = map_privately(fd, part);
	CHECK_EQ(prepare_error(0), 0);
	if (getpid() != self) {
		for (i = 0; i < part && pages[i] == 'm'; i++)
			;
		_exit(i != part);
	}
	pid = fork();
	if (pid == 0) {
		ioctl(open_device(), MITOSIS_RESUME_LOCAL, 0);
		_exit(2);
	}
	CHECK_EQ(exit_of(pid), 0);
	CHECK_EQ(prepare_error(1), ENOSPC);
	unprepare(0);
	CHECK_SOON(!prepare_error(1), PATIENT_MS);
	unprepare(1);
	close(fd);
}

static void memory(void)
{
	set_module_parameter("snapshots_per_user", "3");
	run_as(A_USER, drop_what_is_held);
	set_module_parameter("snapshots_per_user", "256");
	set_module_parameter("snapshot_percent_per_user", "1");
	run_as(A_USER, keep_shared_memory);
	run_as(A_USER, keep_private_mappings);
	run_as(A_USER, keep_copies_for_children);
	set_module_parameter("snapshot_percent_per_user", "25");
}

/* Opens its snapshot over TCP until that is refused; at most five times. */
static int opened_before_refusal(void)
{
	const struct mitosis_remote_req name = { module_parameter("machine_id"),
						 ID };
	int fd = open_device(), n;

	for (n = 0; n < 5; n++)
		if (ioctl(fd, MITOSIS_IOC_OPEN_REMOTE, &name) < 0) {
			CHECK_EQ(errno, EUSERS);
			break;
		}
	return n;
}

static void prepare_one(void)
{
	CHECK_EQ(prepare_error(ID), 0);
}

static void open_three(void)
{
	CHECK_EQ(opened_before_refusal(), 3);
}

static void open_five(void)
{
	CHECK_EQ(opened_before_refusal(), 5);
}

static void connect_to_itself(void)
{
	const struct mitosis_connect_req own = { module_parameter("machine_id"), 0,
						 own_address() };

	CHECK_EQ(error_of(ioctl(open_device(), MITOSIS_CONNECT, &own)), 0);
}

static void places(void)
{
	const uint32_t all = MITOSIS_ALL_USERS;

	connect_to_itself();
	run_as(A_USER, prepare_one);
	run_as(ROOT, prepare_one);
	set_module_parameter("connections_per_owner", "3");
	run_as(A_USER, open_three);
	run_as(ROOT, open_five);
	set_module_parameter("connections_per_owner", "2048");
	run_as(A_USER, open_five);
	CHECK_EQ(ioctl(open_device(), MITOSIS_IOC_UNPREPARE_ALL, &all), 2);
}

/* Its children read all of it: 1.4 percent. */
static void prepare_large(void)
{
	const size_t size = thousandths(14);
	pid_t self = getpid();
	char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	CHECK(pages != MAP_FAILED);
	memset(pages, 'l', size);
	CHECK_EQ(prepare_error(ID), 0);
	if (getpid() == self)
		return;
	for (i = 0; i < size && pages[i] == 'l'; i++)
		;
	_exit(i != size);
}

/* Runs a child over TCP; returns how many pages were fetched. */
static unsigned long fetched_by_child(uint32_t flags)
{
	const struct mitosis_remote_req name = { module_parameter("machine_id"),
						 ID };
	const struct mitosis_options options = {
		.flags = flags,
		.prefetch_pages = 16,
	};
	const unsigned long before = kernel_statistics().pages_fetched;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open_device();

		if (!ioctl(fd, MITOSIS_IOC_SET_OPTIONS, &options))
			ioctl(fd, MITOSIS_RESUME_REMOTE, &name);
		_exit(2);
	}
	CHECK_EQ(exit_of(pid), 0);
	return kernel_statistics().pages_fetched - before;
}

/* Of what the first has fetched, one percent is kept. */
static void fetch_twice(void)
{
	const unsigned long page = sysconf(_SC_PAGESIZE);

	CHECK(fetched_by_child(MITOSIS_OPTION_CACHE) >= thousandths(14) / page);
	CHECK(fetched_by_child(MITOSIS_OPTION_CACHE) >= thousandths(4) / page);
}

/* The snapshot is described for it, which takes a page of its user's. */
static void fetch_once(void)
{
	fetched_by_child(0);
}

static void kept_for_children(void)
{
	const uint32_t all = MITOSIS_ALL_USERS;

	connect_to_itself();
	run_as(A_USER, prepare_large);
	run_as(A_USER, fetch_once);
	set_module_parameter("snapshot_percent_per_user", "1");
	run_as(A_USER, fetch_twice);
	set_module_parameter("snapshot_percent_per_user", "25");
	CHECK_EQ(ioctl(open_device(), MITOSIS_IOC_UNPREPARE_ALL, &all), 1);
}

static void *call_stalled(void *device)
{
	const struct mitosis_remote_req nil = { MACHINE, 0 };

	ioctl(*(int *)device, MITOSIS_NIL_RPC, &nil);
	return NULL;
}

/* Threads that wait for the machine that does not answer. */
static void call_it_often(void)
{
	static int device;
	pthread_attr_t small;
	pthread_t thread;
	int i;

	device = open_device();
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	for (i = 0; i < STALLED; i++)
		CHECK(!pthread_create(&thread, &small, call_stalled, &device));
	sleep_ms(1000);
}

static void call_itself(void)
{
	const struct mitosis_remote_req nil = { module_parameter("machine_id"), 0 };

	alarm(ANSWER_S);
	CHECK_EQ(error_of(ioctl(open_device(), MITOSIS_NIL_RPC, &nil)), 0);
}

static void workers(void)
{
	struct machine machine = machine_start(MACHINE);
	const struct mitosis_connect_req there = { MACHINE, 0, machine.address };
	int ready[2];
	pid_t caller;
	char byte;

	connect_to_itself();
	set_module_parameter("deadline_ms", "60000");
	CHECK_EQ(error_of(ioctl(open_device(), MITOSIS_CONNECT, &there)), 0);
	CHECK(!kill(machine.pid, SIGSTOP) && !pipe(ready));
	fflush(stdout);
	caller = fork();
	if (caller == 0) {
		be(A_USER);
		call_it_often();
		CHECK_EQ(write(ready[1], "x", 1), 1);
		pause();
	}
	close(ready[1]);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	run_as(ANOTHER, call_itself);
	CHECK(!kill(caller, SIGKILL));
	status_within(caller, PATIENT_MS);
	CHECK(!kill(machine.pid, SIGCONT));
	set_module_parameter("deadline_ms", "10000");
	machine_stop(&machine);
	close(ready[0]);
}

int main(void)
{
	permit_all_callers();
	memory();
	if (own_address()) {
		places();
		kept_for_children();
		workers();
	} else {
		puts("places, workers and fetched pages left out: need "
		     "MITOSIS_TEST_MODULE_ADDRESS");
	}
	restore_permissions();
	return 0;
}
