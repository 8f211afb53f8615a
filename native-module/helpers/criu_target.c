// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-criu-target: what CRIU dumps and restores, to be measured beside a resumed
 * child. Linked statically and alone in its session, so that CRIU needs to be
 * told nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "local/options.h"

#define PAGE	    4096
#define LOOK_NS	    50000
#define THREADS_MAX 32768
#define FILES_MAX   (1u << 20)

static const char usage[] =
	"usage: mitosis-criu-target BYTES [THREADS [FILES]] FOLDER\n"
	"\n"
	"Fills BYTES of memory, makes the file FOLDER/ready, "
	"and looks for the file\n"
	"FOLDER/go every 50 us. Once it is there, reads a byte "
	"of each page and writes\n"
	"two numbers to FOLDER/result: when it saw the file and "
	"when it had read all, in\n"
	"ns since 1970 (CLOCK_REALTIME: the monotonic clock of "
	"a restored process has\n"
	"an offset of its own). Ends with exit code 3 if a page "
	"holds something else.\n"
	"Of its THREADS (1 to 32768, default 1) all but the first "
	"wait meanwhile; then each\n"
	"must still know its number. It has FILES (0 to "
	"1048576, default 0) eventfds open,\n"
	"and each must still count its number.\n"
	"\n"
	"  --version  print the release and exit\n";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool may_end;
static uint64_t waiting;
static pthread_t threads[THREADS_MAX];
static int files[FILES_MAX];
static __thread uint64_t own_number;

/* Returns its number plus 1, from memory of its own. */
static void *await_end(void *number)
{
	own_number = (uintptr_t)number;
	pthread_mutex_lock(&lock);
	waiting++;
	pthread_cond_broadcast(&changed);
	while (!may_end)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return (void *)(uintptr_t)(own_number + 1);
}

/* Returns 0 when all wait. */
static int start_threads(uint64_t count)
{
	uint64_t i;

	for (i = 1; i < count; i++) {
		int err = pthread_create(&threads[i], NULL, await_end,
					 (void *)(uintptr_t)i);

		if (err)
			return -err;
	}
	pthread_mutex_lock(&lock);
	while (waiting < count - 1)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return 0;
}

/* Whether all of them are there. */
static bool end_threads(uint64_t count)
{
	uint64_t i;
	bool right = true;

	pthread_mutex_lock(&lock);
	may_end = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (i = 1; i < count; i++) {
		void *number = NULL;

		right &= !pthread_join(threads[i], &number) &&
			 (uintptr_t)number == i + 1;
	}
	return right;
}

/* Each counts its number plus 1. Returns 0 or -errno. */
static int open_files(uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++) {
		files[i] = eventfd(i + 1, EFD_CLOEXEC | EFD_NONBLOCK);
		if (files[i] < 0)
			return -errno;
	}
	return 0;
}

/* Whether all of them are there. */
static bool read_files(uint64_t count)
{
	eventfd_t number;
	uint64_t i;

	for (i = 0; i < count; i++)
		if (eventfd_read(files[i], &number) || number != i + 1)
			return false;
	return true;
}

/* A count of the command line. */
static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static unsigned char byte_of(uint64_t page)
{
	return page % 251 + 1;
}

static int make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int report(uint64_t first_ns, uint64_t touched_ns)
{
	FILE *file = fopen("result.new", "we");

	if (!file)
		return -errno;
	fprintf(file, "%" PRIu64 " %" PRIu64 "\n", first_ns, touched_ns);
	if (fclose(file) || rename("result.new", "result"))
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const struct timespec look = { .tv_nsec = LOOK_NS };
	const pid_t starter = getppid();
	volatile unsigned char *memory;
	uint64_t bytes, page, first_ns, touched_ns, thread_count = 1, file_count = 0;
	int option, err;

	option = next_option(argc, argv, names);
	if (option != -1)
		answer_and_exit(option, usage);
	argc -= optind - 1;
	argv += optind - 1;
	if (argc < 3)
		refuse_command("%s is missing", argc < 2 ? "BYTES" : "FOLDER");
	if (argc > 5)
		refuse_command("unexpected argument '%s'", argv[5]);
	bytes = parse_number(argv[1], "BYTES", 1, INT64_MAX);
	if (argc > 3)
		thread_count = parse_number(argv[2], "THREADS", 1, THREADS_MAX);
	if (argc > 4)
		file_count = parse_number(argv[3], "FILES", 0, FILES_MAX);
	/* Fails for the leader of a process group, which leads a session already. */
	setsid();
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || chdir(argv[argc - 1])) {
		fprintf(stderr, "mitosis-criu-target: %s: %s\n", argv[argc - 1],
			strerror(errno));
		return 1;
	}
	for (page = 0; page * PAGE < bytes; page++)
		memory[page * PAGE] = byte_of(page);
	err = start_threads(thread_count);
	if (err) {
		fprintf(stderr, "mitosis-criu-target: no thread: %s\n",
			strerror(-err));
		return 1;
	}
	err = open_files(file_count);
	if (err) {
		fprintf(stderr, "mitosis-criu-target: no file: %s\n",
			strerror(-err));
		return 1;
	}
	if (make("ready"))
		return 1;
	while (access("go", F_OK)) {
		/* Its starter has ended: no process can dump or end it. */
		if (getppid() != starter)
			return 0;
		nanosleep(&look, NULL);
	}
	first_ns = realtime_ns();
	for (page = 0; page * PAGE < bytes; page++)
		if (memory[page * PAGE] != byte_of(page))
			return 3;
	touched_ns = realtime_ns();
	if (!end_threads(thread_count) || !read_files(file_count))
		return 3;
	return report(first_ns, touched_ns) ? 1 : 0;
}
