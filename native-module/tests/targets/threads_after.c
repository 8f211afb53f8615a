// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that a child starts: eight of them fetch, write and unmap memory at
 * once, under a mutex and a condition of the parent's.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "tests/targets/target.h"

#define THREADS 8
#define SHARE	MIB
#define HOLE	(8 * PAGE)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_here = PTHREAD_COND_INITIALIZER;
static __thread int own = 5;
static char *m, *common;
static int here, done;

static void read_common(void)
{
	CHECK_EQ(target_differs(common, 0, SHARE, 2), -1);
}

/* Reads it, drops and writes pages of it, and unmaps it hole by hole. */
static void use_up(long index)
{
	char *share = m + index * SHARE;
	size_t hole;
	int round;

	CHECK_EQ(target_differs(m, index * SHARE, SHARE / 2, 1), -1);
	for (round = 0; round < 20; round++) {
		CHECK(!madvise(share, (round + 1) * PAGE, MADV_DONTNEED));
		CHECK_EQ(target_not_zero(share, (round + 1) * PAGE), -1);
		memset(share, 7, PAGE);
	}
	CHECK_EQ(target_differs(m, index * SHARE + SHARE / 2, SHARE / 2, 1), -1);
	for (hole = 0; hole < SHARE; hole += 2 * HOLE)
		CHECK(!munmap(share + hole, HOLE));
	CHECK(!munmap(share, SHARE));
}

static void *work(void *argument)
{
	long index = (long)argument;

	pthread_mutex_lock(&mutex);
	if (++here == THREADS)
		pthread_cond_broadcast(&all_here);
	while (here < THREADS)
		pthread_cond_wait(&all_here, &mutex);
	pthread_mutex_unlock(&mutex);
	CHECK_EQ(own, 5);
	own = index;
	/* The pages of all, while others unmap theirs. */
	if (index % 2)
		read_common();
	use_up(index);
	read_common();
	CHECK_EQ(own, index);
	pthread_mutex_lock(&mutex);
	done++;
	pthread_mutex_unlock(&mutex);
	return (void *)(index * 3);
}

int main(void)
{
	pthread_t threads[THREADS];
	void *result;
	long i;

	m = mmap(NULL, THREADS * SHARE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	common = mmap(NULL, SHARE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m != MAP_FAILED && common != MAP_FAILED);
	target_fill(m, THREADS * SHARE, 1);
	target_fill(common, SHARE, 2);
	target_overwrites(m, THREADS * SHARE);
	target_overwrites(common, SHARE);
	target_prepare();

	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, work, (void *)i));
	for (i = 0; i < THREADS; i++) {
		CHECK(!pthread_join(threads[i], &result));
		CHECK_EQ((long)result, i * 3);
	}
	CHECK_EQ(done, THREADS);
	return 0;
}
