// SPDX-License-Identifier: Apache-2.0
/*
 * A process that waits in a page fault is killed, and no other: its number in its own
 * PID namespace is that of an unrelated process in this one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/faulting_process.h"
#include "tests/harness.h"

#define DEADLINE_MS 10000

static size_t page;
static char *memory; /* registered with a userfaultfd; never filled */

/* Reads the next event of one kind. */
static struct uffd_msg next_event(int uffd, int event)
{
	struct pollfd p = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	do {
		CHECK(poll(&p, 1, DEADLINE_MS) == 1);
		CHECK(read(uffd, &msg, sizeof(msg)) == sizeof(msg));
	} while (msg.event != event);
	return msg;
}

static int forked_uffd(int uffd)
{
	return next_event(uffd, UFFD_EVENT_FORK).arg.fork.ufd;
}

static int register_memory(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_THREAD_ID,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	CHECK(uffd >= 0 && !ioctl(uffd, UFFDIO_API, &api));
	memory = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	r.range.start = (uintptr_t)memory;
	r.range.len = 4 * page;
	CHECK(!ioctl(uffd, UFFDIO_REGISTER, &r));
	return uffd;
}

/* The first process of a PID namespace forks one with a given number, which faults. */
static void __attribute__((noreturn)) be_first(pid_t number)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&number,
		.set_tid_size = 1,
	};
	int status;
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(*(volatile char *)(memory + page));
	_exit(pid == number && waitpid(pid, &status, 0) == pid &&
			      WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
		      ? 0
		      : 1);
}

struct first {
	pid_t number, pid;
};

/* In a namespace of its own. fork() returns once the other thread has read its event. */
static void *start_first(void *argument)
{
	struct first *first = argument;
	CHECK(!unshare(CLONE_NEWPID));
	first->pid = fork();
	if (first->pid == 0)
		be_first(first->number);
	return NULL;
}

static pid_t start_bystander(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	CHECK(pid > 0);
	return pid;
}

int main(void)
{
	pid_t bystander;
	struct first first;
	int uffd, first_uffd, faulting_uffd, i;
	struct uffd_msg fault;
	pthread_t thread;

	need_userfaultfd();
	page = sysconf(_SC_PAGESIZE);
	need_namespaces();
	bystander = start_bystander();
	first.number = bystander;
	uffd = register_memory();
	CHECK(!pthread_create(&thread, NULL, start_first, &first));
	first_uffd = forked_uffd(uffd);
	CHECK(!pthread_join(thread, NULL));
	faulting_uffd = forked_uffd(first_uffd);
	fault = next_event(faulting_uffd, UFFD_EVENT_PAGEFAULT);
	/* What makes a kill by number wrong. */
	CHECK_EQ(fault.arg.pagefault.feat.ptid, bystander);

	/* Neither process has the number with that address under another userfaultfd. */
	CHECK_EQ(faulting_process_kill(first_uffd, (uintptr_t)memory + page, page,
				       bystander),
		 -ESRCH);
	CHECK(alive(bystander));
	CHECK_EQ(faulting_process_kill(faulting_uffd, (uintptr_t)memory + page, page,
				       bystander),
		 0);
	CHECK_EQ(status_within(first.pid, DEADLINE_MS), 0);
	CHECK(alive(bystander));
	/* The address space has gone. */
	CHECK(faulting_process_kill(faulting_uffd, (uintptr_t)memory + page, page,
				    bystander) < 0);
	for (i = 0; i < 100; i++) {
		CHECK(alive(bystander));
		sleep_ms(1);
	}
	kill(bystander, SIGKILL);
	CHECK_EQ(waitpid(bystander, NULL, 0), bystander);
	return 0;
}
