// SPDX-License-Identifier: Apache-2.0
/*
 * What the C library registers with the kernel for a thread is the child's:
 * rseq's cpu number, the robust list, the tid, the name.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

static void check_rseq(void)
{
	const struct rseq *area;
	int cpu, again;

	if (!__rseq_size)
		return;
	area = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			continue;
		CHECK_EQ(*(volatile uint32_t *)&area->cpu_id, cpu);
		CHECK_EQ(sched_getcpu(), cpu);
		CHECK(!syscall(SYS_getcpu, &again, NULL, NULL));
		CHECK_EQ(again, cpu);
	}
}

/* The kernel walks the list of the process that dies with the lock held. */
static void check_robust_list(const pthread_mutexattr_t *attributes)
{
	pthread_mutex_t *robust = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(robust != MAP_FAILED);
	CHECK(!pthread_mutex_init(robust, attributes));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		pthread_mutex_lock(robust);
		_exit(0);
	}
	CHECK_ENDS_WELL(pid);
	CHECK_EQ(pthread_mutex_lock(robust), EOWNERDEAD);
	CHECK(!pthread_mutex_consistent(robust));
	CHECK(!pthread_mutex_unlock(robust));
}

static void *leave_locked(void *mutex)
{
	pthread_mutex_lock(mutex);
	return NULL;
}

int main(void)
{
	pthread_mutex_t checked, own = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutexattr_t attributes;
	pthread_t self = pthread_self(), thread;
	void *list = NULL, *found = NULL;
	int *tid_address = NULL;
	char name[16] = "";
	size_t size;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&checked, &attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&own, &attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	CHECK(!syscall(SYS_get_robust_list, 0, &list, &size));
	CHECK(!prctl(PR_SET_NAME, "of-the-parent"));
	target_prepare();

	CHECK(pthread_equal(self, pthread_self()));
	CHECK_EQ(gettid(), getpid());
	CHECK(!prctl(PR_GET_TID_ADDRESS, &tid_address));
	CHECK_EQ(*tid_address, gettid());
	CHECK(!prctl(PR_GET_NAME, name));
	CHECK(!strcmp(name, "of-the-parent"));
	CHECK(!syscall(SYS_get_robust_list, 0, &found, &size));
	CHECK(found == list);
	check_rseq();

	CHECK(!pthread_mutex_lock(&checked));
	CHECK_EQ(pthread_mutex_lock(&checked), EDEADLK);
	CHECK(!pthread_mutex_unlock(&checked));
	CHECK_EQ(pthread_mutex_unlock(&checked), EPERM);
	CHECK(!pthread_create(&thread, NULL, leave_locked, &own));
	CHECK(!pthread_join(thread, NULL));
	CHECK_EQ(pthread_mutex_lock(&own), EOWNERDEAD);
	check_robust_list(&attributes);
	CHECK(!pthread_kill(self, 0));
	target_child_has("name of the process (PR_SET_NAME)", "kept");
	target_child_has("robust list, rseq", "kept");
	target_child_has("process id", "fresh");
	return 0;
}
