// SPDX-License-Identifier: Apache-2.0
/*
 * Resumes that are refused before the caller loses its memory, each with its errno
 * and a message. `test_refused_resume NAME` runs one case.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/fault_child.h"

#define CASE_MS 60000

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

enum refusal {
	UNKNOWN_ID,
	CALLER_HAS_THREADS,
	ADDRESS_SPACE_LIMIT,
	DATA_LIMIT,
	LIMIT_AFTER_ATTACH,
	PARENT_HAS_FILTER,
	CALLER_IS_SEALED,
	CALLER_REFUSES_EXECUTION,
	NO_RIGHT,
	BAD_ARGUMENTS,
	REFUSALS
};

static void unknown_id(void)
{
	struct mitosis *device = open_user();
	char message[512];

	CHECK_EQ(mitosis_resume_local(device, 4711), -ENOENT);
	CHECK(strstr(mitosis_error(), "4711"));
	CHECK_EQ(failed_child("4711", message, sizeof(message)), 1 << 8);
	CHECK(strstr(message, "mitosis-child: ") && strstr(message, "4711"));
	mitosis_close(device);
}

static void *wait_to_end(void *barrier)
{
	pthread_barrier_wait(barrier);
	return NULL;
}

static void caller_has_threads(void)
{
	struct mitosis *device = prepare(1, two_halves);
	pthread_barrier_t end;
	pthread_t thread;

	pthread_barrier_init(&end, NULL, 2);
	CHECK(!pthread_create(&thread, NULL, wait_to_end, &end));
	CHECK_EQ(mitosis_resume_local(device, 1), -EINVAL);
	CHECK(strstr(mitosis_error(), "2 threads"));
	pthread_barrier_wait(&end);
	pthread_join(thread, NULL);
	mitosis_close(device);
}

static void address_space_limit(void)
{
	const size_t size = 512u << 20;
	const struct rlimit limit = { size / 2, size / 2 };
	void *much = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const uint32_t modes[] = { MITOSIS_RESUME_LAZY, MITOSIS_RESUME_EAGER };
	struct mitosis *device = prepare(1, two_halves), *own;
	size_t i;
	pid_t pid;

	CHECK(much != MAP_FAILED && !munmap(much, size));
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const struct mitosis_resume_options options = { modes[i], 1 };

		pid = fork();
		CHECK(pid >= 0);
		if (pid) {
			CHECK_EQ(status_within(pid, CASE_MS), 0);
			continue;
		}
		own = open_user();
		CHECK_EQ(mitosis_set_resume_options(own, &options), 0);
		CHECK(!setrlimit(RLIMIT_AS, &limit));
		CHECK_EQ(mitosis_resume_local(own, 1), -ENOMEM);
		check_error_has("ulimit -v");
		_exit(0);
	}
	mitosis_close(device);
}

static int end_at_once(void)
{
	return 0;
}

/* With memory that the children may not have. */
static struct mitosis *prepare_with_much(size_t size, int protection)
{
	void *much = mmap(NULL, size, protection,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct mitosis *device = prepare(1, end_at_once);

	CHECK(much != MAP_FAILED && !munmap(much, size));
	return device;
}

/* What is only read does not count. */
static void data_limit(void)
{
	const size_t size = 512u << 20;
	const struct rlimit limit = { size / 2, size / 2 };
	const int protections[] = { PROT_READ | PROT_WRITE, PROT_READ };
	int i;

	for (i = 0; i < 2; i++) {
		struct mitosis *device = prepare_with_much(size, protections[i]);
		struct mitosis *own;
		char message[512];
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid) {
			CHECK_EQ(status_within(pid, CASE_MS), 0);
			mitosis_close(device);
			continue;
		}
		CHECK(!setrlimit(RLIMIT_DATA, &limit));
		if (i) {
			CHECK_EQ(failed_child("1", message, sizeof(message)), 0);
			_exit(0);
		}
		own = open_user();
		CHECK_EQ(mitosis_resume_local(own, 1), -ENOMEM);
		check_error_has("ulimit -d");
		_exit(0);
	}
}

/* A process that was forked for a container has other limits than the one before. */
static void limit_after_attach(void)
{
	const size_t size = 512u << 20;
	const struct rlimit limit = { size / 2, size / 2 };
	struct mitosis *device = prepare_with_much(size, PROT_READ | PROT_WRITE);
	const int resources[] = { RLIMIT_AS, RLIMIT_DATA };
	struct mitosis_attachment *attachment;
	int i;

	CHECK_EQ(mitosis_attach_local(device, 1, &attachment), 0);
	for (i = 0; i < 2; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid) {
			CHECK_EQ(status_within(pid, CASE_MS), 0);
			continue;
		}
		CHECK(!setrlimit(resources[i], &limit));
		CHECK_EQ(mitosis_resume_attached(attachment), -ENOMEM);
		check_error_has(i ? "ulimit -d" : "ulimit -v");
		_exit(0);
	}
	mitosis_detach(attachment);
	mitosis_close(device);
}

/* It lets everything pass: which one it is does not count. */
static void parent_has_filter(void)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog filter = { 1, &pass };
	struct mitosis *own = open_user(), *device;
	char message[512];
	pid_t pid;

	if (prctl(PR_GET_SECCOMP))
		skip("a test that runs without a seccomp filter");
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
			_exit(77);
		device = open_user();
		CHECK_EQ(mitosis_prepare_pinned(device, 2), 0);
		_exit(0);
	}
	CHECK_EQ(end_of(pid), 0);
	CHECK_EQ(mitosis_resume_local(own, 2), -EPERM);
	check_error_has("seccomp filter");
	CHECK_EQ(failed_child("2", message, sizeof(message)), 1 << 8);
	CHECK(strstr(message, "seccomp filter"));
	/* One that has a filter itself may: in a container of Docker all have. */
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
			_exit(77);
		device = open_user();
		mitosis_resume_local(device, 2); /* the child exits with 0 */
		puts(mitosis_error());
		_exit(1);
	}
	CHECK_EQ(end_of(pid), 0);
	CHECK_EQ(mitosis_unprepare(own, 2), 0);
	mitosis_close(own);
}

/* It could not be unmapped. */
static void caller_is_sealed(void)
{
	const size_t size = 16 << 12;
	struct mitosis *device = prepare(1, two_halves);
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		struct mitosis *own = open_user();
		void *sealed = mmap(NULL, size, PROT_READ,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(sealed != MAP_FAILED);
		if (syscall(SYS_mseal, sealed, size, 0)) {
			puts("caller_is_sealed left out: needs mseal");
			exit(0);
		}
		CHECK_EQ(mitosis_resume_local(own, 1), -EPERM);
		check_error_has("mseal");
		_exit(0);
	}
	CHECK_EQ(end_of(pid), 0);
	mitosis_close(device);
}

/* Linux 6.3. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE		 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1UL
#endif

static void caller_refuses_execution(void)
{
	struct mitosis *own, *device = open_user();

	CHECK_EQ(mitosis_prepare(device, 1), 0);
	/* Not in a child, which there should not be. */
	CHECK_EQ(mitosis_nil(device), 0);
	own = open_user();
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)) {
		puts("caller_refuses_execution left out: needs Linux 6.3");
	} else {
		CHECK_EQ(mitosis_resume_local(own, 1), -EACCES);
		check_error_has("PR_SET_MDWE");
	}
	mitosis_close(own);
	mitosis_close(device);
}

static void drop_capability(int capability)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	CHECK(!syscall(SYS_capget, &header, data));
	data[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
	data[CAP_TO_INDEX(capability)].permitted &= ~CAP_TO_MASK(capability);
	CHECK(!syscall(SYS_capset, &header, data));
}

/* Owner and caller have the same rights, which are not enough for userfaultfd. */
static void no_right(void)
{
	struct mitosis *device;
	pid_t pid;

	if (geteuid()) {
		puts("no_right left out: needs root");
		return;
	}
	drop_capability(CAP_SYS_PTRACE);
	device = prepare(1, two_halves);
	pid = fork();
	if (pid == 0) {
		struct mitosis *own = open_user();

		CHECK_EQ(mitosis_resume_local(own, 1), -EPERM);
		CHECK(strstr(mitosis_error(), "CAP_SYS_PTRACE"));
		mitosis_close(own);
		exit(0);
	}
	CHECK_EQ(end_of(pid), 0);
	mitosis_close(device);
}

static int run_helper(char *const argv[])
{
	char path[512];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/mitosis-child", getenv("MITOSIS_TEST_BIN"));
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(path, argv);
		_exit(127);
	}
	return end_of(pid);
}

static void bad_arguments(void)
{
	char *wrong[][4] = {
		{ "mitosis-child", "--prefetch", "3", NULL },
		{ "mitosis-child", "--prefetch", "1024", NULL },
		{ "mitosis-child", "--mode", "slow", NULL },
		{ "mitosis-child", "--handler-id", "-1", NULL },
		{ "mitosis-child", "--handler-id", "4294967296", NULL },
		{ "mitosis-child", "--remote", "", NULL },
		{ "mitosis-child", "--no-such", NULL, NULL },
		{ "mitosis-child", "extra", NULL, NULL },
	};
	char *help[] = { "mitosis-child", "--help", NULL };
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_EQ(run_helper(wrong[i]), 2 << 8);
	CHECK_EQ(run_helper(help), 0);
}

static const struct test_case cases[REFUSALS] = {
	[UNKNOWN_ID] = { "unknown_id", unknown_id },
	[CALLER_HAS_THREADS] = { "caller_has_threads", caller_has_threads },
	[ADDRESS_SPACE_LIMIT] = { "address_space_limit", address_space_limit },
	[DATA_LIMIT] = { "data_limit", data_limit },
	[LIMIT_AFTER_ATTACH] = { "limit_after_attach", limit_after_attach },
	[PARENT_HAS_FILTER] = { "parent_has_filter", parent_has_filter },
	[CALLER_IS_SEALED] = { "caller_is_sealed", caller_is_sealed },
	[CALLER_REFUSES_EXECUTION] = { "caller_refuses_execution",
				       caller_refuses_execution },
	[NO_RIGHT] = { "no_right", no_right },
	[BAD_ARGUMENTS] = { "bad_arguments", bad_arguments },
};

int main(int argc, char **argv)
{
	set_up("refusals");
	return run_cases(cases, REFUSALS, CASE_MS, argc > 1 ? argv[1] : NULL);
}
