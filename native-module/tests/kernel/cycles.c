// SPDX-License-Identifier: Apache-2.0
/*
 * usage: cycles [COUNT]
 * A process with 32 threads is prepared and resumed COUNT (1000) times; then no memory of the kernel
 * is missing, and no snapshot, child, process or open file is left. A page or a kilobyte of slab in each cycle would be
 * seen. Not among the tests that always run: some minutes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "uapi/mitosis.h"

#define ID	    51
#define THREADS	    32
#define BYTES	    (4ul << 20)
#define WARM_UP	    50
#define DEADLINE_MS 60000

static _Atomic int ready;
static _Atomic int in_child, answered;
static char *memory;

static void *wait_for_child(void *argument)
{
	ready++;
	while (!in_child)
		usleep(1000);
	answered++;
	return argument;
}

/* A child uses all threads, and writes to some of the memory. */
static void go_on_as_child(pthread_t *threads)
{
	unsigned long i;

	for (i = 0; i < BYTES; i += 16 * 4096)
		memory[i]++;
	in_child = 1;
	for (i = 0; i < THREADS - 1; i++)
		if (pthread_join(threads[i], NULL))
			_exit(1);
	_exit(answered == THREADS - 1 ? 0 : 2);
}

/* In a process of its own, whose end gives back what it holds. */
static void run_cycles(int count)
{
	struct mitosis *device = open_kernel();
	pthread_t threads[THREADS - 1];
	int i, status;

	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	memset(memory, 'm', BYTES);
	for (i = 0; i < THREADS - 1; i++)
		CHECK(!pthread_create(&threads[i], NULL, wait_for_child, NULL));
	CHECK_SOON(ready == THREADS - 1, 20000);
	for (i = 0; i < count; i++) {
		pid_t pid;

		CHECK_EQ(mitosis_prepare(device, ID), 0);
		if (mitosis_nil(device) == -EBADF)
			go_on_as_child(threads);
		pid = start_kernel_child(ID, 16);
		status = status_within(pid, DEADLINE_MS);
		CHECK_EQ(status, 0);
		CHECK_EQ(mitosis_unprepare(device, ID), 0);
	}
	exit(0);
}

static void run(int count)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		run_cycles(count);
	CHECK_EQ(status_within(pid, DEADLINE_MS + 1000 * count), 0);
}

struct kernel_memory {
	long free_kib, slab_kib;
};

static long read_kib(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "re");
	size_t length = strlen(name);
	char line[256];
	long value = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, length) && line[length] == ':')
			value = atol(line + length + 1);
	CHECK(value >= 0);
	fclose(f);
	return value;
}

/* Without what the kernel keeps for the case that it is needed again. */
static struct kernel_memory measure(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	sync();
	sleep(2); /* what RCU and work items free later */
	CHECK(write(fd, "3", 1) == 1);
	close(fd);
	sleep(1);
	return (struct kernel_memory){ read_kib("MemFree"), read_kib("SUnreclaim") };
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1000;
	struct kernel_memory before, after;
	int files, processes;

	CHECK(count > 0);
	mitosis_close(open_kernel());
	if (getuid() != 0)
		skip("needs root");
	need_namespaces();
	run(WARM_UP);
	files = fd_count(getpid());
	processes = child_count();
	before = measure();
	run(count);
	after = measure();
	printf("%d cycles: MemFree %ld -> %ld KiB, SUnreclaim %ld -> %ld KiB\n",
	       count, before.free_kib, after.free_kib, before.slab_kib,
	       after.slab_kib);
	CHECK_EQ(kernel_statistics().snapshots, 0);
	CHECK_EQ(kernel_statistics().children, 0);
	CHECK_EQ(fd_count(getpid()), files);
	CHECK_EQ(child_count(), processes);
	/* Half of what a page in each cycle would be, and 4 MiB for what varies with few. */
	CHECK(before.free_kib - after.free_kib < 2 * count + 4096);
	CHECK(after.slab_kib - before.slab_kib < count + 1024);
	return 0;
}
