// SPDX-License-Identifier: Apache-2.0
/*
 * The signal by which prepare stops threads can be chosen, by an option or by MITOSIS_STOP_SIGNAL: one that the
 * program uses is refused by name, and what others send by it does what it did before, with two copies of the
 * library in the process, too.
 * `test_stop_signal NAME` runs one case.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/harness.h"

#define CASE_MS	   60000
#define HANDLER_ID 1
#define OF_GLIBC   33
#define CHOSEN	   40
#define AT_ONCE	   10 /* prepares of each of two copies */

enum signal_case {
	RANGE,
	CHOSEN_STOPS,
	IN_USE,
	BLOCKED,
	OF_OTHERS,
	WHOLE_STOP,
	TWO_COPIES,
	SIGNAL_CASES
};

static _Atomic int blocks, end, handled;

static int choose(struct mitosis *device, uint32_t signal, uint32_t stop_ms)
{
	const struct mitosis_prepare_options options = {
		.size = sizeof(options),
		.stop_ms = stop_ms,
		.stop_signal = signal,
	};

	return mitosis_set_prepare_options(device, &options);
}

/* glibc's own, too. */
static uint64_t blocked_signals(void)
{
	uint64_t mask = 0;

	CHECK(!syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask)));
	return mask;
}

static void prepare_and_drop(struct mitosis *device)
{
	uint64_t mask = blocked_signals();

	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	CHECK_EQ(blocked_signals(), mask);
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
}

/* Blocks the signals of the mask until the test ends. */
static void *block(void *mask)
{
	CHECK(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL,
		       sizeof(uint64_t)));
	blocks = 1;
	while (!end)
		usleep(1000);
	return mask;
}

static pthread_t start_blocking(uint64_t *mask)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, block, mask));
	CHECK_SOON(blocks, 20000);
	return thread;
}

static void range(void)
{
	static const char *const wrong[] = { "31",  "65",    "-40",
					     "40x", "forty", "4294967336" };
	struct mitosis *device = open_user(), *other;
	size_t i;

	CHECK_EQ(choose(device, 31, 0), -EINVAL);
	check_error_has("got 31");
	CHECK_EQ(choose(device, 65, 0), -EINVAL);
	check_error_has("32 to 64");
	CHECK_EQ(choose(device, 32, 0), 0);
	CHECK_EQ(choose(device, 64, 0), 0);
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		CHECK(!setenv("MITOSIS_STOP_SIGNAL", wrong[i], 1));
		CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &other), -EINVAL);
		check_error_has("MITOSIS_STOP_SIGNAL");
		check_error_has(wrong[i]);
	}
	CHECK(!setenv("MITOSIS_STOP_SIGNAL", "", 1));
	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &other), 0);
	mitosis_close(other);
	mitosis_close(device);
}

/* A thread that only the chosen one reaches. */
static void chosen_stops(void)
{
	uint64_t mask = 1ull << (OF_GLIBC - 1);
	pthread_t thread = start_blocking(&mask);
	struct mitosis *device = open_user();
	int i;

	CHECK_EQ(choose(device, 0, 50), 0);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), -ETIMEDOUT);
	check_error_has("because it blocks signal 33");
	CHECK_EQ(choose(device, CHOSEN, 0), 0);
	for (i = 0; i < 5; i++)
		prepare_and_drop(device);
	mitosis_close(device);

	CHECK(!setenv("MITOSIS_STOP_SIGNAL", "41", 1));
	device = open_user();
	prepare_and_drop(device);
	/* The option counts, and 0 is what the environment says. */
	CHECK_EQ(choose(device, OF_GLIBC, 50), 0);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), -ETIMEDOUT);
	CHECK_EQ(choose(device, 0, 0), 0);
	prepare_and_drop(device);
	end = 1;
	CHECK(!pthread_join(thread, NULL));
	mitosis_close(device);
}

static void on_signal(int signal)
{
	(void)signal;
	handled++;
}

static void refused(struct mitosis *device, const char *how)
{
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), -EADDRINUSE);
	check_error_has("signal 40");
	check_error_has(how);
	check_error_has("MITOSIS_STOP_SIGNAL");
}

static void in_use(void)
{
	uint64_t none = 0;
	pthread_t thread = start_blocking(&none);
	struct mitosis *device = open_user();

	CHECK_EQ(choose(device, CHOSEN, 0), 0);
	CHECK(signal(CHOSEN, on_signal) != SIG_ERR);
	refused(device, "has a handler of the program");
	CHECK(!raise(CHOSEN) && handled == 1);
	CHECK(signal(CHOSEN, SIG_IGN) == on_signal);
	refused(device, "is ignored");
	CHECK(signal(CHOSEN, SIG_DFL) == SIG_IGN);
	prepare_and_drop(device);
	/* Whatever the program sets later counts, too. */
	CHECK(signal(CHOSEN, on_signal) != SIG_ERR);
	refused(device, "has a handler of the program");
	CHECK_EQ(choose(device, 0, 0), 0);
	prepare_and_drop(device);
	CHECK(!raise(CHOSEN) && handled == 2);
	end = 1;
	CHECK(!pthread_join(thread, NULL));
	mitosis_close(device);
}

static void blocked(void)
{
	uint64_t mask = 1ull << (CHOSEN - 1);
	pthread_t thread = start_blocking(&mask);
	struct mitosis *device = open_user();

	CHECK_EQ(choose(device, CHOSEN, 50), 0);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), -ETIMEDOUT);
	check_error_has("because it blocks signal 40");
	end = 1;
	CHECK(!pthread_join(thread, NULL));
	prepare_and_drop(device);
	mitosis_close(device);
}

/* In a process with a thread that has been stopped by it: what another sends ends that, as before. */
static void be_ended(void)
{
	const union sigval value = { .sival_int = 1 };
	uint64_t none = 0;
	struct mitosis *device;

	start_blocking(&none);
	device = open_user();
	CHECK_EQ(choose(device, CHOSEN, 0), 0);
	prepare_and_drop(device);
	CHECK(!sigqueue(getpid(), CHOSEN, value));
	for (;;)
		pause();
}

static void of_others(void)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0)
		be_ended();
	status = status_within(pid, CASE_MS / 2);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == CHOSEN);
}

/* The mask is given up by the one who sends a byte. */
static void *block_until_told(void *end_of_pipe)
{
	uint64_t mask = ~0ull, none = 0;
	char byte;

	CHECK(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask)));
	blocks = 1;
	CHECK_EQ(read(*(int *)end_of_pipe, &byte, 1), 1);
	CHECK(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)));
	while (!end)
		usleep(1000);
	return NULL;
}

static bool is_pending_in(pid_t process, const char *thread)
{
	unsigned long long pending = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", process, thread);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "SigPnd: %llx", &pending);
	if (f)
		fclose(f);
	return pending >> (OF_GLIBC - 1) & 1;
}

/* Whether prepare waits for a thread. */
static bool waits(pid_t process)
{
	struct dirent *entry;
	bool found = false;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", process);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		found |= *entry->d_name != '.' &&
			 is_pending_in(process, entry->d_name);
	if (tasks)
		closedir(tasks);
	return found;
}

/* The whole process is stopped for longer than its threads may take to stop: that does not count. */
static void whole_stop(void)
{
	int told[2];
	pid_t pid;

	CHECK(!pipe2(told, O_CLOEXEC));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct mitosis *device;
		pthread_t thread;

		CHECK(!pthread_create(&thread, NULL, block_until_told, &told[0]));
		CHECK_SOON(blocks, 20000);
		device = open_user();
		CHECK_EQ(choose(device, 0, 2000), 0);
		prepare_and_drop(device);
		_exit(0);
	}
	CHECK_SOON(waits(pid), 20000);
	CHECK(!kill(pid, SIGSTOP));
	sleep_ms(2200);
	CHECK(!kill(pid, SIGCONT));
	CHECK_EQ(write(told[1], "x", 1), 1);
	CHECK_EQ(status_within(pid, CASE_MS / 2), 0);
}

/* The library beside the one that this program is linked with. */
static struct {
	int (*open)(int backend, struct mitosis **device);
	int (*prepare)(struct mitosis *device, uint32_t handler_id);
	int (*unprepare)(struct mitosis *device, uint32_t handler_id);
	void (*close)(struct mitosis *device);
} copy;

static void open_copy(void)
{
	char path[512];
	void *library;

	snprintf(path, sizeof(path), "%s/libmitosis.so",
		 getenv("MITOSIS_TEST_BIN") ?: ".");
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		skip("needs libmitosis.so in MITOSIS_TEST_BIN");
	*(void **)&copy.open = dlsym(library, "mitosis_open");
	*(void **)&copy.prepare = dlsym(library, "mitosis_prepare");
	*(void **)&copy.unprepare = dlsym(library, "mitosis_unprepare");
	*(void **)&copy.close = dlsym(library, "mitosis_close");
	CHECK(copy.open && copy.prepare && copy.unprepare && copy.close);
	CHECK((void *)copy.open != (void *)mitosis_open);
}

static void prepare_by_copy(struct mitosis *device)
{
	CHECK_EQ(copy.prepare(device, HANDLER_ID + 1), 0);
	CHECK_EQ(copy.unprepare(device, HANDLER_ID + 1), 0);
}

/* At the same time as the other: each stops the thread that stops the others. */
static void *prepare_often(void *device)
{
	int i;

	for (i = 0; i < AT_ONCE; i++)
		prepare_by_copy(device);
	return NULL;
}

/* Each takes the signal from the other: glibc's own still reaches glibc, and each stop its own. */
static void two_copies(void)
{
	uint64_t none = 0;
	pthread_t thread = start_blocking(&none), other;
	struct mitosis *device = open_user(), *second;
	int i;

	open_copy();
	CHECK_EQ(copy.open(MITOSIS_BACKEND_USER, &second), 0);
	for (i = 0; i < 3; i++) {
		prepare_and_drop(device);
		CHECK(!setresuid(-1, -1, -1));
		prepare_by_copy(second);
		CHECK(!setresuid(-1, -1, -1));
	}
	CHECK(!pthread_create(&other, NULL, prepare_often, second));
	for (i = 0; i < AT_ONCE; i++)
		prepare_and_drop(device);
	CHECK(!pthread_join(other, NULL));
	CHECK(!setresuid(-1, -1, -1));
	end = 1;
	CHECK(!pthread_join(thread, NULL));
	copy.close(second);
	mitosis_close(device);
}

static const struct test_case cases[SIGNAL_CASES] = {
	[RANGE] = { "range", range },
	[CHOSEN_STOPS] = { "chosen_stops", chosen_stops },
	[IN_USE] = { "in_use", in_use },
	[BLOCKED] = { "blocked", blocked },
	[OF_OTHERS] = { "of_others", of_others },
	[WHOLE_STOP] = { "whole_stop", whole_stop },
	[TWO_COPIES] = { "two_copies", two_copies },
};

int main(int argc, char **argv)
{
	return run_cases(cases, SIGNAL_CASES, CASE_MS, argc > 1 ? argv[1] : NULL);
}
