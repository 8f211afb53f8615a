// SPDX-License-Identifier: Apache-2.0
/*
 * A shadow is killed while mitosisd has not yet read what it sent: what its child has
 * forked gets SIGBUS, or is killed before Linux 6.6, and never reads zeros.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    7
#define PAGE	    4096
#define PAGES	    512
#define FORKS	    6
#define VALUE	    9
#define ZEROS	    21 /* exit status of what has read them */
#define OTHER	    22
#define DEADLINE_MS 20000

static unsigned char *memory;
static int forked[2], go[2];

static void __attribute__((noreturn)) read_late(int i)
{
	char byte;
	unsigned char value;

	close(go[1]);
	/* The end of file: when the test closes it. */
	while (read(go[0], &byte, 1) > 0)
		;
	value = ((volatile unsigned char *)memory)[(64 + 64 * i) * PAGE];
	_exit(value == VALUE ? 0 : value ? OTHER : ZEROS);
}

static void __attribute__((noreturn)) be_child(void)
{
	int i;

	for (i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (pid < 0)
			_exit(OTHER);
		if (!pid)
			read_late(i);
	}
	if (write(forked[1], "f", 1) != 1)
		_exit(OTHER);
	for (;;)
		pause();
}

static pid_t start_child(void)
{
	const struct mitosis_resume_options options = { MITOSIS_RESUME_LAZY, 1 };
	struct mitosis_attachment *attachment;
	struct mitosis *device;
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (!pid) {
		device = open_user();
		CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
		CHECK_EQ(mitosis_attach_local(device, ID, &attachment), 0);
		raise(SIGSTOP);
		mitosis_resume_attached(attachment);
		puts(mitosis_error());
		exit(1);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	return pid;
}

int main(void)
{
	struct mitosis *device;
	pid_t self = getpid(), child, daemon, shadow;
	char byte;
	int i;

	need_userfaultfd();
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	CHECK(!pipe(forked) && !pipe(go));
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (i = 0; i < PAGES; i++)
		memory[i * PAGE] = VALUE;
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != self)
		be_child();
	daemon = daemon_pid();
	shadow = find_snapshot(device, ID).shadow_pid;
	CHECK(daemon > 0 && shadow > 0);
	child = start_child();
	CHECK(!kill(daemon, SIGSTOP));
	CHECK(!kill(child, SIGCONT));
	CHECK(read(forked[0], &byte, 1) == 1);
	sleep_ms(100); /* until the shadow has sent the last one's userfaultfd */
	CHECK(!kill(shadow, SIGKILL));
	sleep_ms(50);
	CHECK(!kill(daemon, SIGCONT));
	CHECK_EQ(status_within(child, DEADLINE_MS), SIGKILL);
	close(go[0]);
	close(go[1]);
	for (i = 0; i < FORKS; i++) {
		int status = 0;

		CHECK_SOON(waitpid(-1, &status, WNOHANG) > 0, DEADLINE_MS);

		if (!WIFSIGNALED(status) ||
		    (WTERMSIG(status) != SIGBUS && WTERMSIG(status) != SIGKILL)) {
			printf("status %#x\n", status);
			return 1;
		}
	}
	mitosis_close(device);
	return 0;
}
