// SPDX-License-Identifier: Apache-2.0
/*
 * Faults at random moments, in random processes: a prepare, three resumes, and one
 * fault a round. A round may end early, but every call and every child ends within
 * its deadline, no child reads wrong data, and nothing is left behind.
 * `test_fault_storm [SEED [ROUNDS]]` repeats a run.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fault_child.h"
#include "tests/machine.h"
#include "tests/process_limit.h"

#define ROUNDS		200
#define HEALTHY_ROUNDS	6 /* at first, without a fault; they give the length of one */
#define CHILDREN	3
#define ROUND_MS	60000
#define NOTHING_LEFT_MS 20000
#define HOLD_MS		300 /* a fault other than a kill lasts at most this long */
#define VICTIMS_MAX	256
#define TEBIBYTE	(1ull << 40)

enum fault {
	KILL,
	STOP,
	DESCRIPTORS, /* EMFILE */
	MEMORY,	     /* ENOMEM */
	PROCESSES,   /* EAGAIN of fork(2) and clone(2) */
	FAULTS
};

static const char *const fault_names[FAULTS] = {
	[KILL] = "kill",
	[STOP] = "stop",
	[DESCRIPTORS] = "descriptors",
	[MEMORY] = "memory",
	[PROCESSES] = "processes",
};

/* What became of a round; the exit status of its process, which is the parent. */
enum outcome {
	RIGHT,	    /* all children had the right data */
	FAILED = 1, /* of harness.h */
	LOST = 10,  /* a child could not be resumed, or was ended */
	REFUSED,    /* no prepare */
	WRONG_DATA,
	PARENT_ENDED,
	OUTCOMES
};

static char group[GROUP_PATH_MAX]; /* empty: none can be made */

static enum outcome play_child(void)
{
	enum outcome outcome = LOST;
	pid_t child = start_child("1", open("/dev/null", O_WRONLY | O_CLOEXEC));
	char got = next_reply();

	if (got == 'h') {
		order_if_alive();
		got = next_reply();
	}
	if (got == 'x')
		outcome = WRONG_DATA;
	if (end_of(child) == 0 && got == 'w')
		outcome = RIGHT;
	close_child();
	return outcome;
}

/* The parent of a round. */
static enum outcome play(const struct machine *machine)
{
	pid_t self = getpid();
	enum outcome outcome = RIGHT;
	struct mitosis *device;
	int i;

	if (machine)
		machine_enter(machine);
	if (mitosis_open(MITOSIS_BACKEND_USER, &device))
		return REFUSED;
	fill_memory();
	if (mitosis_prepare(device, 1))
		return REFUSED;
	if (getpid() != self)
		_exit(two_halves());
	if (machine) {
		machine_leave();
		remote_address = machine->address;
	}
	memset(memory, 0, SIZE);
	for (i = 0; i < CHILDREN && outcome != WRONG_DATA; i++) {
		enum outcome child = play_child();

		outcome = child == RIGHT ? outcome : child;
	}
	mitosis_close(device);
	return outcome;
}

/* Says what runs though the round has ended. */
static void show_left(void)
{
	DIR *proc = opendir("/proc");
	pid_t pid;

	CHECK(proc);
	while ((pid = next_of_ours(proc))) {
		char path[64], line[256];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		f = fopen(path, "re");
		printf("left: %d", pid);
		while (f && fgets(line, sizeof(line), f))
			if (!strncmp(line, "Name:", 5) ||
			    !strncmp(line, "State:", 6) ||
			    !strncmp(line, "PPid:", 5))
				printf(" %.*s", (int)strcspn(line, "\n"), line);
		puts("");
		if (f)
			fclose(f);
	}
	closedir(proc);
}

/* A number from a line of /proc/PID/status, in KiB; 0 if it is gone. */
static uint64_t status_kib(pid_t pid, const char *format)
{
	unsigned long long kib = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, format, &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* One of the round's processes, chosen at random; 0 if there is none. */
static pid_t choose_victim(const pid_t *spared, int spared_count)
{
	pid_t all[VICTIMS_MAX], pid;
	DIR *proc = opendir("/proc");
	int i, n = 0;

	CHECK(proc);
	while (n < VICTIMS_MAX && (pid = next_of_ours(proc))) {
		for (i = 0; i < spared_count && spared[i] != pid; i++)
			;
		if (i == spared_count)
			all[n++] = pid;
	}
	closedir(proc);
	return n ? all[random() % n] : 0;
}

/* Limits what a process may have to little more than it has, for a while. */
static void limit(pid_t pid, enum __rlimit_resource resource, rlim_t value)
{
	struct rlimit before, now;

	if (prlimit(pid, resource, NULL, &before))
		return; /* it has ended */
	now = before;
	if (value < before.rlim_cur)
		now.rlim_cur = value;
	prlimit(pid, resource, &now, NULL);
	sleep_ms(random() % HOLD_MS);
	prlimit(pid, resource, &before, NULL);
}

static void strike(enum fault fault, pid_t pid)
{
	uint64_t size;
	int files;

	switch (fault) {
	case KILL:
		kill(pid, SIGKILL);
		break;
	case STOP:
		kill(pid, SIGSTOP);
		sleep_ms(random() % HOLD_MS);
		kill(pid, SIGCONT);
		break;
	case DESCRIPTORS:
		files = fd_count_if_alive(pid);
		if (files >= 0)
			limit(pid, RLIMIT_NOFILE, files - 2 + random() % 3);
		break;
	case MEMORY:
		size = status_kib(pid, "VmSize: %llu") << 10;
		/* AddressSanitizer reserves more, and ends where memory is refused. */
		if (size && size < TEBIBYTE)
			limit(pid, RLIMIT_AS, size + random() % (256 << 10));
		break;
	case PROCESSES:
		write_number(group, "pids.max", 1);
		write_number(group, "cgroup.procs", pid);
		sleep_ms(random() % HOLD_MS);
		write_number(group, "pids.max", 100000);
		break;
	case FAULTS:
		break;
	}
}

/* A fault that the parent's own part of the round, which is a test, can take. */
static bool for_parent(enum fault fault)
{
	return fault == KILL || fault == STOP;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static enum outcome outcome_of(pid_t parent)
{
	int status = status_within(parent, ROUND_MS);

	if (!WIFEXITED(status))
		return PARENT_ENDED;
	return WEXITSTATUS(status);
}

/* `fault` FAULTS is none; `length_us` that of a round, in which the fault comes. */
static enum outcome play_round(enum fault fault, uint64_t length_us, pid_t runner)
{
	static const char *const modes[] = { "lazy", "eager", "cached", "clone" };
	bool tcp = random() % 2;
	struct machine machine;
	enum outcome outcome;
	pid_t parent, victim;

	/* Clones are of snapshots on this machine. */
	resume_mode = modes[random() % (tcp ? 3 : 4)];
	if (tcp)
		machine = machine_start(atoi(REMOTE_ID));
	fflush(stdout);
	parent = fork();
	CHECK(parent >= 0);
	if (parent == 0)
		exit(play(tcp ? &machine : NULL));
	if (fault != FAULTS) {
		pid_t spared[] = { getpid(), runner, parent };

		usleep(random() % length_us);
		victim = choose_victim(spared, for_parent(fault) ? 2 : 3);
		if (victim)
			strike(fault, victim);
	}
	outcome = outcome_of(parent);
	if (tcp)
		machine_stop(&machine);
	return outcome;
}

static void check_round(enum outcome outcome, enum fault fault, int round,
			int processes)
{
	int patience_ms = NOTHING_LEFT_MS;

	if (outcome == FAILED || outcome >= OUTCOMES || outcome == WRONG_DATA ||
	    (fault == FAULTS && outcome != RIGHT)) {
		printf("round %d (%s, mode %s): %s\n", round,
		       fault == FAULTS ? "no fault" : fault_names[fault],
		       resume_mode,
		       outcome == WRONG_DATA
			       ? "a child read wrong data"
			       : "its parent failed, or a child was lost");
		exit(1);
	}
	while (process_count() > processes && patience_ms-- > 0)
		sleep_ms(1);
	if (patience_ms < 0) {
		printf("round %d (%s, mode %s, outcome %d): left behind\n", round,
		       fault == FAULTS ? "no fault" : fault_names[fault],
		       resume_mode, outcome);
		show_left();
		exit(1);
	}
}

static int number_of(const char *text, int otherwise)
{
	return text ? atoi(text) : otherwise;
}

int main(int argc, char **argv)
{
	int seed = number_of(argc > 1 ? argv[1] : NULL, time(NULL) % 1000000);
	int rounds = number_of(argc > 2 ? argv[2] : NULL, ROUNDS);
	int counts[FAULTS + 1][OUTCOMES] = { 0 };
	int round, processes, files, mounts;
	uint64_t started_us, length_us = 1;
	pid_t runner = getppid();

	set_up("storm");
	if (!make_group(group)) {
		group[0] = '\0';
		puts("no limits of processes: needs the right to make a control "
		     "group");
	}
	printf("seed %d\n", seed);
	srandom(seed);
	processes = process_count();
	files = fd_count(getpid());
	mounts = mount_count();
	started_us = now_us();
	for (round = 0; round < HEALTHY_ROUNDS + rounds; round++) {
		enum fault fault = random() % (group[0] ? FAULTS : PROCESSES);
		enum outcome outcome;

		if (round < HEALTHY_ROUNDS)
			fault = FAULTS;
		if (round == HEALTHY_ROUNDS)
			length_us = (now_us() - started_us) / HEALTHY_ROUNDS;
		outcome = play_round(fault, length_us, runner);
		check_round(outcome, fault, round, processes);
		counts[fault][outcome]++;
	}
	CHECK_EQ(fd_count(getpid()), files);
	CHECK_EQ(mount_count(), mounts);
	CHECK_EQ(child_count(), 0);
	if (group[0])
		CHECK_SOON(!rmdir(group), NOTHING_LEFT_MS);
	for (round = 0; round < FAULTS; round++)
		printf("%-12s %d right, %d with a child lost, %d refused, %d with "
		       "the "
		       "parent ended\n",
		       fault_names[round], counts[round][RIGHT], counts[round][LOST],
		       counts[round][REFUSED], counts[round][PARENT_ENDED]);
	return 0;
}
