// SPDX-License-Identifier: Apache-2.0
/*
 * What fails once the caller's memory has gone ends the process with status 125 and a
 * message that names the thing, its place and the kernel's error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/restore.h"
#include "tests/harness.h"

#define ID	    73
#define SIZE	    (7777 * 4096) /* of no other mapping */
#define PATIENCE_MS 20000
#define FAILED	    (125 << 8) /* wait status */

/* Has mmap(2) of this size fail, which no check in advance can find out. */
static void refuse_mapping(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIZE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(77);
}

int main(void)
{
	struct mitosis *device;
	char message[4096], place[64];
	int ends[2], status;
	ssize_t n;
	char *m;
	pid_t pid;

	/* The texts lie among the code, ahead of the plan. */
	CHECK(__stop_restorer - __start_restorer <= (long)RESTORER_CODE_SIZE);
	need_userfaultfd();
	device = open_user();
	m = mmap(NULL, SIZE + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m != MAP_FAILED);
	/* Its neighbours have other rights, so that it stays a mapping of its own. */
	m += 4096;
	CHECK(!mprotect(m, SIZE, PROT_READ | PROT_WRITE));
	m[0] = 'm';
	CHECK(!pipe(ends));
	fflush(stdout);
	pid = getpid();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != pid)
		_exit(0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		device = open_user();
		refuse_mapping();
		mitosis_resume_local(device, ID);
		puts(mitosis_error());
		fflush(stdout);
		_exit(100);
	}
	close(ends[1]);
	status = status_within(pid, PATIENCE_MS);
	if (status == 77 << 8)
		skip("a kernel with seccomp filters");
	CHECK_EQ(status, FAILED);
	n = read(ends[0], message, sizeof(message) - 1);
	CHECK(n > 0);
	message[n] = '\0';
	printf("%s", message);
	snprintf(place, sizeof(place), "cannot map memory at %lx-%lx: errno %d\n",
		 (unsigned long)m, (unsigned long)m + SIZE, ENOMEM);
	CHECK(strstr(message, place));
	mitosis_close(device);
	return 0;
}
