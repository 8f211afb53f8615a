// SPDX-License-Identifier: Apache-2.0
/*
 * The options of prepare: a caller of an earlier or later release is understood; a thread that does not
 * stop is named in the time that was set; children do without the open files that are left out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/harness.h"

#define CASE_MS	   60000
#define HANDLER_ID 1

enum option_case { SIZES, STOP_MS, LEFT_OUT, OPTION_CASES };

/* Lies behind the struct of this release. */
struct later_options {
	struct mitosis_prepare_options known;
	uint64_t more;
};

static _Atomic int blocks, end;

static void sizes(void)
{
	struct mitosis *device = open_user();
	struct later_options o = { .known.size = sizeof(o) };
	struct mitosis_prepare_options *known = &o.known;
	int32_t number = 2;

	CHECK_EQ(mitosis_set_prepare_options(device, NULL), -EINVAL);
	CHECK_EQ(mitosis_set_prepare_options(device, known), 0);
	o.more = 1;
	CHECK_EQ(mitosis_set_prepare_options(device, known), -E2BIG);
	check_error_has("set the others to 0");
	known->size = 0;
	CHECK_EQ(mitosis_set_prepare_options(device, known), -EINVAL);
	check_error_has("options of prepare must say their size");

	/* An earlier release's: what lies behind is not looked at. */
	known->size = offsetof(struct mitosis_prepare_options, left_out_count);
	known->left_out_count = MITOSIS_LEFT_OUT_MAX + 1;
	CHECK_EQ(mitosis_set_prepare_options(device, known), 0);
	known->size = sizeof(*known);
	CHECK_EQ(mitosis_set_prepare_options(device, known), -E2BIG);
	known->left_out_count = 1;
	CHECK_EQ(mitosis_set_prepare_options(device, known), -EINVAL);
	check_error_has("have no numbers");
	known->left_out = &number;
	CHECK_EQ(mitosis_set_prepare_options(device, known), -EINVAL);
	check_error_has("got 2");
	number = 3;
	CHECK_EQ(mitosis_set_prepare_options(device, known), 0);
	known->stop_signal = 1;
	CHECK_EQ(mitosis_set_prepare_options(device, known), -EINVAL);
	known->stop_signal = 0;
	known->stop_ms = 60001;
	CHECK_EQ(mitosis_set_prepare_options(device, known), -EINVAL);
	mitosis_close(device);
}

static void *block_all(void *argument)
{
	uint64_t all = ~0ull;

	CHECK(!syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)));
	blocks = 1;
	while (!end)
		usleep(1000);
	return argument;
}

/* What is refused leaves the time as it was. */
static void stop_ms(void)
{
	struct mitosis_prepare_options options = {
		.size = sizeof(options),
		.stop_ms = 57,
	};
	struct mitosis *device = open_user();
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, block_all, NULL));
	CHECK_SOON(blocks, 20000);
	CHECK_EQ(mitosis_set_prepare_options(device, &options), 0);
	options.stop_ms = 60001;
	CHECK_EQ(mitosis_set_prepare_options(device, &options), -EINVAL);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), -ETIMEDOUT);
	check_error_has("did not stop within 57 ms");
	end = 1;
	CHECK(!pthread_join(thread, NULL));
	options.stop_ms = 0;
	CHECK_EQ(mitosis_set_prepare_options(device, &options), 0);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	mitosis_close(device);
}

/*
 * A process that cannot have children because of two of its open files: one of a kind that cannot be
 * made again, and one that is open for writing. An epoll watches a third, a pipe.
 */
static void prepare_without_files(void *argument)
{
	char path[200], byte;
	struct epoll_event event = { .events = EPOLLIN };
	struct mitosis *device = open_user();
	int32_t left_out[4], kept[2];
	struct mitosis_prepare_options options = {
		.size = sizeof(options),
		.left_out_count = *(const int *)argument,
		.left_out = left_out,
	};
	int i, epoll = epoll_create1(EPOLL_CLOEXEC);

	snprintf(path, sizeof(path), "%s/written", getenv("MITOSIS_RUNTIME_DIR"));
	CHECK(!pipe(kept) && write(kept[1], "k", 1) == 1);
	left_out[0] = syscall(SYS_pidfd_open, getpid(), 0);
	left_out[1] = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	CHECK(left_out[0] >= 0 && left_out[1] >= 0 && !pipe(&left_out[2]));
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, left_out[2], &event));
	CHECK_EQ(mitosis_set_prepare_options(device, &options), 0);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) != -EBADF)
		return;
	for (i = 0; i < 4; i++)
		CHECK(fcntl(left_out[i], F_GETFD) < 0 && errno == EBADF);
	CHECK(read(kept[0], &byte, 1) == 1 && byte == 'k');
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	_exit(0);
}

static void left_out(void)
{
	int count = 4;
	pid_t parent = start_waiting(prepare_without_files, &count);
	struct mitosis *device = open_user();
	int status;

	CHECK_EQ(run_in_mode(HANDLER_ID, CASE_MS / 2, MITOSIS_RESUME_CLONE), 0);
	if (geteuid() == 0)
		CHECK_EQ(run_in_mode(HANDLER_ID, CASE_MS / 2, MITOSIS_RESUME_LAZY),
			 0);
	kill_and_reap(parent);
	CHECK_SOON(!find_snapshot(device, HANDLER_ID).handler_id, 20000);

	/* With them there are none. */
	count = 0;
	parent = start_waiting(prepare_without_files, &count);
	status = run_in_mode(HANDLER_ID, CASE_MS / 2, MITOSIS_RESUME_CLONE);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 125);
	kill_and_reap(parent);
	mitosis_close(device);
}

static const struct test_case cases[OPTION_CASES] = {
	[SIZES] = { "sizes", sizes },
	[STOP_MS] = { "stop_ms", stop_ms },
	[LEFT_OUT] = { "left_out", left_out },
};

int main(int argc, char **argv)
{
	return run_cases(cases, OPTION_CASES, CASE_MS, argc > 1 ? argv[1] : NULL);
}
