// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of a child when something it depends on goes away, and of a
 * resume that cannot be: never a hang, never wrong data, nothing left behind.
 * `test_resume_faults NAME` runs one of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/machine.h"

#define SIZE		(8ul << 20)
#define PAGE		4096ul
#define DEADLINE_MS	5000
/* How often a resume is repeated to see what it leaves behind. */
#define RESUMES		1000

#define REMOTE_ID	"7"

/* Files of a child: orders from the test, and the child's words to it. */
#define ORDERS_FD	60
#define WORDS_FD	61

enum fault {
	SHADOW_KILLED,
	SHADOW_KILLED_GRANDCHILD,
	MACHINE_LOST_GRANDCHILD,
	UNPREPARED,
	OWNER_CLOSED,
	OWNER_KILLED,
	DAEMON_KILLED,
	UNKNOWN_ID,
	CALLER_HAS_THREADS,
	PARENT_HAS_THREADS,
	NO_RIGHT,
	BAD_ARGUMENTS,
	MANY_RESUMES,
	CHILD_GONE,
	CHILD_CLOSES_FILES,
	CHILD_EXECS,
	CHILD_KILLED,
	FAULTS
};

static unsigned char *memory;
static int orders, words;	/* the test's ends */
static const char *remote_address;	/* of machine REMOTE_ID; NULL: resume locally */

static unsigned char value(size_t page)
{
	return 1 + page % 251;
}

/* Whether [first, end) of the memory's pages is as at prepare. */
static bool right(size_t first, size_t end)
{
	size_t page;

	for (page = first; page < end; page++)
		if (memory[page * PAGE] != value(page) ||
		    memory[page * PAGE + PAGE - 1] != value(page))
			return false;
	return true;
}

static void say(char word)
{
	CHECK(write(WORDS_FD, &word, 1) == 1);
}

/* Its own words for wrong memory, so that no test takes it for an end. */
static int wrong(void)
{
	say('x');
	return 1;
}

static void wait_for_order(void)
{
	char byte;

	CHECK(read(ORDERS_FD, &byte, 1) == 1);
}

/* What most children do: half of their pages, an order, the other half. */
static int two_halves(void)
{
	if (!right(0, SIZE / PAGE / 2))
		return wrong();
	say('h');
	wait_for_order();
	if (!right(SIZE / PAGE / 2, SIZE / PAGE))
		return wrong();
	say('w');
	return 0;
}

/* Prepares, then spoils the memory. In a child, `part` is all that happens. */
static struct mitosis *prepare(uint32_t handler_id, int (*part)(void))
{
	struct mitosis *device = open_user();
	pid_t self = getpid();
	size_t page;

	for (page = 0; page < SIZE / PAGE; page++)
		memset(memory + page * PAGE, value(page), PAGE);
	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, handler_id), 0);
	if (getpid() != self)
		_exit(part());
	memset(memory, 0, SIZE);
	return device;
}

static pid_t start_child(const char *handler_id, int output)
{
	char path[512];
	int in[2], out[2];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/mitosis-child",
		 getenv("MITOSIS_TEST_BIN"));
	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(in[0], ORDERS_FD);
		dup2(out[1], WORDS_FD);
		if (output >= 0)
			dup2(output, STDERR_FILENO);
		if (remote_address)
			execl(path, path, "--backend", "user", "--handler-id",
			      handler_id, "--prefetch", "4", "--remote", REMOTE_ID,
			      "--address", remote_address, (char *)NULL);
		execl(path, path, "--backend", "user", "--handler-id",
		      handler_id, "--prefetch", "4", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	orders = in[1];
	words = out[0];
	return pid;
}

static void let_go(void)
{
	close(orders);
	close(words);
}

static void order(void)
{
	CHECK(write(orders, "g", 1) == 1);
}

/* The next word of a child; 0 if it has ended without one. */
static char hear(void)
{
	struct pollfd p = { .fd = words, .events = POLLIN };
	char word = 0;

	if (poll(&p, 1, DEADLINE_MS) != 1) {
		printf("nothing heard from the child within %d ms\n", DEADLINE_MS);
		exit(1);
	}
	return read(words, &word, 1) == 1 ? word : 0;
}

/* The wait status of a child, which has to end within the deadline. */
static int end_of(pid_t pid)
{
	int status = -1, tries = DEADLINE_MS;

	while (waitpid(pid, &status, WNOHANG) == 0 && tries-- > 0)
		sleep_ms(1);
	if (tries < 0) {
		kill(pid, SIGKILL);
		printf("the child has not ended within %d ms\n", DEADLINE_MS);
		exit(1);
	}
	return status;
}

static void shadow_killed(void)
{
	struct mitosis *device = prepare(1, two_halves);
	pid_t child = start_child("1", -1);
	int status;

	CHECK_EQ(hear(), 'h');
	kill(find_snapshot(device, 1).shadow_pid, SIGKILL);
	order();
	status = end_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ(hear(), 0);
	let_go();
	mitosis_close(device);
}

/* The grandchild reads while nobody can serve it; the child just waits. */
static int grandchild_reads(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(two_halves());
	waitpid(pid, &status, 0);
	return 0;
}

static void shadow_killed_grandchild(void)
{
	struct mitosis *device = prepare(1, grandchild_reads);
	pid_t child = start_child("1", -1);

	CHECK_EQ(hear(), 'h');
	kill(find_snapshot(device, 1).shadow_pid, SIGKILL);
	sleep_ms(50);
	order();
	end_of(child);
	/* Ended without a word: it may not have read anything wrong. */
	CHECK_EQ(hear(), 0);
	let_go();
	mitosis_close(device);
}

/* The same with a shadow on another machine: here somebody notices, and stays. */
static void machine_lost_grandchild(void)
{
	struct machine machine;
	struct mitosis *device;
	int output[2], status;
	char sentence[512];
	pid_t child;
	ssize_t n;

	machine = machine_start(atoi(REMOTE_ID));
	machine_enter(&machine);
	device = prepare(1, grandchild_reads);
	machine_leave();
	remote_address = machine.address;
	CHECK(!pipe2(output, O_CLOEXEC));
	child = start_child("1", output[1]);
	if (hear() != 'h') {
		n = read(output[0], sentence, sizeof(sentence) - 1);
		printf("%.*s", (int)n, sentence);
		exit(1);
	}
	kill(find_snapshot(device, 1).shadow_pid, SIGKILL);
	sleep_ms(100);
	order();
	status = end_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ(hear(), 0);
	close(output[1]);
	n = read(output[0], sentence, sizeof(sentence) - 1);
	sentence[n > 0 ? n : 0] = '\0';
	CHECK(strstr(sentence, "machine 7") && strstr(sentence, machine.address));
	close(output[0]);
	let_go();
	mitosis_close(device);
	machine_stop(&machine);
}

static void unprepared(void)
{
	struct mitosis *device = prepare(1, two_halves), *again;
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1), second;

	CHECK_EQ(hear(), 'h');
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	CHECK_EQ(find_snapshot(device, 1).shadow_pid, 0);
	sleep_ms(50);
	CHECK(alive(shadow));
	order();
	CHECK_EQ(hear(), 'w');
	CHECK_EQ(end_of(child), 0);
	let_go();
	CHECK_SOON(!alive(shadow), 2000);

	/* Twice under the same id, the first with a child that goes on. */
	CHECK_EQ(mitosis_close(device), 0);
	device = prepare(1, two_halves);
	child = start_child("1", -1);
	CHECK_EQ(hear(), 'h');
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	{
		int first_orders = orders, first_words = words;

		again = prepare(1, two_halves);
		second = start_child("1", -1);
		CHECK_EQ(hear(), 'h');
		order();
		CHECK_EQ(hear(), 'w');
		CHECK_EQ(end_of(second), 0);
		let_go();
		orders = first_orders;
		words = first_words;
	}
	order();
	CHECK_EQ(hear(), 'w');
	CHECK_EQ(end_of(child), 0);
	let_go();
	mitosis_close(again);
	mitosis_close(device);
}

static void owner_closed(void)
{
	struct mitosis *device = prepare(1, two_halves);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);

	CHECK_EQ(hear(), 'h');
	CHECK_EQ(mitosis_close(device), 0);
	sleep_ms(50);
	CHECK(alive(shadow));
	order();
	CHECK_EQ(hear(), 'w');
	CHECK_EQ(end_of(child), 0);
	let_go();
	CHECK_SOON(!alive(shadow), 2000);
}

static void owner_killed(void)
{
	struct mitosis *device = open_user();
	pid_t owner, shadow, child;
	int ready[2];
	char byte;

	CHECK(!pipe(ready));
	owner = fork();
	CHECK(owner >= 0);
	if (owner == 0) {
		prepare(1, two_halves);
		CHECK(write(ready[1], "r", 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	shadow = find_snapshot(device, 1).shadow_pid;
	child = start_child("1", -1);
	CHECK_EQ(hear(), 'h');
	kill(owner, SIGKILL);
	CHECK(waitpid(owner, NULL, 0) == owner);
	CHECK_SOON(find_snapshot(device, 1).shadow_pid == 0, 2000);
	order();
	CHECK_EQ(hear(), 'w');
	CHECK_EQ(end_of(child), 0);
	let_go();
	CHECK_SOON(!alive(shadow), 2000);
	mitosis_close(device);
}

static void daemon_killed(void)
{
	struct mitosis *device = prepare(1, two_halves);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t daemon = daemon_pid(), child = start_child("1", -1);

	CHECK_EQ(hear(), 'h');
	CHECK(daemon);
	kill(daemon, SIGKILL);
	CHECK_SOON(!alive(daemon), 2000);
	sleep_ms(50);
	CHECK(alive(shadow));
	order();
	CHECK_EQ(hear(), 'w');
	CHECK_EQ(end_of(child), 0);
	let_go();
	CHECK_SOON(!alive(shadow), 2000);
	mitosis_close(device);
}

/* Runs mitosis-child; its status, and what it writes to standard error. */
static int failed_child(const char *handler_id, char *sentence, size_t size)
{
	int output[2], status;
	ssize_t n;

	CHECK(!pipe2(output, O_CLOEXEC));
	status = end_of(start_child(handler_id, output[1]));
	close(output[1]);
	n = read(output[0], sentence, size - 1);
	sentence[n > 0 ? n : 0] = '\0';
	close(output[0]);
	let_go();
	return status;
}

static void unknown_id(void)
{
	struct mitosis *device = open_user();
	char sentence[512];

	CHECK_EQ(mitosis_resume_local(device, 4711), -ENOENT);
	CHECK(strstr(mitosis_error(), "4711"));
	CHECK_EQ(failed_child("4711", sentence, sizeof(sentence)), 1 << 8);
	CHECK(strstr(sentence, "mitosis-child: ") && strstr(sentence, "4711"));
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

static void parent_has_threads(void)
{
	struct mitosis *device;
	pthread_barrier_t end;
	pthread_t thread;
	char sentence[512];

	pthread_barrier_init(&end, NULL, 2);
	CHECK(!pthread_create(&thread, NULL, wait_to_end, &end));
	device = prepare(1, two_halves);
	CHECK_EQ(failed_child("1", sentence, sizeof(sentence)), 1 << 8);
	CHECK(strstr(sentence, "threads"));
	pthread_barrier_wait(&end);
	pthread_join(thread, NULL);
	mitosis_close(device);
}

static void no_right(void)
{
	struct mitosis *device;
	pid_t pid;

	if (geteuid()) {
		puts("no_right left out: needs root");
		return;
	}
	device = prepare(1, two_halves);
	pid = fork();
	if (pid == 0) {
		struct mitosis *own = open_user();

		CHECK(!setresuid(65534, 65534, 65534));
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

	snprintf(path, sizeof(path), "%s/mitosis-child",
		 getenv("MITOSIS_TEST_BIN"));
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

static int touch_a_little(void)
{
	return right(0, 8) ? 0 : 1;
}

static void many_resumes(void)
{
	struct mitosis *device = prepare(1, touch_a_little);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	int fds, daemon_fds, shadow_fds, mounts, processes, i;

	for (i = 0; i < 2; i++) {
		CHECK_EQ(end_of(start_child("1", -1)), 0);
		let_go();
	}
	sleep_ms(100);	/* for the daemon and the shadow to notice the ends */
	fds = fd_count(getpid());
	daemon_fds = fd_count(daemon_pid());
	shadow_fds = fd_count(shadow);
	mounts = mount_count();
	processes = process_count();
	for (i = 0; i < RESUMES; i++) {
		CHECK_EQ(end_of(start_child("1", -1)), 0);
		let_go();
	}
	CHECK_EQ(fd_count(getpid()), fds);
	CHECK_SOON(fd_count(daemon_pid()) == daemon_fds, 2000);
	CHECK_SOON(fd_count(shadow) == shadow_fds, 2000);
	CHECK_EQ(mount_count(), mounts);
	CHECK_SOON(process_count() == processes, 2000);
	CHECK_EQ(child_count(), 1);	/* the shadow */
	mitosis_close(device);
	CHECK_EQ(child_count(), 0);
}

/* The child ends at once; its own child works on, first before, then after. */
static int leave_a_grandchild(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(two_halves());
	return pid > 0 ? 0 : 1;
}

static void child_gone(void)
{
	struct mitosis *device = prepare(1, leave_a_grandchild);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);

	CHECK_EQ(hear(), 'h');
	CHECK_EQ(end_of(child), 0);
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	sleep_ms(50);
	order();
	CHECK_EQ(hear(), 'w');
	CHECK_EQ(hear(), 0);
	let_go();
	CHECK_SOON(!alive(shadow), 2000);
	mitosis_close(device);
}

/* As daemons and shells do it: every file but the few they know goes. */
static int close_other_files(void)
{
	if (!right(0, 8))
		return wrong();
	dup2(ORDERS_FD, 3);
	dup2(WORDS_FD, 4);
	CHECK(!syscall(SYS_close_range, 5, ~0u, 0));
	dup2(3, ORDERS_FD);
	dup2(4, WORDS_FD);
	return two_halves();
}

static void child_closes_files(void)
{
	struct mitosis *device = prepare(1, close_other_files);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);

	CHECK_EQ(hear(), 'h');
	/* And it still holds its snapshot when that is dropped. */
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	sleep_ms(500);
	order();
	CHECK_EQ(hear(), 'w');
	CHECK_EQ(end_of(child), 0);
	let_go();
	CHECK_SOON(!alive(shadow), 2000);
	mitosis_close(device);
}

static int exec_shell(void)
{
	dup2(ORDERS_FD, 0);
	dup2(WORDS_FD, 1);
	execl("/bin/sh", "sh", "-c", "printf h; read order; printf w; exit 0",
	      (char *)NULL);
	return 1;
}

static void child_execs(void)
{
	struct mitosis *device = prepare(1, exec_shell);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);

	CHECK_EQ(hear(), 'h');
	/* It needs nothing of the shadow's any more, so that does not stay. */
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	CHECK_SOON(!alive(shadow), 2000);
	CHECK(write(orders, "\n", 1) == 1);
	CHECK_EQ(hear(), 'w');
	CHECK_EQ(end_of(child), 0);
	let_go();
	mitosis_close(device);
}

static void child_killed(void)
{
	struct mitosis *device = prepare(1, two_halves);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);
	int before, status;

	/* With one child, the shadow has opened what it needs. */
	CHECK_EQ(hear(), 'h');
	before = fd_count(shadow);
	kill(child, SIGKILL);
	status = end_of(child);
	CHECK(WIFSIGNALED(status));
	let_go();
	CHECK_SOON(fd_count(shadow) < before, 2000);
	child = start_child("1", -1);
	CHECK_EQ(hear(), 'h');
	order();
	CHECK_EQ(hear(), 'w');
	CHECK_EQ(end_of(child), 0);
	let_go();
	mitosis_close(device);
}

static const struct {
	const char *name;
	void (*run)(void);
} faults[FAULTS] = {
	[SHADOW_KILLED] = { "shadow_killed", shadow_killed },
	[SHADOW_KILLED_GRANDCHILD] = { "shadow_killed_grandchild",
				       shadow_killed_grandchild },
	[MACHINE_LOST_GRANDCHILD] = { "machine_lost_grandchild",
				      machine_lost_grandchild },
	[UNPREPARED] = { "unprepared", unprepared },
	[OWNER_CLOSED] = { "owner_closed", owner_closed },
	[OWNER_KILLED] = { "owner_killed", owner_killed },
	[DAEMON_KILLED] = { "daemon_killed", daemon_killed },
	[UNKNOWN_ID] = { "unknown_id", unknown_id },
	[CALLER_HAS_THREADS] = { "caller_has_threads", caller_has_threads },
	[PARENT_HAS_THREADS] = { "parent_has_threads", parent_has_threads },
	[NO_RIGHT] = { "no_right", no_right },
	[BAD_ARGUMENTS] = { "bad_arguments", bad_arguments },
	[MANY_RESUMES] = { "many_resumes", many_resumes },
	[CHILD_GONE] = { "child_gone", child_gone },
	[CHILD_CLOSES_FILES] = { "child_closes_files", child_closes_files },
	[CHILD_EXECS] = { "child_execs", child_execs },
	[CHILD_KILLED] = { "child_killed", child_killed },
};

int main(int argc, char **argv)
{
	int i, failed = 0;

	need_userfaultfd();
	signal(SIGPIPE, SIG_IGN);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	use_key("faults");	/* mitosisd reads it at its start */
	/* A process for each, so that one failure does not hide the next. */
	for (i = 0; i < FAULTS; i++) {
		int status;
		pid_t pid;

		if (argc > 1 && strcmp(argv[1], faults[i].name))
			continue;
		fflush(stdout);
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			faults[i].run();
			exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		if (status) {
			printf("%s: failed\n", faults[i].name);
			failed = 1;
		}
	}
	return failed;
}
