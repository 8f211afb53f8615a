// SPDX-License-Identifier: Apache-2.0
/*
 * Shared memory without a file is part of the snapshot, and is shared in a child: by all
 * its mappings of one memfd, by its threads, and by what it forks. Neither the parent nor
 * another child sees what a child writes, nor the child what they write. A child of the
 * module has the bytes in each mapping, and none of them is shared.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define PAGES	10
#define SIZE	(PAGES * PAGE)
#define LARGE	(32 * MIB)
#define DROPPED 3

struct shared {
	sem_t asked, answered;
	char text[PAGE];
};

static struct shared *shared;
static char *whole, *tail, *view, *sparse;

static void *run(void *argument)
{
	shared->text[1] = *(char *)argument;
	return NULL;
}

/* In bytes; from /proc/self/status. */
static long resident_shared(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	CHECK(status);
	while (fgets(line, sizeof(line), status))
		sscanf(line, "RssShmem: %ld", &kib);
	fclose(status);
	return kib * 1024;
}

static void check_what_is_forked(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		CHECK_EQ(sem_wait(&shared->asked), 0);
		shared->text[0] = whole[PAGE] + 1;
		tail[2 * PAGE] = 'f';
		CHECK_EQ(sem_post(&shared->answered), 0);
		_exit(0);
	}
	whole[PAGE] = 'c';
	CHECK_EQ(sem_post(&shared->asked), 0);
	CHECK_EQ(sem_wait(&shared->answered), 0);
	CHECK_EQ(shared->text[0], 'd');
	CHECK_EQ(whole[6 * PAGE], 'f');
	CHECK_ENDS_WELL(pid);
}

#define THING "shared memory, among a child and what it forks"

/* It is told so. */
static void check_child_of_module(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		whole[PAGE] = shared->text[0] = 'f';
		_exit(0);
	}
	CHECK_ENDS_WELL(pid);
	CHECK_EQ(target_differs(whole, 0, SIZE, 1), -1);
	CHECK_EQ(shared->text[0], 0);
	tail[PAGE] = whole[5 * PAGE] ^ 1;
	CHECK_EQ(target_differs(whole, 0, SIZE, 1), -1);
	CHECK(target_report_has("shared memory: not shared"));
	target_child_has(THING, "told");
}

int main(void)
{
	int fd = memfd_create("of two mappings", MFD_CLOEXEC);
	char letter = 't';
	int number;
	pthread_t thread;

	CHECK(fd >= 0 && !ftruncate(fd, SIZE));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	whole = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tail = mmap(NULL, SIZE - 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    4 * PAGE);
	view = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	sparse = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(shared != MAP_FAILED && whole != MAP_FAILED && tail != MAP_FAILED &&
	      view != MAP_FAILED && sparse != MAP_FAILED);
	/* Open and mapped, it would be two objects in a child: that is refused. */
	CHECK(!close(fd));
	CHECK_EQ(sem_init(&shared->asked, 1, 0), 0);
	CHECK_EQ(sem_init(&shared->answered, 1, 0), 0);
	target_fill(whole, SIZE, 1);
	memcpy(sparse + LARGE / 2, "sparse", 6);
	view[PAGE] = 'v';
	target_overwrites(whole, SIZE);
	target_overwrites(sparse + LARGE / 2, PAGE);
	/* Numbers that a process could choose for the memfds of a child. */
	for (number = 1000; number < 1008; number++)
		CHECK_EQ(dup2(STDOUT_FILENO, number), number);
	target_prepare();

	CHECK_EQ(target_differs(whole, 0, SIZE, 1), -1);
	CHECK(!memcmp(whole + 4 * PAGE, tail, SIZE - 4 * PAGE));
	/* A private mapping of it, with a page of its own. */
	CHECK_EQ(view[PAGE], 'v');
	CHECK_EQ(target_differs(view, 2 * PAGE, SIZE - 2 * PAGE, 1), -1);
	if (target_child_is_modules()) {
		check_child_of_module();
		return 0;
	}
	/* What is dropped is still there. */
	CHECK_EQ(madvise(whole, SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(target_differs(whole, 0, SIZE, 1), -1);
	/* What is removed is not. */
	CHECK_EQ(madvise(whole + DROPPED * PAGE, PAGE, MADV_REMOVE), 0);
	CHECK_EQ(target_not_zero(whole + DROPPED * PAGE, PAGE), -1);
	tail[PAGE] = 'a';
	CHECK_EQ(whole[5 * PAGE], 'a');
	whole[7 * PAGE + 1] = 'b';
	CHECK_EQ(tail[3 * PAGE + 1], 'b');
	check_what_is_forked();
	CHECK_EQ(pthread_create(&thread, NULL, run, &letter), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(shared->text[1], 't');
	CHECK(!memcmp(sparse + LARGE / 2, "sparse", 6));
	CHECK(resident_shared() < (long)MIB);
	CHECK_EQ(target_not_zero(sparse, LARGE / 2), -1);
	target_child_has(THING, "kept");
	return 0;
}
