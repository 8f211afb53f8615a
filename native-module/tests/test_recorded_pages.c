// SPDX-License-Identifier: Apache-2.0
/*
 * Pages that the first child of a snapshot touched arrive at a later one without a fault, in the order in which
 * that one touched them first, also while faults of many threads are queued all the time: a batch of them before
 * each fault.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/harness.h"

#define PAGE	    4096
#define HANDLER_ID  5
#define DEADLINE_MS 60000
#define ORDER	    77 /* number of an open file of each child */
#define THREADS	    64

/* Every second page takes a fault of its own, as a window has two. */
#define RECORDED 4096
#define OTHERS	 8192
/* Pages whose order is that of their addresses. */
#define BATCH 64

/*
 * Faults of other pages before the last recorded one is there: one after each batch, of 64 pages. The
 * recording has further ones, of stacks and libraries; each thread may wait for one page more.
 */
#define FAULTS_MAX (RECORDED / BATCH + 16 + THREADS)

static char *recorded, *others;
static pthread_barrier_t go;
static _Atomic int next;
static int pagemap;

static bool is_present(int page)
{
	uintptr_t address = (uintptr_t)recorded + 2l * page * PAGE;
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry), address / PAGE * sizeof(entry)) !=
	    sizeof(entry))
		_exit(3);
	return entry >> 63;
}

/* The page that is touched as the i-th one: each once, neighbours far apart. */
static int touched(int i)
{
	return (int)(i * 2731l % RECORDED);
}

/*
 * Of a page that has come, all that were touched a batch before it, and earlier, have come. Returns how many of the
 * last ones are to come.
 */
static int check_order(void)
{
	int last = RECORDED - 1, i;

	while (last >= 0 && !is_present(touched(last)))
		last--;
	for (i = 0; i <= last - BATCH; i++)
		if (!is_present(touched(i)))
			_exit(9);
	return RECORDED - 1 - last;
}

static void *touch_others(void *argument)
{
	int page;

	pthread_barrier_wait(&go);
	while (!is_present(touched(RECORDED - 1)) && (page = next++) < OTHERS)
		if (others[2l * page * PAGE] != 'o')
			_exit(4);
	pthread_barrier_wait(&go);
	return argument;
}

/* The first child touches what is recorded; the next one everything else. */
static void __attribute__((noreturn)) be_child(void)
{
	char order;
	int i;

	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0 || read(ORDER, &order, 1) != 1)
		_exit(5);
	if (order == 'r') {
		for (i = 0; i < RECORDED; i++)
			if (recorded[2l * touched(i) * PAGE] != 'r')
				_exit(6);
		_exit(0);
	}
	pthread_barrier_wait(&go);
	while (check_order() && next < OTHERS)
		;
	pthread_barrier_wait(&go);
	for (i = 0; i < RECORDED; i++)
		if (!is_present(i) || recorded[2l * i * PAGE] != 'r')
			_exit(7);
	if (next > FAULTS_MAX)
		printf("%d faults were served first, at most %d expected\n", next,
		       FAULTS_MAX);
	fflush(stdout);
	_exit(next > FAULTS_MAX ? 8 : 0);
}

static char *map(int pages, char byte)
{
	const size_t size = 2l * pages * PAGE;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && !madvise(p, size, MADV_NOHUGEPAGE));
	memset(p, byte, size);
	return p;
}

static void prepare(void *argument)
{
	struct mitosis *device = open_user();
	pthread_t thread;
	int i;

	(void)argument;
	recorded = map(RECORDED, 'r');
	others = map(OTHERS, 'o');
	CHECK(!pthread_barrier_init(&go, NULL, THREADS + 1));
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread, NULL, touch_others, NULL));
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) == -EBADF)
		be_child();
}

static void run_child(char order)
{
	const struct mitosis_resume_options options = { .prefetch_pages = 2 };
	struct mitosis *device;
	int ends[2];
	pid_t pid;

	CHECK(!pipe2(ends, O_CLOEXEC) && write(ends[1], &order, 1) == 1);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		device = open_user();
		dup2(ends[0], ORDER);
		CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
		mitosis_resume_local(device, HANDLER_ID);
		printf("%s\n", mitosis_error());
		fflush(stdout);
		_exit(125);
	}
	close(ends[0]);
	close(ends[1]);
	CHECK_EQ(status_within(pid, DEADLINE_MS), 0);
}

int main(void)
{
	pid_t parent;

	need_userfaultfd();
	need_namespaces();
	parent = start_waiting(prepare, NULL);
	run_child('r');
	run_child('o');
	kill_and_reap(parent);
	return 0;
}
