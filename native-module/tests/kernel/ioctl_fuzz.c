// SPDX-License-Identifier: Apache-2.0
/*
 * usage: ioctl_fuzz [--seconds N] [--seed N] [--threads N]
 * Calls the module with random commands and arguments, from several threads of
 * several processes on shared descriptors: valid and invalid commands; pointers to
 * whole and partial structs, to unmapped memory and to memory that another thread
 * unmaps; strings without NUL; ids of any value; descriptions with some bytes changed;
 * snapshots that are opened, and any memory to be kept; descriptors that another thread
 * closes. Afterwards the module must prepare and resume, and the kernel's log must
 * be clean.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "tests/harness.h"
#include "tests/kernel/description.h"

#define PAGE	  4096
#define PROCESSES 2
#define FDS	  4
#define ID	  4242

static int fds[FDS];
/* Two pages before an unmapped one; threads unmap and map the second. */
static char *pages;
static uint64_t end_ns;

static const unsigned long commands[] = {
	MITOSIS_NIL,
	MITOSIS_CONNECT,
	MITOSIS_PREPARE,
	MITOSIS_RESUME_LOCAL,
	MITOSIS_RESUME_REMOTE,
	MITOSIS_PREPARE_PINNED,
	MITOSIS_NIL_RPC,
	MITOSIS_IOC_UNPREPARE,
	MITOSIS_IOC_NEXT,
	MITOSIS_IOC_SET_OPTIONS,
	MITOSIS_IOC_STAT,
	MITOSIS_IOC_TOKEN,
	MITOSIS_IOC_PRESENT,
	MITOSIS_IOC_REVOKE,
	MITOSIS_IOC_UNPREPARE_OF,
	MITOSIS_IOC_NEXT_OF,
	MITOSIS_IOC_UNPREPARE_ALL,
	MITOSIS_IOC_PRESENT_REMOTE,
	MITOSIS_IOC_PREPARE_DESCRIBED,
	MITOSIS_IOC_OPEN_LOCAL,
	MITOSIS_IOC_OPEN_REMOTE,
	MITOSIS_IOC_BECOME,
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

static uint64_t next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static unsigned long some_command(uint64_t *state)
{
	unsigned long command = commands[next_number(state) % COMMANDS];

	switch (next_number(state) % 16) {
	case 0:
		return next_number(state);
	case 1:
		return next_number(state) & 0xffffffff;
	case 2: /* another size, direction or number */
		return command ^ 1ul << next_number(state) % 32;
	case 3:
		return command + next_number(state) % 3;
	default:
		return command;
	}
}

/* Few ids, so that calls collide; and the limits. */
static uint32_t some_id(uint64_t *state)
{
	static const uint32_t edges[] = { 0, 1, INT32_MAX, 1u << 31, UINT32_MAX };

	return next_number(state) % 3 ? 1000 + next_number(state) % 4
				      : edges[next_number(state) % 5];
}

static const char *some_text(uint64_t *state, char *at)
{
	static const char *const texts[] = {
		"fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c",
		"tcp://127.0.0.1:1",
		"tcp://[::1]:1",
		"tcp://127.0.0.1:65536",
		"tcp://",
		"",
		"tcp://:::",
		"tcp://999.0.0.1:1",
		"tcp://[::1",
		"tcp://127.0.0.1:-1",
	};
	const char *text = texts[next_number(state) % 10];

	switch (next_number(state) % 6) {
	case 0: /* up to the unmapped page, without NUL */
		at = pages + 2 * PAGE - strlen(text);
		memcpy(at, text, strlen(text));
		return at;
	case 1:
		memset(pages, 'x', 300);
		return pages;
	case 2:
		return (void *)next_number(state);
	default:
		return text;
	}
}

static unsigned long some_argument(uint64_t *state)
{
	uint32_t words[32];
	size_t i, length = next_number(state) % sizeof(words) + 1;
	char *at = pages + next_number(state) % (2 * PAGE - sizeof(words));
	struct mitosis_connect_req connect;

	switch (next_number(state) % 12) {
	case 0:
		return next_number(state);
	case 1: /* an address of the kernel */
		return 0xffff800000000000 | next_number(state) >> 8;
	case 2: /* across the end of the mapped pages */
		return (unsigned long)pages + 2 * PAGE - next_number(state) % 64;
	case 3:
		return 0;
	case 4:
	case 5:
	case 6:
		return some_id(state);
	case 7:
	case 8:
		connect = (struct mitosis_connect_req){
			.machine_id = some_id(state),
			.nic_id = next_number(state) % 3,
		};
		connect.gid = some_text(state, at);
		memcpy(at, &connect, sizeof(connect));
		return (unsigned long)at;
	default:
		for (i = 0; i < 32; i++)
			words[i] = next_number(state) % 3 ? next_number(state) : 0;
		words[0] = some_id(state);
		if (next_number(state) % 2)
			words[1] = some_id(state);
		memcpy(at, words, length);
		return (unsigned long)at;
	}
}

static void call_any(int fd, unsigned long command, unsigned long argument)
{
	int result = ioctl(fd, command, argument);

	if (result >= 0 && (command == MITOSIS_IOC_OPEN_LOCAL ||
			    command == MITOSIS_IOC_OPEN_REMOTE))
		close(result);
}

/* One that is valid, or was. */
static void prepare_described(uint64_t *state, int fd)
{
	struct description d = description_make();
	struct mitosis_described request = {
		.handler_id = some_id(state),
		.flags = next_number(state) % 2,
		.description = (uintptr_t)&d,
		.size = sizeof(d),
	};
	uint32_t changes = next_number(state) % 4;

	while (changes--)
		((char *)&d)[next_number(state) % sizeof(d)] = next_number(state);
	if (next_number(state) % 8 == 0)
		request.size = next_number(state);
	ioctl(fd, MITOSIS_IOC_PREPARE_DESCRIBED, &request);
}

/* Its descriptor is read into any memory, and any memory is to be kept. */
static void try_opened(uint64_t *state, int fd)
{
	uint32_t id = some_id(state);
	int opened = ioctl(fd, MITOSIS_IOC_OPEN_LOCAL, &id);
	struct mitosis_kept_memory kept = {
		.start = next_number(state) % 2 ? (uintptr_t)pages
						: next_number(state) >> 17 << 12,
	};

	if (opened < 0)
		return;
	kept.end = next_number(state) % 4
			   ? kept.start + (next_number(state) % 3) * PAGE
			   : next_number(state);
	if (read(opened, (void *)some_argument(state), 2 * PAGE) < 0 &&
	    errno != EFAULT)
		_exit(4);
	ioctl(opened,
	      next_number(state) % 4 ? MITOSIS_IOC_BECOME : some_command(state),
	      next_number(state) % 8 ? (uintptr_t)&kept : some_argument(state));
	close(opened);
}

/* Another thread has unmapped the page that this one writes to. */
static void on_segv(int signal)
{
	(void)signal;
	mmap(pages + PAGE, PAGE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void *fuzz(void *seed)
{
	uint64_t state = (uintptr_t)seed, calls = 0;

	while (now_ns() < end_ns) {
		int *fd = &fds[next_number(&state) % FDS];

		switch (next_number(&state) % 64) {
		case 0:
			munmap(pages + PAGE, PAGE);
			break;
		case 1:
			on_segv(0);
			break;
		case 2:
			close(*fd);
			*fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
			break;
		case 3: /* calls that the device does not support */
			if (read(*fd, pages, 64) >= 0 ||
			    write(*fd, pages, 64) >= 0 ||
			    mmap(NULL, PAGE, PROT_READ, MAP_SHARED, *fd, 0) !=
				    MAP_FAILED)
				_exit(3);
			break;
		case 4:
		case 5:
			prepare_described(&state, *fd);
			break;
		case 6:
		case 7:
			try_opened(&state, *fd);
			break;
		default:
			call_any(*fd, some_command(&state), some_argument(&state));
		}
		calls++;
	}
	return (void *)(uintptr_t)calls;
}

/*
 * A process of several threads cannot resume. One of a single thread may become a
 * child of itself; then the child continues the fuzzing, as its parent does.
 */
static void __attribute__((noreturn)) be_process(uint64_t seed, int threads)
{
	pthread_t others[16];
	struct sigaction action = { .sa_handler = on_segv };
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	for (i = 0; i < FDS; i++)
		fds[i] = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	for (i = 1; i < threads; i++)
		pthread_create(&others[i], NULL, fuzz,
			       (void *)(uintptr_t)(seed + i));
	printf("%lu calls\n",
	       (unsigned long)(uintptr_t)fuzz((void *)(uintptr_t)seed));
	for (i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	fflush(stdout);
	_exit(0);
}

static void drop_all(void)
{
	struct mitosis_snapshot s = { 0 };
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	while (!ioctl(fd, MITOSIS_IOC_NEXT, &s))
		if (ioctl(fd, MITOSIS_IOC_UNPREPARE, &s.handler_id))
			CHECK_EQ(errno, ENOENT);
	close(fd);
}

static void still_works(void)
{
	struct mitosis *device = open_kernel();
	volatile int witness = 1;

	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device))
		_exit(witness == 1 ? 42 : 1);
	witness = 2;
	CHECK_EQ(status_within(start_kernel_child(ID, 16), 10000), 42 << 8);
	mitosis_close(device);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ "threads", required_argument, NULL, 't' },
		{ 0 },
	};
	uint64_t seed = now_ns(), seconds = 60;
	int threads = 4, option, i, j;
	pid_t pids[2 * PROCESSES];

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
		switch (option) {
		case 's':
			seconds = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			seed = strtoull(optarg, NULL, 10);
			break;
		case 't':
			threads = atoi(optarg);
			CHECK(threads >= 1 && threads <= 16);
			break;
		default:
			return 2;
		}
	mitosis_close(open_kernel());
	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED && !munmap(pages + 2 * PAGE, PAGE));
	/* New processes every two seconds, as children change what a process is. */
	for (i = 0; (uint64_t)i < (seconds > 1 ? seconds / 2 : 1); i++) {
		end_ns = now_ns() + 2000000000ull;
		for (j = 0; j < 2 * PROCESSES; j++) {
			pids[j] = fork();
			CHECK(pids[j] >= 0);
			if (pids[j] == 0)
				be_process(seed + i * 1000 + j * 100 + 1,
					   j < PROCESSES ? threads : 1);
		}
		for (j = 0; j < 2 * PROCESSES; j++)
			status_within(pids[j], 30000);
		drop_all();
	}
	drop_all();
	still_works();
	return 0;
}
