// SPDX-License-Identifier: Apache-2.0
/*
 * A process with a filter that ends it for what prepare asks others about is prepared by the
 * kernel module, and has no children: with one thread, and with two.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    38
#define PATIENCE_MS 20000

static bool forbid(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigpending, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]),
					    filter };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void *sleep_on(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static pid_t start_parent(int prepared[2], int go_on[2], bool threaded)
{
	struct mitosis *device = open_kernel();
	pid_t pid = fork();
	char byte;

	if (pid == 0) {
		pthread_t thread;
		int err;

		mitosis_close(device);
		close(prepared[0]);
		close(go_on[1]);
		device = open_kernel();
		/* Such files would be described. */
		CHECK(dup2(prepared[1], STDOUT_FILENO) == STDOUT_FILENO &&
		      dup2(go_on[0], STDIN_FILENO) == STDIN_FILENO);
		close(prepared[1]);
		close(go_on[0]);
		if (threaded && pthread_create(&thread, NULL, sleep_on, NULL))
			_exit(4);
		if (!forbid())
			_exit(1);
		err = mitosis_prepare(device, ID);
		if (write(STDOUT_FILENO, &err, sizeof(err)) != sizeof(err))
			_exit(2);
		_exit(read(STDIN_FILENO, &byte, 1) ? 3 : 0);
	}
	CHECK(pid > 0);
	mitosis_close(device);
	close(prepared[1]);
	close(go_on[0]);
	return pid;
}

static void check(bool threaded)
{
	int prepared[2], go_on[2], err;
	struct mitosis *device;
	pid_t parent;

	CHECK(!pipe(prepared) && !pipe(go_on));
	parent = start_parent(prepared, go_on, threaded);
	CHECK_EQ(read(prepared[0], &err, sizeof(err)), (ssize_t)sizeof(err));
	CHECK_EQ(err, 0);
	device = open_kernel();
	CHECK_EQ(mitosis_resume_local(device, ID), -EOPNOTSUPP);
	mitosis_close(device);
	close(prepared[0]);
	close(go_on[1]);
	CHECK_EQ(status_within(parent, PATIENCE_MS), 0);
}

int main(void)
{
	check(false);
	check(true);
	return 0;
}
