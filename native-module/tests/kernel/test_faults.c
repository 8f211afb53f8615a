// SPDX-License-Identifier: Apache-2.0
/*
 * Children, parents and machines that end, stop or are closed at the wrong time.
 * usage: test_faults --list | NAME...; without a name, all of them. After each
 * fault the module serves as before and holds nothing of what is gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define PAGE		4096
#define PAGES		1024
#define ID		73
#define OTHER_ID	74
#define USER_MACHINE	101
#define SWEEP		40
#define SWEEP_NS	10000000000ull	/* at most, for a sweep of children */
#define DEADLINE_MS	2000

enum fault {
	CHILD_KILLED_IN_RESUME,
	CHILD_KILLED_IN_REMOTE_RESUME,
	CHILD_KILLED_WAITING_FOR_PAGE,
	PAGE_NOT_IN_TIME,
	MACHINE_KILLED,
	MACHINE_LATE,
	PARENT_KILLED_IN_PREPARE,
	PARENT_KILLED_WITH_CHILDREN,
	PARENT_KILLED_PINNED,
	PARENT_EXECS,
	UNPREPARED_WHILE_RESUMING,
	UNPREPARED_WITH_CHILDREN,
	CLOSED_IN_IOCTL,
	NO_ADDRESS_SPACE,
	FAULTS
};

static char *memory;
/* Made once, so that they are the same in parents, children and this process. */
static int says[2], may_go[2];

static int module_parameter(const char *name)
{
	char path[96];
	int value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/mitosis/parameters/%s", name);
	f = fopen(path, "r");
	CHECK(f && fscanf(f, "%d", &value) == 1);
	fclose(f);
	return value;
}

static void expect_word(char word, int ms)
{
	char byte = 0;

	CHECK_SOON(read(says[0], &byte, 1) == 1, ms);
	CHECK_EQ(byte, word);
}

static void say(char word)
{
	if (write(says[1], &word, 1) != 1)
		_exit(3);
}

/* A child says that it is there, waits, reads all pages and writes to them. */
static void __attribute__((noreturn)) be_child(void)
{
	char byte;
	int i;

	say('c');
	if (read(may_go[0], &byte, 1) != 1)
		_exit(4);
	for (i = 0; i < PAGES; i++) {
		if (memory[i * PAGE] != 'p' || memory[i * PAGE + PAGE - 1] != 'p')
			_exit(2);
		memory[i * PAGE] = 'c';
	}
	_exit(0);
}

static void let_go(void)
{
	CHECK_EQ(write(may_go[1], "g", 1), 1);
}

/* Prepares this process; its children do not return. */
static void prepare(struct mitosis *device, uint32_t id, bool pinned)
{
	memset(memory, 'p', PAGES * PAGE);
	CHECK_EQ(pinned ? mitosis_prepare_pinned(device, id) :
			  mitosis_prepare(device, id), 0);
	if (mitosis_nil(device))
		be_child();
	memset(memory, 'o', PAGES * PAGE);
}

/* A parent of its own that stays until it is killed; closes `device`, if it has one. */
static pid_t start_parent(int backend, uint32_t id, bool pinned)
{
	struct mitosis *device;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid) {
		expect_word('p', 10000);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK_EQ(mitosis_open(backend, &device), 0);
	prepare(device, id, pinned);
	say('p');
	for (;;)
		pause();
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	status_within(pid, 10000);
}

/* The whole life of a child that is let go at once. */
static uint64_t life_ns(pid_t (*start)(void))
{
	uint64_t begin = now_ns();
	pid_t pid = start();

	let_go();
	expect_word('c', 20000);
	CHECK_EQ(status_within(pid, 20000), 0);
	return now_ns() - begin;
}

static pid_t start_local(void)
{
	return start_kernel_child(ID, 4);
}

/* Over TCP, from this very module. */
static pid_t start_over_tcp(void)
{
	struct mitosis_resume_options options = { .prefetch_pages = 4 };
	int machine = module_parameter("machine_id");
	struct mitosis *device;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	if (!mitosis_open(MITOSIS_BACKEND_KERNEL, &device) &&
	    !mitosis_set_resume_options(device, &options) &&
	    !mitosis_connect(device, machine,
			     getenv("MITOSIS_TEST_MODULE_ADDRESS")))
		mitosis_resume_remote(device, machine, ID);
	fprintf(stderr, "%s\n", mitosis_error());
	_exit(125);
}

/* What killed children said, or have not read. */
static void drain(void)
{
	char bytes[64];
	int ends[] = { says[0], may_go[0] }, i, waiting;

	for (i = 0; i < 2; i++)
		while (!ioctl(ends[i], FIONREAD, &waiting) && waiting)
			CHECK(read(ends[i], bytes, sizeof(bytes)) > 0);
}

/* Killed after i/SWEEP of a life, for each i. */
static void killed_in_life(pid_t (*start)(void))
{
	uint64_t whole = life_ns(start);
	int i, rounds = SWEEP;

	printf("a whole life: %llu us\n", (unsigned long long)whole / 1000);
	/* Half a life each on average. */
	if (whole * rounds / 2 > SWEEP_NS)
		rounds = 2 * SWEEP_NS / whole;
	for (i = 0; i < rounds; i++) {
		uint64_t after = whole * i / rounds;
		struct timespec t = { after / 1000000000, after % 1000000000 };
		pid_t pid = start();

		let_go();
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		status_within(pid, 10000);
		drain();
	}
	life_ns(start);
}

static void child_killed(pid_t (*start)(void))
{
	struct mitosis *device = open_kernel();

	prepare(device, ID, false);
	killed_in_life(start);
	mitosis_close(device);
}

/* A machine of the user backend, with a parent, that children of ours come from. */
struct far {
	struct machine machine;
	pid_t parent, shadow;	/* the shadow serves its own pages */
};

static struct far start_far(void)
{
	struct far far = { .machine = machine_start(USER_MACHINE) };
	struct mitosis *device;

	machine_enter(&far.machine);
	far.parent = start_parent(MITOSIS_BACKEND_USER, ID, false);
	device = open_user();
	far.shadow = find_snapshot(device, ID).shadow_pid;
	CHECK(far.shadow);
	mitosis_close(device);
	machine_leave();
	return far;
}

static void end_far(struct far *far)
{
	end(far->parent);
	if (far->machine.pid)
		machine_stop(&far->machine);
}

static pid_t start_far_child(const struct far *far, unsigned int deadline_ms)
{
	struct mitosis_options options = {
		.prefetch_pages = 1,
		.deadline_ms = deadline_ms,
	};
	struct mitosis_connect_req there = {
		.machine_id = USER_MACHINE,
		.gid = far->machine.address,
	};
	struct mitosis_remote_req request = {
		.machine_id = USER_MACHINE,
		.handler_id = ID,
	};
	pid_t pid = fork();
	int fd;

	CHECK(pid >= 0);
	if (pid)
		return pid;
	fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (!ioctl(fd, MITOSIS_IOC_SET_OPTIONS, &options) &&
	    !ioctl(fd, MITOSIS_CONNECT, &there))
		ioctl(fd, MITOSIS_RESUME_REMOTE, &request);
	perror("far child");
	_exit(125);
}

static void with_stopped_machine(enum fault fault)
{
	struct far far = start_far();
	/* Who is killed must not wait for it, and who gets its page not meet it. */
	bool is_far = fault == CHILD_KILLED_WAITING_FOR_PAGE || fault == MACHINE_LATE;
	pid_t child = start_far_child(&far, is_far ? 60000 : DEADLINE_MS);
	int status;

	expect_word('c', 20000);
	kill(far.shadow, fault == MACHINE_KILLED ? SIGKILL : SIGSTOP);
	kill(far.machine.pid, fault == MACHINE_KILLED ? SIGKILL : SIGSTOP);
	if (fault == MACHINE_KILLED) {
		CHECK(waitpid(far.machine.pid, NULL, 0) == far.machine.pid);
		far.machine.pid = 0;
	}
	let_go();
	sleep_ms(DEADLINE_MS / 4);
	switch (fault) {
	case CHILD_KILLED_WAITING_FOR_PAGE:
		CHECK(alive(child));
		kill(child, SIGKILL);
		status = status_within(child, 10000);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		break;
	case MACHINE_LATE:
		kill(far.shadow, SIGCONT);
		kill(far.machine.pid, SIGCONT);
		CHECK_EQ(status_within(child, 20000), 0);
		break;
	default:
		status = status_within(child, 20 * DEADLINE_MS);
		CHECK(WIFSIGNALED(status));
		CHECK_EQ(WTERMSIG(status), SIGBUS);
	}
	kill(far.shadow, SIGCONT);
	if (far.machine.pid)
		kill(far.machine.pid, SIGCONT);
	end_far(&far);
}

static void parent_killed_in_prepare(void)
{
	struct mitosis *device = open_kernel();
	uint64_t begin, whole;
	int i;

	begin = now_ns();
	end(start_parent(MITOSIS_BACKEND_KERNEL, ID, false));
	whole = now_ns() - begin;
	for (i = 0; i < SWEEP; i++) {
		uint64_t after = whole * i / SWEEP;
		struct timespec t = { after / 1000000000, after % 1000000000 };
		bool pinned = i % 2;
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			struct mitosis *own;
			uint32_t id = OTHER_ID;

			CHECK_EQ(mitosis_open(MITOSIS_BACKEND_KERNEL, &own), 0);
			for (;;) {
				prepare(own, id, pinned);
				CHECK_EQ(mitosis_unprepare(own, id), 0);
			}
		}
		nanosleep(&t, NULL);
		end(pid);
		if (pinned)
			mitosis_unprepare(device, OTHER_ID);
		CHECK_SOON(!find_snapshot(device, OTHER_ID).owner_pid, 5000);
	}
	mitosis_close(device);
}

/* What children have not read yet is theirs, even when the snapshot is gone. */
static void parent_killed(bool pinned)
{
	struct mitosis *device = open_kernel();
	pid_t parent = start_parent(MITOSIS_BACKEND_KERNEL, ID, pinned);
	pid_t child = start_local();

	expect_word('c', 20000);
	end(parent);
	if (pinned) {
		pid_t late;

		CHECK_EQ(find_snapshot(device, ID).owner_pid, parent);
		late = start_local();
		expect_word('c', 20000);
		let_go();
		let_go();
		CHECK_EQ(status_within(late, 20000), 0);
		CHECK_EQ(mitosis_unprepare(device, ID), 0);
	} else {
		CHECK_SOON(!find_snapshot(device, ID).owner_pid, 5000);
	}
	CHECK_EQ(mitosis_resume_local(device, ID), -ENOENT);
	if (!pinned)
		let_go();
	CHECK_EQ(status_within(child, 20000), 0);
	mitosis_close(device);
}

static void parent_execs(void)
{
	struct mitosis *device = open_kernel();
	pid_t pid = fork();

	if (pid == 0) {
		struct mitosis *own;

		CHECK_EQ(mitosis_open(MITOSIS_BACKEND_KERNEL, &own), 0);
		prepare(own, ID, false);
		execl("/bin/sleep", "sleep", "30", (char *)NULL);
		_exit(127);
	}
	CHECK_SOON(find_snapshot(device, ID).owner_pid == pid, 10000);
	CHECK_SOON(!find_snapshot(device, ID).owner_pid, 10000);
	CHECK(alive(pid));
	end(pid);
	mitosis_close(device);
}

static void unprepared_while_resuming(void)
{
	struct mitosis *device = open_kernel();
	uint64_t whole;
	int i, resumed = 0, refused = 0;

	prepare(device, ID, false);
	whole = life_ns(start_local) / 2;
	for (i = 0; i < SWEEP; i++) {
		uint64_t after = whole * i / SWEEP;
		struct timespec t = { after / 1000000000, after % 1000000000 };
		pid_t pid = start_local();
		int status;

		let_go();
		nanosleep(&t, NULL);
		CHECK_EQ(mitosis_unprepare(device, ID), 0);
		status = status_within(pid, 20000);
		CHECK(WIFEXITED(status));
		if (WEXITSTATUS(status) == 125)
			refused++;
		else
			CHECK_EQ(WEXITSTATUS(status), 0);
		resumed += WEXITSTATUS(status) == 0;
		drain();
		prepare(device, ID, false);
	}
	printf("%d resumed, %d refused\n", resumed, refused);
	CHECK(resumed > 0);
	mitosis_close(device);
}

static void unprepared_with_children(void)
{
	struct mitosis *device = open_kernel();
	pid_t children[4];
	int i;

	prepare(device, ID, true);
	for (i = 0; i < 4; i++) {
		children[i] = start_local();
		expect_word('c', 20000);
	}
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	for (i = 0; i < 4; i++)
		let_go();
	for (i = 0; i < 4; i++)
		CHECK_EQ(status_within(children[i], 20000), 0);
	mitosis_close(device);
}

static atomic_int shared_fd, closing;

static void *use_fd(void *unused)
{
	unsigned int seed = (uintptr_t)unused;
	struct mitosis_connect_req there = {
		.machine_id = module_parameter("machine_id"),
		.gid = getenv("MITOSIS_TEST_MODULE_ADDRESS"),
	};
	struct mitosis_remote_req nowhere = { there.machine_id, 12345 };
	uint32_t id = OTHER_ID;

	while (!closing) {
		int fd = shared_fd;

		switch (rand_r(&seed) % 6) {
		case 0:
			ioctl(fd, MITOSIS_PREPARE, OTHER_ID);
			break;
		case 1:
			ioctl(fd, MITOSIS_IOC_UNPREPARE, &id);
			break;
		case 2:
			ioctl(fd, MITOSIS_CONNECT, &there);
			break;
		case 3:
			ioctl(fd, MITOSIS_NIL_RPC, &nowhere);
			break;
		case 4:
			ioctl(fd, MITOSIS_RESUME_REMOTE, &nowhere);
			break;
		default:
			ioctl(fd, MITOSIS_RESUME_LOCAL, 12345);
		}
	}
	return NULL;
}

static void closed_in_ioctl(void)
{
	struct mitosis *device = open_kernel();
	pthread_t threads[3];
	uint64_t end_ns = now_ns() + 3000000000ull;
	uintptr_t i;

	shared_fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	for (i = 0; i < 3; i++)
		CHECK(!pthread_create(&threads[i], NULL, use_fd, (void *)(i + 1)));
	while (now_ns() < end_ns) {
		int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

		close(atomic_exchange(&shared_fd, fd));
		usleep(500);
	}
	closing = 1;
	for (i = 0; i < 3; i++)
		CHECK(!pthread_join(threads[i], NULL));
	close(shared_fd);
	CHECK_SOON(!find_snapshot(device, OTHER_ID).owner_pid, 1000);
	mitosis_close(device);
}

/* A child that may not have the parent's memory is refused, or killed. */
static void no_address_space(void)
{
	struct mitosis *device = open_kernel();
	struct rlimit before, small;
	int i, status, killed = 0;

	prepare(device, ID, false);
	CHECK(!getrlimit(RLIMIT_AS, &before));
	for (i = 1; i < 12; i++) {
		pid_t pid;

		small = (struct rlimit){ i << 20, before.rlim_max };
		pid = fork();
		if (pid == 0) {
			struct mitosis *own;

			CHECK_EQ(mitosis_open(MITOSIS_BACKEND_KERNEL, &own), 0);
			if (setrlimit(RLIMIT_AS, &small))
				_exit(126);
			mitosis_resume_local(own, ID);
			_exit(125);
		}
		let_go();
		status = status_within(pid, 20000);
		if (WIFSIGNALED(status))
			CHECK_EQ(WTERMSIG(status), SIGKILL);
		else if (WEXITSTATUS(status))
			CHECK_EQ(WEXITSTATUS(status), 125);
		killed += status != 0;
		drain();
	}
	CHECK(killed > 0);
	life_ns(start_local);
	mitosis_close(device);
}

static void run_fault(enum fault fault)
{
	switch (fault) {
	case CHILD_KILLED_IN_RESUME:
		child_killed(start_local);
		break;
	case CHILD_KILLED_IN_REMOTE_RESUME:
		child_killed(start_over_tcp);
		break;
	case CHILD_KILLED_WAITING_FOR_PAGE:
	case PAGE_NOT_IN_TIME:
	case MACHINE_KILLED:
	case MACHINE_LATE:
		with_stopped_machine(fault);
		break;
	case PARENT_KILLED_IN_PREPARE:
		parent_killed_in_prepare();
		break;
	case PARENT_KILLED_WITH_CHILDREN:
		parent_killed(false);
		break;
	case PARENT_KILLED_PINNED:
		parent_killed(true);
		break;
	case PARENT_EXECS:
		parent_execs();
		break;
	case UNPREPARED_WHILE_RESUMING:
		unprepared_while_resuming();
		break;
	case UNPREPARED_WITH_CHILDREN:
		unprepared_with_children();
		break;
	case CLOSED_IN_IOCTL:
		closed_in_ioctl();
		break;
	case NO_ADDRESS_SPACE:
		no_address_space();
		break;
	case FAULTS:
		break;
	}
}

static const char *const names[FAULTS] = {
	[CHILD_KILLED_IN_RESUME] = "child-killed-in-resume",
	[CHILD_KILLED_IN_REMOTE_RESUME] = "child-killed-in-remote-resume",
	[CHILD_KILLED_WAITING_FOR_PAGE] = "child-killed-waiting-for-page",
	[PAGE_NOT_IN_TIME] = "page-not-in-time",
	[MACHINE_KILLED] = "machine-killed",
	[MACHINE_LATE] = "machine-late",
	[PARENT_KILLED_IN_PREPARE] = "parent-killed-in-prepare",
	[PARENT_KILLED_WITH_CHILDREN] = "parent-killed-with-children",
	[PARENT_KILLED_PINNED] = "parent-killed-pinned",
	[PARENT_EXECS] = "parent-execs",
	[UNPREPARED_WHILE_RESUMING] = "unprepared-while-resuming",
	[UNPREPARED_WITH_CHILDREN] = "unprepared-with-children",
	[CLOSED_IN_IOCTL] = "closed-in-ioctl",
	[NO_ADDRESS_SPACE] = "no-address-space",
};

static void run_and_check(enum fault fault)
{
	struct mitosis_stat before = kernel_statistics();

	run_fault(fault);
	/* Memory that is torn down in the background. */
	CHECK_SOON(kernel_statistics().children == before.children, 5000);
	CHECK_SOON(kernel_statistics().snapshots == before.snapshots, 5000);
}

int main(int argc, char **argv)
{
	int fault, i;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (fault = 0; fault < FAULTS; fault++)
			puts(names[fault]);
		return 0;
	}
	mitosis_close(open_kernel());
	if (!getenv("MITOSIS_TEST_MODULE_ADDRESS"))
		skip("needs MITOSIS_TEST_MODULE_ADDRESS, where the module listens");
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(!pipe2(says, O_CLOEXEC) && !pipe2(may_go, O_CLOEXEC));
	fcntl(says[0], F_SETFL, O_NONBLOCK);
	for (fault = 0; fault < FAULTS; fault++) {
		bool chosen = argc == 1;

		for (i = 1; i < argc; i++)
			chosen |= !strcmp(argv[i], names[fault]);
		if (chosen)
			run_and_check(fault);
	}
	return 0;
}
