// SPDX-License-Identifier: Apache-2.0
/*
 * The pages of threads: a child gets the signal frame and the control block of each with its first answer, and waits
 * for none of them; what the first child touches first, 8192 pages, the second gets before it asks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/daemon_link.h"
#include "lib/fetch_descriptor.h"
#include "tests/harness.h"

#define ID	  5
#define THREADS	  24
#define RECORDED  8192
#define PAGES	  9000 /* more than are recorded */
#define PAGE	  4096ull
#define CHILD_MS  30000
#define LINE_SIZE 256

static sem_t go, waiting;
static char *memory;

static void *wait_for_child(void *argument)
{
	CHECK(!sem_post(&waiting));
	while (sem_wait(&go))
		CHECK_EQ(errno, EINTR);
	return argument;
}

/* Ends when all threads have gone on. */
static void be_child(const pthread_t *threads)
{
	int i;

	for (i = 0; i < THREADS; i++)
		CHECK(!sem_post(&go));
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(memory[i * PAGE], 1);
	_exit(0);
}

static void prepare(void *argument)
{
	pthread_t threads[THREADS];
	struct mitosis *device;
	int i;

	(void)argument;
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED &&
	      !madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE));
	for (i = 0; i < PAGES; i++)
		memory[i * PAGE] = 1;
	CHECK(!sem_init(&go, 0, 0) && !sem_init(&waiting, 0, 0));
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, wait_for_child, NULL));
	for (i = 0; i < THREADS; i++)
		CHECK(!sem_wait(&waiting));
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF)
		be_child(threads);
}

static void run_child(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		mitosis_resume_local(open_user(), ID);
		printf("%s\n", mitosis_error());
		fflush(stdout);
		_exit(125);
	}
	CHECK_EQ(status_within(pid, CHILD_MS), 0);
}

static struct descriptor_header *descriptor(void)
{
	struct descriptor_header *d;
	struct daemon_link link;
	uint64_t size;
	int stream;

	CHECK_EQ(daemon_link_open(&link), 0);
	CHECK_EQ(daemon_link_attach(&link, ID, ATTACH_ONCE, 0, &stream, NULL, NULL),
		 0);
	CHECK_EQ(fetch_descriptor(stream, "the snapshot", &d, &size), 0);
	close(stream);
	daemon_link_close(&link);
	return d;
}

/* Whether a child must have had the page before it ran. */
static bool is_first(const struct descriptor_header *d, uint64_t page)
{
	const struct descriptor_stopped_thread *t = descriptor_stopped_threads(d);
	uint32_t i;

	for (i = 0; i < d->thread_count - 1; i++)
		if (page == t[i].frame / PAGE * PAGE ||
		    page == t[i].fs_base / PAGE * PAGE)
			return true;
	return false;
}

/* What the second child gets in advance, by the trace. */
static unsigned long long check_trace(const struct descriptor_header *d)
{
	char path[256], line[LINE_SIZE];
	unsigned long long address, set = 0;
	unsigned int faults = 0;
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "%s/mitosis.trace",
		 getenv("MITOSIS_RUNTIME_DIR"));
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, "serves a fault address=");
		if (at && sscanf(at, "serves a fault address=%llx", &address) == 1) {
			faults++;
			CHECK(!is_first(d, address / PAGE * PAGE));
		}
		at = strstr(line, "prefetch_set=");
		if (at)
			set = strtoull(at + strlen("prefetch_set="), NULL, 10);
	}
	fclose(f);
	CHECK(faults > RECORDED / 2);
	return set;
}

int main(void)
{
	struct descriptor_header *d;
	unsigned long long set;
	pid_t parent;

	need_userfaultfd();
	need_namespaces();
	CHECK(!setenv("MITOSIS_TRACE", "2", 1));
	parent = start_waiting(prepare, NULL);
	d = descriptor();
	CHECK_EQ(d->thread_count, THREADS + 1);
	run_child();
	run_child();
	set = check_trace(d);
	if (set != RECORDED) {
		printf("the second child gets %llu pages in advance\n", set);
		return 1;
	}
	free(d);
	kill_and_reap(parent);
	return 0;
}
