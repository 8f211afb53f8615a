// SPDX-License-Identifier: Apache-2.0
/*
 * Prepare stops all threads or says which one it could not stop; in either case they go on.
 * `test_thread_stop NAME` runs one case.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/harness.h"

#define CASE_MS	   60000
#define THREADS	   100
#define SNAPSHOTS  200
#define RUN_EACH   20
#define MAKERS	   4
#define HANDLER_ID 1

enum stop_case {
	COME_AND_GO,
	JUST_JOINED,
	MANY_THREADS,
	FEW_FILES,
	LONG_READ,
	IN_VFORK,
	BLOCKS_THE_SIGNAL,
	BLOCKS_IT_FOR_ANOTHER,
	UNDER_PTRACE,
	TWO_PREPARE,
	SETS_THE_USER,
	ENDS_WHILE_THE_USER_IS_SET,
	PROC_OF_ANOTHER_NAMESPACE,
	STOP_CASES
};

static _Atomic int end, rounds, passed;

/* Whose prepare waits for threads that a busy machine lets run only after seconds. */
static struct mitosis *open_patient(void)
{
	const struct mitosis_prepare_options options = {
		.size = sizeof(options),
		.stop_ms = CASE_MS / 3,
	};
	struct mitosis *device = open_user();

	CHECK_EQ(mitosis_set_prepare_options(device, &options), 0);
	return device;
}

static void prepare_and_drop(struct mitosis *device)
{
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
}

static void *nothing(void *argument)
{
	return argument;
}

/* Makes threads that end at once. */
static void *make_threads(void *argument)
{
	while (!end) {
		pthread_t thread;

		CHECK(!pthread_create(&thread, NULL, nothing, NULL));
		CHECK(!pthread_join(thread, NULL));
		rounds++;
	}
	return argument;
}

static pthread_t makers[MAKERS];

/* Those that make threads go on; then they end. */
static void end_makers(void)
{
	int i, before = rounds;

	CHECK_SOON(rounds > before + 20, CASE_MS / 2);
	end = 1;
	for (i = 0; i < MAKERS; i++)
		CHECK(!pthread_join(makers[i], NULL));
}

/* What each snapshot holds can be run: some are. */
static void come_and_go(void)
{
	struct mitosis *device = open_patient();
	bool lazy = !strcmp(mitosis_userfaultfd(), "allowed");
	bool may_run = has_namespaces();
	int i;

	for (i = 0; i < MAKERS; i++)
		CHECK(!pthread_create(&makers[i], NULL, make_threads, NULL));
	for (i = 0; i < SNAPSHOTS; i++) {
		CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
		if (mitosis_nil(device) == -EBADF) {
			end_makers();
			_exit(0);
		}
		if (may_run && i % RUN_EACH == 0)
			CHECK_EQ(run_in_mode(HANDLER_ID, CASE_MS / 2,
					     lazy && i % (2 * RUN_EACH)
						     ? MITOSIS_RESUME_LAZY
						     : MITOSIS_RESUME_CLONE),
				 0);
		CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
	}
	end_makers();
	mitosis_close(device);
}

/* The kernel may still list a thread whose end pthread_join() has told. */
static void just_joined(void)
{
	struct mitosis_contents contents = { .size = sizeof(contents) };
	struct mitosis *device = open_user();
	int i;

	for (i = 0; i < SNAPSHOTS / 4; i++) {
		pthread_t thread;

		CHECK(!pthread_create(&thread, NULL, nothing, NULL));
		CHECK(!pthread_join(thread, NULL));
		CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
		CHECK_EQ(mitosis_list_contents(device, HANDLER_ID, &contents), 0);
		CHECK_EQ(contents.threads, 1);
		CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
	}
	mitosis_close(device);
}

static void *count_rounds(void *argument)
{
	while (!end) {
		rounds++;
		usleep(1000);
	}
	return argument;
}

static void many_threads(void)
{
	struct mitosis *device = open_patient();
	pthread_t threads[THREADS];
	int i, before;

	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, count_rounds, NULL));
	for (i = 0; i < 20; i++)
		prepare_and_drop(device);
	before = rounds;
	CHECK_SOON(rounds > before + 2 * THREADS, CASE_MS / 2);
	end = 1;
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	mitosis_close(device);
}

/* How often this thread has read files, or -1. */
static long own_reads(void)
{
	FILE *f = fopen("/proc/thread-self/io", "re");
	char line[128];
	long reads = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "syscr: %ld", &reads);
	if (f)
		fclose(f);
	return reads;
}

/* While they stand still, no file is read for each of them, also where signals are queued: here for a timer. */
static void few_files(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1 };
	struct mitosis *device = open_user();
	pthread_t threads[THREADS];
	timer_t timer;
	long before;
	int i;

	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, count_rounds, NULL));
	prepare_and_drop(device);
	before = own_reads();
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	CHECK(own_reads() - before < THREADS / 2);
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
	end = 1;
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK(!timer_delete(timer));
	mitosis_close(device);
}

/* A read that waits is begun again and misses nothing. */
static void *read_byte(void *argument)
{
	char byte = 0;

	rounds = 1;
	CHECK_EQ(read(*(int *)argument, &byte, 1), 1);
	CHECK_EQ(byte, 'x');
	return argument;
}

static void long_read(void)
{
	struct mitosis *device = open_user();
	pthread_t thread;
	int ends[2];

	CHECK(!pipe(ends));
	CHECK(!pthread_create(&thread, NULL, read_byte, &ends[0]));
	CHECK_SOON(rounds, 20000);
	usleep(10000);
	prepare_and_drop(device);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK(!pthread_join(thread, NULL));
	mitosis_close(device);
}

/* Waits for a byte in a child, for which the thread waits in the kernel. */
static void *in_vfork_thread(void *argument)
{
	const int *ends = argument;
	char byte;
	pid_t pid;

	rounds = 1;
	pid = vfork();
	if (pid == 0) {
		syscall(SYS_read, ends[0], &byte, 1);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	passed = 1;
	return argument;
}

static void refused(struct mitosis *device, const char *text)
{
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), -ETIMEDOUT);
	check_error_has(text);
	CHECK_EQ(find_snapshot(device, HANDLER_ID).handler_id, 0);
}

static void in_vfork(void)
{
	struct mitosis *device = open_user();
	pthread_t thread;
	int ends[2];

	CHECK(!pipe2(ends, O_CLOEXEC));
	CHECK(!pthread_create(&thread, NULL, in_vfork_thread, ends));
	CHECK_SOON(rounds, 20000);
	usleep(10000);
	refused(device, "vfork");
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK(!pthread_join(thread, NULL));
	CHECK(passed);
	close(ends[0]);
	close(ends[1]);
	prepare_and_drop(device);
	mitosis_close(device);
}

static void *block_all(void *argument)
{
	uint64_t all = ~0ull;

	CHECK(!pthread_setname_np(pthread_self(), "blocker"));
	CHECK(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)));
	rounds = 1;
	while (!end)
		usleep(1000);
	return argument;
}

static void blocks_the_signal(void)
{
	struct mitosis *device = open_user();
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, block_all, NULL));
	CHECK_SOON(rounds, 20000);
	refused(device, "blocks signal 33");
	check_error_has("blocker");
	end = 1;
	CHECK(!pthread_join(thread, NULL));
	prepare_and_drop(device);
	mitosis_close(device);
}

static bool is_stop_pending(void)
{
	uint64_t pending = 0;

	CHECK(!syscall(SYS_rt_sigpending, &pending, sizeof(pending)));
	return pending >> 32 & 1;
}

/*
 * With the signal blocked, until another thread has run after that one was to stop: so glibc ends a thread amid
 * another's setuid().
 */
static void *wait_for_another(void *argument)
{
	uint64_t all = ~0ull, before;
	int seen;

	CHECK(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all)));
	passed = 1;
	while (!is_stop_pending())
		usleep(100);
	usleep(5000);
	seen = rounds;
	while (rounds == seen)
		usleep(100);
	CHECK(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(all)));
	return argument;
}

static void blocks_it_for_another(void)
{
	struct mitosis *device = open_user();
	pthread_t threads[2];
	int i;

	CHECK(!pthread_create(&threads[0], NULL, count_rounds, NULL));
	CHECK(!pthread_create(&threads[1], NULL, wait_for_another, NULL));
	CHECK_SOON(passed, 20000);
	prepare_and_drop(device);
	end = 1;
	for (i = 0; i < 2; i++)
		CHECK(!pthread_join(threads[i], NULL));
	mitosis_close(device);
}

static void *report_tid(void *argument)
{
	*(_Atomic pid_t *)argument = syscall(SYS_gettid);
	while (!end)
		usleep(1000);
	return argument;
}

/* A tracer that has stopped one thread of its parent, until its input closes. */
static pid_t trace(pid_t tid, int ready, int input)
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	if (ptrace(PTRACE_SEIZE, tid, 0, 0) || ptrace(PTRACE_INTERRUPT, tid, 0, 0) ||
	    waitpid(tid, NULL, __WALL) != tid)
		_exit(1);
	if (write(ready, "r", 1) != 1)
		_exit(1);
	_exit(read(input, &byte, 1) ? 1 : 0);
}

static void under_ptrace(void)
{
	struct mitosis *device = open_user();
	_Atomic pid_t tid = 0;
	pthread_t thread;
	int ready[2], input[2];
	pid_t tracer;
	char byte;

	CHECK(!pipe2(ready, O_CLOEXEC) && !pipe2(input, O_CLOEXEC));
	CHECK(!pthread_create(&thread, NULL, report_tid, &tid));
	CHECK_SOON(tid, 20000);
	tracer = trace(tid, ready[1], input[0]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		skip("a process that may trace its parent");
	refused(device, "debugger");
	kill(tracer, SIGKILL);
	CHECK_EQ(waitpid(tracer, NULL, 0), tracer);
	prepare_and_drop(device);
	end = 1;
	CHECK(!pthread_join(thread, NULL));
	mitosis_close(device);
}

static void *prepare_often(void *argument)
{
	struct mitosis *device = open_patient();
	uint32_t id = *(uint32_t *)argument;
	int i;

	for (i = 0; i < 50; i++) {
		CHECK_EQ(mitosis_prepare(device, id), 0);
		CHECK_EQ(mitosis_unprepare(device, id), 0);
	}
	mitosis_close(device);
	return argument;
}

static void two_prepare(void)
{
	uint32_t ids[2] = { 5, 6 };
	pthread_t threads[2];
	int i;

	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&threads[i], NULL, prepare_often, &ids[i]));
	for (i = 0; i < 2; i++)
		CHECK(!pthread_join(threads[i], NULL));
}

/* glibc uses the same signal to change the user of all threads. */
static void *set_user(void *argument)
{
	while (!end) {
		CHECK_EQ(setresgid(-1, getegid(), -1), 0);
		rounds++;
		/* Threads that only wake each other keep mitosisd and shadows from a busy CPU for seconds. */
		usleep(100);
	}
	return argument;
}

static void sets_the_user(void)
{
	struct mitosis *device = open_patient();
	pthread_t threads[2];
	int i;

	CHECK(!pthread_create(&threads[0], NULL, set_user, NULL));
	CHECK(!pthread_create(&threads[1], NULL, count_rounds, NULL));
	for (i = 0; i < 50; i++)
		prepare_and_drop(device);
	end = 1;
	for (i = 0; i < 2; i++)
		CHECK(!pthread_join(threads[i], NULL));
	mitosis_close(device);
}

/* A thread that ends then waits, with all signals blocked, until that is done. */
static void ends_while_the_user_is_set(void)
{
	struct mitosis *device = open_patient();
	pthread_t thread;
	int i;

	CHECK(!pthread_create(&thread, NULL, set_user, NULL));
	for (i = 0; i < MAKERS; i++)
		CHECK(!pthread_create(&makers[i], NULL, make_threads, NULL));
	for (i = 0; i < SNAPSHOTS; i++)
		prepare_and_drop(device);
	end_makers();
	CHECK(!pthread_join(thread, NULL));
	mitosis_close(device);
}

static void prepare_with_threads(void)
{
	struct mitosis_contents contents = { .size = sizeof(contents) };
	struct mitosis *device = open_user();
	pthread_t threads[MAKERS];
	int i;

	for (i = 0; i < MAKERS; i++)
		CHECK(!pthread_create(&threads[i], NULL, count_rounds, NULL));
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	CHECK_EQ(mitosis_list_contents(device, HANDLER_ID, &contents), 0);
	CHECK_EQ(contents.threads, 1 + MAKERS);
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
	end = 1;
	for (i = 0; i < MAKERS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	mitosis_close(device);
}

/* In which threads have other ids than those that system calls take here: so in some containers. */
static void proc_of_another_namespace(void)
{
	struct mitosis *device;
	pid_t pid;

	if (!has_namespaces()) {
		puts("PID namespace left out: " NAMESPACES_NEEDED);
		return;
	}
	device = open_user(); /* mitosisd is not in the namespace */
	CHECK(!unshare(CLONE_NEWPID));
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prepare_with_threads();
		exit(0);
	}
	CHECK_EQ(status_within(pid, CASE_MS / 2), 0);
	mitosis_close(device);
}

static const struct test_case cases[STOP_CASES] = {
	[COME_AND_GO] = { "come_and_go", come_and_go },
	[JUST_JOINED] = { "just_joined", just_joined },
	[MANY_THREADS] = { "many_threads", many_threads },
	[FEW_FILES] = { "few_files", few_files },
	[LONG_READ] = { "long_read", long_read },
	[IN_VFORK] = { "in_vfork", in_vfork },
	[BLOCKS_THE_SIGNAL] = { "blocks_the_signal", blocks_the_signal },
	[BLOCKS_IT_FOR_ANOTHER] = { "blocks_it_for_another", blocks_it_for_another },
	[UNDER_PTRACE] = { "under_ptrace", under_ptrace },
	[TWO_PREPARE] = { "two_prepare", two_prepare },
	[SETS_THE_USER] = { "sets_the_user", sets_the_user },
	[ENDS_WHILE_THE_USER_IS_SET] = { "ends_while_the_user_is_set",
					 ends_while_the_user_is_set },
	[PROC_OF_ANOTHER_NAMESPACE] = { "proc_of_another_namespace",
					proc_of_another_namespace },
};

int main(int argc, char **argv)
{
	return run_cases(cases, STOP_CASES, CASE_MS, argc > 1 ? argv[1] : NULL);
}
