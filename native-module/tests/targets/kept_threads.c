// SPDX-License-Identifier: Apache-2.0
/*
 * All threads of a process go on in its children: those that compute, with their vector
 * registers; those that wait for a lock, a condition, a barrier, a time; with their ids,
 * names, signal masks, thread-local memory and alternate stacks.
 */
#include <immintrin.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/targets/target.h"

static _Atomic int in_child, ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive, robust;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static __thread uint64_t own;
static _Atomic int usr1_seen;

/* Of one thread: what it was in the parent and must be in a child. */
struct self {
	pthread_t thread;
	pid_t tid;
	uint64_t seed;
	char name[16];
};

static void remember(struct self *s, uint64_t seed)
{
	s->seed = own = seed;
	s->tid = syscall(SYS_gettid);
	snprintf(s->name, sizeof(s->name), "worker-%d", (int)seed);
	prctl(PR_SET_NAME, s->name);
	ready++;
}

static void *check_self(struct self *s)
{
	char name[16];

	CHECK_EQ(own, s->seed);
	CHECK_EQ(syscall(SYS_gettid), s->tid);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK(!strcmp(name, s->name));
	CHECK(pthread_equal(pthread_self(), s->thread));
	return s;
}

/* A product of vectors that only stays right if the registers do. */
static void *compute(void *argument)
{
	struct self *s = argument;
	__m128i sum, step;
	uint64_t rounds = 0, lanes[2];
	long double x87 = 1;

	remember(s, 1);
	sum = _mm_set_epi64x(7, 5);
	step = _mm_set_epi64x(3, 2);
	while (!in_child) {
		sum = _mm_add_epi64(sum, step);
		__asm__ volatile("" : "+x"(sum), "+x"(step));
		x87 += 0.5L;
		rounds++;
	}
	_mm_storeu_si128((void *)lanes, sum);
	CHECK_EQ(lanes[0], 5 + 2 * rounds);
	CHECK_EQ(lanes[1], 7 + 3 * rounds);
	CHECK(x87 == 1 + 0.5L * rounds);
	return check_self(s);
}

static void *wait_for_condition(void *argument)
{
	struct self *s = argument;

	pthread_mutex_lock(&lock);
	remember(s, 10);
	while (!in_child)
		pthread_cond_wait(&condition, &lock);
	pthread_mutex_unlock(&lock);
	return check_self(s);
}

static void *wait_for_lock(void *argument)
{
	struct self *s = argument;

	remember(s, 20);
	pthread_mutex_lock(&held);
	CHECK(in_child);
	pthread_mutex_unlock(&held);
	return check_self(s);
}

static void *wait_for_barrier(void *argument)
{
	struct self *s = argument;

	remember(s, 30);
	pthread_barrier_wait(&barrier);
	CHECK(in_child);
	return check_self(s);
}

static void *wait_for_writer(void *argument)
{
	struct self *s = argument;

	remember(s, 40);
	pthread_rwlock_rdlock(&rwlock);
	CHECK(in_child);
	pthread_rwlock_unlock(&rwlock);
	return check_self(s);
}

static void *wait_for_semaphore(void *argument)
{
	struct self *s = argument;

	remember(s, 50);
	while (sem_wait(&semaphore))
		CHECK_EQ(errno, EINTR);
	CHECK(in_child);
	return check_self(s);
}

static void *sleep_a_little(void *argument)
{
	struct self *s = argument;
	struct timespec tick = { .tv_nsec = 2000000 };

	remember(s, 60);
	while (!in_child)
		nanosleep(&tick, NULL);
	return check_self(s);
}

static void on_usr1(int signal)
{
	char here;
	stack_t stack;

	(void)signal;
	CHECK_EQ(sigaltstack(NULL, &stack), 0);
	CHECK(&here >= (char *)stack.ss_sp &&
	      &here < (char *)stack.ss_sp + stack.ss_size);
	usr1_seen++;
}

/* Has a mask and an alternate stack of its own. */
static void *wait_for_signal(void *argument)
{
	static char stack[65536];
	struct self *s = argument;
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	sigset_t mask, now;

	CHECK_EQ(sigaltstack(&alternate, NULL), 0);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	remember(s, 70);
	while (!usr1_seen)
		poll(NULL, 0, 5);
	CHECK(in_child);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	CHECK_EQ(sigismember(&now, SIGUSR2), 1);
	CHECK_EQ(sigismember(&now, SIGUSR1), 0);
	return check_self(s);
}

/* Dies with a robust mutex in its hands, once it is a child's thread. */
static void *die_with_lock(void *argument)
{
	struct self *s = argument;
	struct timespec tick = { .tv_nsec = 2000000 };

	pthread_mutex_lock(&robust);
	remember(s, 80);
	while (!in_child)
		nanosleep(&tick, NULL);
	return check_self(s);
}

static void init_mutex(pthread_mutex_t *mutex, int type, int robustness)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, type);
	pthread_mutexattr_setrobust(&attributes, robustness);
	CHECK_EQ(pthread_mutex_init(mutex, &attributes), 0);
}

/* Those of the C library, too, by which prepare stops threads. */
static uint64_t blocked_signals(void)
{
	uint64_t mask = 0;

	CHECK_EQ(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask)),
		 0);
	return mask;
}

int main(void)
{
	static void *(*const bodies[])(void *) = {
		compute,
		compute,
		wait_for_condition,
		wait_for_condition,
		wait_for_lock,
		wait_for_barrier,
		wait_for_writer,
		wait_for_semaphore,
		sleep_a_little,
		wait_for_signal,
		die_with_lock,
	};
	enum { COUNT = sizeof(bodies) / sizeof(bodies[0]) };
	static struct self selves[COUNT];
	struct sigaction action = { .sa_handler = on_usr1, .sa_flags = SA_ONSTACK };
	pid_t pid = getpid(), tid = syscall(SYS_gettid);
	uint64_t mask = blocked_signals();
	void *result;
	int i;

	sigaction(SIGUSR1, &action, NULL);
	init_mutex(&recursive, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
	init_mutex(&robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
	pthread_barrier_init(&barrier, NULL, 2);
	sem_init(&semaphore, 0, 0);
	pthread_mutex_lock(&held);
	pthread_mutex_lock(&recursive);
	pthread_rwlock_wrlock(&rwlock);
	for (i = 0; i < COUNT; i++)
		CHECK_EQ(pthread_create(&selves[i].thread, NULL, bodies[i],
					&selves[i]),
			 0);
	while (ready < COUNT)
		usleep(1000);
	usleep(10000);
	target_prepare();

	CHECK_EQ(getpid(), pid);
	CHECK_EQ(syscall(SYS_gettid), tid);
	CHECK_EQ(blocked_signals(), mask);
	CHECK_EQ(ready, COUNT);
	in_child = 1;
	pthread_cond_broadcast(&condition);
	CHECK_EQ(pthread_mutex_unlock(&held), 0);
	/* Its owner is this thread, by the id in it. */
	CHECK_EQ(pthread_mutex_lock(&recursive), 0);
	CHECK_EQ(pthread_mutex_unlock(&recursive), 0);
	CHECK_EQ(pthread_mutex_unlock(&recursive), 0);
	CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
	CHECK_EQ(sem_post(&semaphore), 0);
	CHECK_EQ(pthread_kill(selves[COUNT - 2].thread, SIGUSR1), 0);
	pthread_barrier_wait(&barrier);
	for (i = 0; i < COUNT; i++) {
		CHECK_EQ(pthread_join(selves[i].thread, &result), 0);
		CHECK(result == &selves[i]);
	}
	CHECK_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
	/* New threads get ids that no other has. */
	ready = 0;
	CHECK_EQ(pthread_create(&selves[0].thread, NULL, sleep_a_little, &selves[0]),
		 0);
	CHECK_EQ(pthread_join(selves[0].thread, &result), 0);
	CHECK(selves[0].tid != tid);
	target_child_has("threads (registers, ids, names, signal masks)", "kept");
	return 0;
}
