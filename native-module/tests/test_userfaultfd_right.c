// SPDX-License-Identifier: Apache-2.0
/*
 * Whether userfaultfd may be used is found out by using it: a filter of system calls, as that
 * of a container engine, and a missing capability are told apart, and named by a resume.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/page_link.h"
#include "tests/harness.h"

#define OTHER_USER 65534
#define UNABLE	   2

static void refuse_by_filter(int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .filter = code,
				      .len = sizeof(code) / sizeof(*code) };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(UNABLE);
}

static void refuse_as_docker(void)
{
	refuse_by_filter(EPERM);
}

static void refuse_as_podman(void)
{
	refuse_by_filter(ENOSYS);
}

static void leave_root(void)
{
	if (setresuid(OTHER_USER, OTHER_USER, OTHER_USER))
		_exit(UNABLE);
}

/* 0 if a process that has done `first` is told `word`, and a resume fails with `part`. */
static int outcome(void (*first)(void), const char *word, const char *part)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (!pid) {
		first();
		if (strcmp(mitosis_userfaultfd(), word)) {
			printf("%s, not %s\n", mitosis_userfaultfd(), word);
			fflush(stdout);
			_exit(1);
		}
		_exit(page_link_open_uffd() >= 0 || !strstr(mitosis_error(), part));
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int main(void)
{
	int fd;

	need_userfaultfd();
	CHECK(!strcmp(mitosis_userfaultfd(), "allowed"));
	fd = page_link_open_uffd();
	CHECK(fd >= 0);
	close(fd);

	if (outcome(refuse_as_docker, "filtered", "--security-opt seccomp=") ==
	    UNABLE)
		skip("needs seccomp filters (CONFIG_SECCOMP_FILTER)");
	CHECK_EQ(outcome(refuse_as_docker, "filtered", "--security-opt seccomp="),
		 0);
	CHECK_EQ(outcome(refuse_as_podman, "filtered", "--cap-add SYS_PTRACE"), 0);
	if (!geteuid())
		CHECK_EQ(outcome(leave_root, "refused", "root or CAP_SYS_PTRACE"),
			 0);
	return 0;
}
