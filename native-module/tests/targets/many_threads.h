/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the targets with many threads do. THREADS, this one included, compute, wait for a condition,
 * or sleep; in a child all go on, each with its id, its memory and its sum.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#include "tests/targets/target.h"

static struct self {
	pthread_t thread;
	pid_t tid;
	uint64_t sum, rounds;
} selves[THREADS];

static _Atomic int in_child, ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static __thread struct self *own;

static void wait_a_little(void)
{
	const struct timespec tick = { .tv_nsec = 5000000 };

	nanosleep(&tick, NULL);
}

static void *be_one_of_many(void *argument)
{
	struct self *s = own = argument;
	int kind = (s - selves) % 16;

	s->tid = syscall(SYS_gettid);
	ready++;
	if (kind == 0) {
		/* These few keep both CPUs busy enough. */
		while (!in_child) {
			s->sum += ++s->rounds;
			if (s->rounds % 1000 == 0)
				wait_a_little();
		}
	} else if (kind == 1) {
		while (!in_child)
			wait_a_little();
	} else {
		pthread_mutex_lock(&lock);
		while (!in_child)
			pthread_cond_wait(&condition, &lock);
		pthread_mutex_unlock(&lock);
	}
	CHECK(own == s);
	CHECK_EQ(syscall(SYS_gettid), s->tid);
	CHECK_EQ(s->sum, s->rounds * (s->rounds + 1) / 2);
	return s;
}

/* Those of the parent, of its children (tests/run-targets), and some processes beside. */
#define THREADS_AT_ONCE (THREADS * (THREADS > 1000 ? 2 : 3) + 16)

static void *wait_for_lock(void *argument)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return argument;
}

/* Whatever limits them: kernel.threads-max, pids.max of a control group, ulimit -u. */
static void need_room(const pthread_attr_t *attributes)
{
	static pthread_t threads[THREADS_AT_ONCE];
	int count = 0, err = 0;

	pthread_mutex_lock(&lock);
	while (!err && count < THREADS_AT_ONCE) {
		err = pthread_create(&threads[count], attributes, wait_for_lock,
				     NULL);
		count += !err;
	}
	pthread_mutex_unlock(&lock);
	while (count--)
		CHECK_EQ(pthread_join(threads[count], NULL), 0);
	if (err == EAGAIN)
		target_skip("limits of processes (kernel.threads-max, pids.max, "
			    "ulimit -u) that allow its and its children's threads");
	CHECK_EQ(err, 0);
}

/* Returns as main does. */
static inline int run_many_threads(void)
{
	pthread_attr_t attributes;
	void *result;
	int i;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 << 10);
	need_room(&attributes);
	for (i = 1; i < THREADS; i++)
		CHECK_EQ(pthread_create(&selves[i].thread, &attributes,
					be_one_of_many, &selves[i]),
			 0);
	while (ready < THREADS - 1)
		wait_a_little();
	target_prepare();

	pthread_mutex_lock(&lock);
	in_child = 1;
	pthread_cond_broadcast(&condition);
	pthread_mutex_unlock(&lock);
	for (i = 1; i < THREADS; i++) {
		CHECK_EQ(pthread_join(selves[i].thread, &result), 0);
		CHECK(result == &selves[i]);
	}
	return 0;
}
